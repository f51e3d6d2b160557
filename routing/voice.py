"""The user's own voice: a prompt without what it quotes, pastes or marks as said by somebody else.

Stricter than what is scored: what is cut here in error costs a user's word about the tier, what is left in error lets a
pasted line choose it. Called only for a prompt that names a tier.
"""

from routing.features import CAP_BYTES, HEAD_BYTES, closes_fence, looks_pasted, opened_fence

MOST_MARKS = 64  # more of one kind is no prose: what follows is not read
SLACK_BYTES = 256  # that a prompt which was cut may have lost since: typographic quotes are made plain

# A line that begins so is a label, a link, a quotation, a table, markup, a payload or a change.
_MARKS = (b"[", b"![", b">", b"|", b"<", b"{", b"}", b"+", b"##[", b"/*")
_LEVELS = frozenset(
    b"TRACE DEBUG INFO NOTICE WARN WARNING ERROR CRITICAL FATAL FAILED PASSED SKIPPED PANIC "
    b"SELECT INSERT UPDATE DELETE CREATE ALTER".split()
)
_ROLES = frozenset(b"system assistant tool developer human user".split())
_PROGRAMS_SAY = (b"[orchestrate", b"subagent_type", b"hook additional context", b"hook success", b"hook error")
_HIDDEN = (
    *(bytes((code,)) for code in (*range(9), 11, 12, *range(14, 32), 127)),
    b"\xc2\xad",  # soft hyphen
    b"\xe2\x80\x8b",  # zero-width space
    b"\xe2\x80\x8e",  # marks and changes of direction
    b"\xe2\x80\x8f",
    *(b"\xe2\x80" + bytes((code,)) for code in range(0xAA, 0xAF)),
    *(b"\xe2\x81" + bytes((code,)) for code in range(0xA0, 0xB0)),  # word joiner, isolation
    b"\xf3\xa0\x80",  # tag letters
    b"\xf3\xa0\x81",
)
# Beside those that features has made plain.
_QUOTES = tuple(mark.encode() for mark in "\u201e\u201f\u2039\u203a\u300c\u300d\u300e\u300f")
_BEFORE_QUOTE, _AFTER_QUOTE = b" \n\t([{:,", b" \n\t)]}.,;:!?"


def spoken(raw: bytes) -> bytes:
    """What stands there in the user's own voice. `raw`: as features.scored gives it."""
    ours = b"\n".join(_own_lines(_without_markup(_without_fences(_sure(raw))[0]))).replace(b"\xe2\x80\x98", b"'")
    for mark in _QUOTES:
        ours = ours.replace(mark, b'"')
    ours = _without_links(ours)
    for mark in (b"`", b'"'):
        ours = _without_quotations(ours, mark)
    ours = _without_single_quotes(ours)
    # A flag and a setting name a model, they do not ask for one.
    return ours.replace(b" --", b" _flag ").replace(b"=", b" _is ")


def _sure(raw: bytes) -> bytes:
    """Without what may belong to a block that was opened in the part of a long prompt which is not read."""
    if len(raw) <= CAP_BYTES - SLACK_BYTES or _without_fences(raw[:HEAD_BYTES])[1]:
        return raw
    tail = raw[HEAD_BYTES:]
    last = max(tail.rfind(mark) for mark in (b"```", b"~~~", b"</"))
    return raw if last < 0 else raw[:HEAD_BYTES] + b"\n\n" + tail[last:].partition(b"\n")[2]


def _without_fences(raw: bytes) -> tuple[bytes, bytes]:
    """What stands outside of fenced blocks, and the fence that was not closed."""
    kept: list[bytes] = []
    fence, closed_at = b"", -1  # the latter of `kept`, while no empty line has followed
    for line in raw.splitlines():
        if fence:
            if closes_fence(line, fence):
                fence, closed_at = b"", len(kept)
        elif fence := opened_fence(line):
            if closed_at >= 0:
                del kept[closed_at:]  # two blocks that touch, or one with a fence in it
        else:
            closed_at = closed_at if line.strip() else -1
            kept.append(line)
    return b"\n".join(kept), fence


def _without_markup(raw: bytes) -> bytes:
    """Without `<tag> ... </tag>` and comments. One that begins a line and is not closed ends at an empty line."""
    lower = raw.lower()
    kept: list[bytes] = []
    at = 0
    for _ in range(MOST_MARKS):
        start = _next_tag(raw, at)
        if start < 0:
            return b"".join([*kept, raw[at:]])
        end = _end_of_markup(lower, start)
        kept += [raw[at:start], b" "]
        at = end
    return b"".join(kept)


