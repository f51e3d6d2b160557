"""What a user's own rules make of a decision: word lists, path rules, domains, floors and ceilings.

Pure. The rules come compiled (state/routing_rules.py): tables to look words and folders up in, and wildcards taken
apart, so that no pattern is read here and no regular expression runs.
"""

from routing import routing_core, rules
from routing.features import Text, closes_fence, is_path, looks_pasted, opened_fence, scored
from routing.routing_core import Decision, Situation
from routing.score import SONNET, TIERS

VERSION = 1
ALL, TIER, FLOORS = "all", "tier", "floors"  # what of the rules is asked for: a spawn has its agent already
MOST_PATHS = 64  # of one prompt that are looked up
_CHEAPER = frozenset(("lower", "at_most", "tier"))
_WORD = b"abcdefghijklmnopqrstuvwxyz0123456789_+"
_ASCII_WORDS = bytes(c if c in _WORD else 32 for c in range(256))
_WORDS = _ASCII_WORDS[:128] + bytes(range(128, 256))
_IN_PATHS = b"abcdefghijklmnopqrstuvwxyz0123456789._/-+@=%~#"
_PATHS = bytes(c if c in _IN_PATHS or c > 127 else 47 if c == 92 else 32 for c in range(256))

Rule = dict[str, str]


class Own:
    """The compiled tables: texts, taken apart only where a prompt meets them, as most never are.
    `bases`: the absolute folders that a path may be told from, the project's root first."""

    __slots__ = ("agents", "always", "bases", "ends", "folders", "globs", "names", "rules", "wide", "words")

    def __init__(self, kept: dict[str, object], bases: tuple[str, ...] = ()) -> None:
        self.bases = tuple(base.lower().rstrip("/") for base in bases)
        self.rules: list[str] = kept["rules"]  # type: ignore[assignment]  # these tables are of our own making
        self.agents: dict[str, dict[str, str]] = kept["agents"]  # type: ignore[assignment]  # as above
        self.always: list[int] = kept["always"]  # type: ignore[assignment]  # as above
        self.words: dict[str, str] = kept["words"]  # type: ignore[assignment]  # as above
        self.wide: dict[str, str] = kept["wide"]  # type: ignore[assignment]  # as above
        self.folders: dict[str, str] = kept["folders"]  # type: ignore[assignment]  # as above
        self.names: dict[str, str] = kept["names"]  # type: ignore[assignment]  # as above
        self.ends: dict[str, str] = kept["ends"]  # type: ignore[assignment]  # as above
        self.globs: dict[str, str] = kept["globs"]  # type: ignore[assignment]  # as above

    def rule(self, number: int) -> Rule:
        says, name, why = self.rules[number].split("|", 2)
        rule = {"name": name, "why": why}
        for said in says.split():
            key, _, tier = said.partition("=")
            rule[key] = tier
        return rule


class Met:
    """The rules that a prompt meets, strongest first. `whole`: those that may make it cheaper, as every path that it
    names meets them, and their words stand there in the user's own voice."""

    __slots__ = ("all", "numbers", "rules", "whole")

    def __init__(self, own: Own, prompt: str) -> None:
        raw = scored(prompt)
        prose = _prose(raw)
        worded = _by_words(own, prose)
        paths = _by_paths(own, raw)
        named: set[int] = set().union(*paths)
        self.numbers = sorted({*own.always, *worded, *named})
        self.rules = {number: own.rule(number) for number in self.numbers}
        cheaper = {number for number in worded - named if not _CHEAPER.isdisjoint(self.rules[number])}
        if cheaper:
            from routing import voice  # few prompts meet a word that makes work cheaper

            cheaper -= _by_words(own, voice.spoken(raw))
        self.all = list(self.rules.values())
        self.whole = [
            rule
            for number, rule in self.rules.items()
            if number not in cheaper and ("by_path" not in rule or all(number in hits for hits in paths))
        ]


def over(decision: Decision, prompt: str, situation: Situation, own: Own, scope: str = ALL) -> Decision:
    """The decision as the rules leave it; what the user asked for in the prompt stays."""
    met = Met(own, prompt)
    moves: list[tuple[Rule, str]] = []
    if not decision.override:
        tier = decision.tier if scope == FLOORS else _moved(decision.tier, met, prompt, situation, moves)
        tier = _up(tier, _dearest(met.all, "at_least"), "at_least", moves)
        found = _at(tier, decision, prompt, situation) if tier != decision.tier else _same(decision)
    else:
        found = _same(decision)
    lowest = _dearest(met.all, "at_least")
    found.floor = lowest["at_least"] if lowest else ""
    if scope == ALL:
        _name_agents(found, met, own, moves)
    found.rules = list(dict.fromkeys(rule["name"] for rule, _ in moves if rule["name"]))
    found.reason = "; ".join([found.reason, *(told for _, told in moves)])
    return found