def _next_tag(raw: bytes, at: int) -> int:
    while (at := raw.find(b"<", at)) >= 0:
        follows = raw[at + 1 : at + 2]
        if follows.isalpha() or follows in (b"!", b"|", b"?"):
            return at
        at += 1
    return -1


def _end_of_markup(lower: bytes, start: int) -> int:
    end = _end_of_comment(lower, start) if lower.startswith(b"<!--", start) else _end_of_element(lower, start)
    if end >= 0:
        return end
    if not lower[lower.rfind(b"\n", 0, start) + 1 : start].strip():
        blank = lower.find(b"\n\n", start)
        return blank if blank >= 0 else len(lower)
    return start + 1  # `Vec<String>`


def _end_of_comment(lower: bytes, start: int) -> int:
    end = lower.find(b"-->", start)
    return end if end < 0 else end + 3


def _end_of_element(lower: bytes, start: int) -> int:
    """After the tag that closes it and all of its name in it; -1 when nothing closes it."""
    name = _name(lower, start + 1)
    end = close = lower.find(b"</" + name, start + 1)
    for inner in range(MOST_MARKS):
        if close < 0 or lower.count(b"<" + name, start + 1, close) <= inner:
            break
        close = lower.find(b"</" + name, close + 1)
        end = max(end, close)
    tail = lower.find(b">", end)
    return end if end < 0 else tail + 1 if tail >= 0 else len(lower)


def _name(lower: bytes, at: int) -> bytes:
    end = at
    while end < len(lower) and (lower[end : end + 1].isalnum() or lower[end] in b"-_:"):
        end += 1
    return lower[at:end]


def _own_lines(text: bytes) -> list[bytes]:
    said = [said for said in _PROGRAMS_SAY if said in text]
    hidden = [mark for mark in _HIDDEN if mark in text]
    own = []
    is_paragraph_theirs = False
    for line in text.split(b"\n"):
        if said and any(words in line for words in said):
            is_paragraph_theirs = True
        elif not line.strip():
            is_paragraph_theirs = False
        elif not (is_paragraph_theirs or _is_theirs(line) or (hidden and any(mark in line for mark in hidden))):
            own.append(line)
    return own if b"\n" not in text else [line for line in own if not looks_pasted(line)]


def _is_theirs(line: bytes) -> bool:
    bare = line.strip()
    if bare.startswith(_MARKS):
        return True
    if bare[:1] == b"-" and bare[1:2] not in (b" ", b"-"):
        return True  # a line that was taken out
    words = bare.split(None, 4)[:4]
    first = words[0].rstrip(b":")
    if first in _LEVELS or words[0].lower().endswith((b"error:", b"exception:")):
        return True
    return (first != words[0] and first.lower() in _ROLES) or any(map(_is_clock, words))


def _is_clock(word: bytes) -> bool:
    """To the second, as a log has it and a person has not."""
    return word[:1].isdigit() and word.strip(b":").count(b":") > 1


def _without_links(text: bytes) -> bytes:
    for _ in range(MOST_MARKS):
        middle = text.find(b"](")
        if middle < 0:
            return text
        start, end = text.rfind(b"[", 0, middle), text.find(b")", middle)
        text = text[: max(start, 0)] + b" _quoted " + (text[end + 1 :] if end >= 0 else b"")
    return b""


def _without_quotations(text: bytes, mark: bytes) -> bytes:
    """Where a mark has no counterpart, nothing after the first of them is sure."""
    while mark == b"`" and b"``" in text:
        text = text.replace(b"``", b"`")
    parts = text.split(mark)
    return b" _quoted ".join(parts[::2]) if len(parts) % 2 else parts[0]


def _without_single_quotes(text: bytes) -> bytes:
    """Those around words; not the apostrophe in one."""
    kept: list[bytes] = []
    padded = b" " + text + b" "
    at, start, i = 0, -1, padded.find(b"'")
    while i >= 0:
        if start < 0 and padded[i - 1] in _BEFORE_QUOTE and padded[i + 1] not in _AFTER_QUOTE:
            start = i
        elif start >= 0 and padded[i + 1] in _AFTER_QUOTE:
            kept += [padded[at:start], b" _quoted "]
            at, start = i + 1, -1
        i = padded.find(b"'", i + 1)
    return b"".join([*kept, padded[at:]])