def _moved(tier: str, met: Met, prompt: str, situation: Situation, moves: list[tuple[Rule, str]]) -> str:
    """Words, then what an untrusted repository may ask for, then exact tiers and ceilings."""
    before = tier
    raising = _dearest(met.all, "raise")
    lowering = _cheapest(met.whole, "lower")
    tier = _up(tier, raising, "raise", moves) if raising else _down(tier, lowering, "lower", moves)
    tier = _up(tier, _dearest(met.all, "guest"), "guest", moves)
    exact = next((rule for rule in met.whole if "tier" in rule), None)
    if exact:
        tier = _down(_up(tier, exact, "tier", moves), exact, "tier", moves)
    else:
        tier = _down(tier, _cheapest(met.whole, "at_most"), "at_most", moves)
    if _rank(tier) < _rank(before):
        for floor, why in _built_in(prompt, situation):
            tier = _up(tier, {"name": "", "at_least": floor, "why": why}, "at_least", moves)
    return tier


_TOLD = {"raise": "", "lower": "", "tier": "", "guest": "at least ", "at_least": "at least ", "at_most": "at most "}


def _up(tier: str, rule: Rule | None, key: str, moves: list[tuple[Rule, str]]) -> str:
    return _move(rule, key, moves) if rule and _rank(rule[key]) > _rank(tier) else tier


def _down(tier: str, rule: Rule | None, key: str, moves: list[tuple[Rule, str]]) -> str:
    return _move(rule, key, moves) if rule and _rank(rule[key]) < _rank(tier) else tier


def _move(rule: Rule, key: str, moves: list[tuple[Rule, str]]) -> str:
    told = f"{_TOLD[key]}{rule[key]}"
    if rule["name"]:
        told = f"{rule['name']}: {told}"
    moves.append((rule, f"{told} ({rule['why']})" if rule["why"] else told))
    return rule[key]


def _built_in(prompt: str, situation: Situation) -> list[tuple[str, str]]:
    """The router's own floors, which it told us nothing of when its scores were above them."""
    lowest = rules.floor(Text(prompt))
    floors = [lowest] if lowest else []
    if situation.plan_mode:
        floors.append((SONNET, "plan mode asks for judgement"))
    if situation.failures >= routing_core.REPEATED_FAILURES and situation.last_tier:
        floors.append((rules.raised(situation.last_tier), f"{situation.failures} failures before"))
    return floors


def _at(tier: str, decision: Decision, prompt: str, situation: Situation) -> Decision:
    """The decision with another tier, and with the question anew whether to hand the work over."""
    if decision.action == "stay" and situation.main_tier:
        decision = routing_core.decide(prompt, _without_main(situation))
    action, reason = decision.action, decision.reason
    if action == "delegate" and situation.main_tier == tier:
        action, reason = "stay", f"{reason}; the main thread already runs {tier}"
    return Decision(tier, reason, routing_core.RULE_CONFIDENCE, action, decision.features)


def _same(decision: Decision) -> Decision:
    """Another one, so that what came in stays as it was."""
    return Decision(
        decision.tier,
        decision.reason,
        decision.confidence,
        decision.action,
        decision.features,
        abstained=decision.abstained,
        override=decision.override,
    )


def _without_main(situation: Situation) -> Situation:
    """Then only a prompt that leans on the conversation stays in it."""
    alone = Situation()
    for name in Situation.__slots__:
        setattr(alone, name, getattr(situation, name))
    alone.main_tier = None
    return alone


def _name_agents(found: Decision, met: Met, own: Own, moves: list[tuple[Rule, str]]) -> None:
    for number in reversed(met.numbers):
        for tier, agent in own.agents.get(str(number), {}).items():
            found.agents[tier] = agent
    first = next((n for n in met.numbers if found.tier in own.agents.get(str(n), {})), None)
    if first is not None:
        rule = met.rules[first]
        moves.append((rule, f"{rule['name']}: {found.agents[found.tier]}"))


def _dearest(met: list[Rule], key: str) -> Rule | None:
    return max((rule for rule in met if key in rule), key=lambda rule: _rank(rule[key]), default=None)


def _cheapest(met: list[Rule], key: str) -> Rule | None:
    return min((rule for rule in met if key in rule), key=lambda rule: _rank(rule[key]), default=None)


def _rank(tier: str) -> int:
    return TIERS.index(tier)


def _by_words(own: Own, raw: bytes) -> set[int]:
    """The rules one of whose words or phrases stands there."""
    low = _lower(raw)
    hits: set[int] = set()
    if own.words:
        _look_up(own, low.translate(_WORDS, b"'").decode("utf-8", "replace").split(), hits)
        if not low.isascii():  # a word between characters that need no space around them
            _look_up(own, low.translate(_ASCII_WORDS, b"'").decode("ascii").split(), hits)
    if own.wide and not low.isascii():
        text = low.decode("utf-8", "replace")
        for word, numbers in own.wide.items():
            if word in text:
                hits.update(map(int, numbers.split("|")))
    return hits


def _look_up(own: Own, words: list[str], hits: set[int]) -> None:
    for at, word in enumerate(words):
        if word in own.words:
            for entry in own.words[word].split("|"):
                number, *rest = entry.split()
                if words[at + 1 : at + 1 + len(rest)] == rest:
                    hits.add(int(number))


def _prose(raw: bytes) -> bytes:
    """Without pasted code and logs: their words are not about the work."""
    if b"\n" not in raw:
        return raw
    prose, fence = [], b""
    for line in raw.splitlines():
        if fence:
            fence = b"" if closes_fence(line, fence) else fence
        elif not (fence := opened_fence(line)) and not looks_pasted(line):
            prose.append(line)
    return b"\n".join(prose)


def _by_paths(own: Own, raw: bytes) -> list[set[int]]:
    """For each path that is named, the rules it meets. A path counts wherever it stands, in a pasted diff as well."""
    if not (own.folders or own.names or own.ends or own.globs):
        return []
    found = []
    for token in dict.fromkeys(_lower(raw).translate(_PATHS).split()):
        bare = token.partition(b"#")[0].rstrip(b".")
        name = bare.decode("utf-8", "replace")
        if b"/" in bare or b"." in bare or name in own.names:
            hits = _hits(own, name)
            if hits or is_path(bare, bare.strip(b"./@")):
                found.append(hits)
        if len(found) == MOST_PATHS:
            break
    return found


def _hits(own: Own, path: str) -> set[int]:
    found: list[str] = []
    if path.startswith("//"):  # what is left of an address
        return set()
    hits: set[int] = set()
    for parts in _readings(own, path):
        folder = ""
        for part in parts:
            folder = f"{folder}/{part}" if folder else part
            found += [numbers for numbers in (own.folders.get(folder), own.names.get(part)) if numbers]
        dot = parts[-1].find(".") if parts else -1
        while dot >= 0:
            found.append(own.ends.get(parts[-1][dot:], ""))
            dot = parts[-1].find(".", dot + 1)
        hits.update(_fitting(own, parts))
    return hits.union(int(number) for numbers in found if numbers for number in numbers.split("|"))


def _fitting(own: Own, parts: list[str]) -> set[int]:
    """By the patterns that begin with the path's first part, or with an asterisk."""
    hits = set()
    for first in ("*", *parts[:1]):
        for entry in own.globs.get(first, "").split("|"):
            number, _, pattern = entry.partition(" ")
            if pattern and fits(pattern.split("/"), parts):
                hits.add(int(number))
    return hits


def _readings(own: Own, path: str) -> list[list[str]]:
    """As told from the root, from the session's folder, as the client mentions files, and as a diff names them."""
    if path.startswith("/"):
        inside = [path[len(base) + 1 :] for base in own.bases if path.startswith(base + "/")]
        return [_parts(one) for one in inside] or [["/", *_parts(path)]]
    if path.startswith("~"):
        return [["/", *_parts(path)]]
    told = [path, path[1:]] if path.startswith("@") else [path]
    told += [path[2:]] if path.startswith(("a/", "b/")) else []
    root = own.bases[0] if own.bases else ""
    told += [f"{base[len(root) + 1 :]}/{path}" for base in own.bases[1:] if base.startswith(root + "/")]
    return [_parts(one) for one in told]


def _parts(path: str) -> list[str]:
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return parts


def fits(pattern: list[str], parts: list[str]) -> bool:
    """`**` is any number of parts. Never more than one step back for each part, so no pattern takes long."""
    at, here, star, mark = 0, 0, -1, 0
    while here < len(parts):
        if at < len(pattern) and pattern[at] == "**":
            star, mark, at = at, here, at + 1
        elif at < len(pattern) and _is_part(pattern[at], parts[here]):
            at, here = at + 1, here + 1
        elif star >= 0:
            mark += 1
            at, here = star + 1, mark
        else:
            return False
    return all(piece == "**" for piece in pattern[at:])


def _is_part(piece: str, part: str) -> bool:
    if "*" not in piece:
        return piece == part
    first, *middle, last = piece.split("*")
    if part == "/" or len(part) < len(first) + len(last) or not (part.startswith(first) and part.endswith(last)):
        return False
    at, end = len(first), len(part) - len(last)
    for text in middle:
        at = part.find(text, at, end)
        if at < 0:
            return False
        at += len(text)
    return True


def _lower(raw: bytes) -> bytes:
    return raw.lower() if raw.isascii() else raw.decode("utf-8", "replace").lower().encode("utf-8", "replace")
