"""Text to numbers: what a prompt asks for, apart from what it quotes or pastes."""

CAP_BYTES = 8192
HEAD_BYTES = 6144
WORD_LIMIT, WORDS_AT_END = 512, 128  # of a long text its end counts as well
# Primes: the bytes of a word as a number, modulo their product, place it among the hashed weights and in the lexicon.
BUCKETS = 16381
SLOTS = 5003
CODES = BUCKETS * SLOTS

# To look for one byte as a number costs a seventh of what it costs as bytes.
LINE, _DOT, _SLASH, _UNDERSCORE = b"\n./_"

QUOTED, PATH, IDENT, NUMBER = b"_quoted", b"_path", b"_ident", b"_number"
TIER_NAMES = frozenset((b"haiku", b"sonnet", b"opus"))

_KEPT = b"abcdefghijklmnopqrstuvwxyz0123456789_./" + bytes(range(128, 256))
_LOWER = bytes(range(256)).lower()
_OTHERS = bytes(range(256)).translate(None, _KEPT)
_WORDS = _LOWER.translate(bytes.maketrans(_OTHERS, b" " * len(_OTHERS)))
_SYMBOLS = b'{}()[]<>;=|$#@\\&^~"_:*'
_MARK = _SYMBOLS[:1]
_MARKED = bytes.maketrans(_SYMBOLS, _MARK * len(_SYMBOLS))  # to count them all in one go
_DIGITS = b"0123456789"
_WIDE = bytes(range(0xE3, 0xEE))  # first bytes of Chinese, Japanese and Korean characters in UTF-8
_TRACES = (b"Traceback", b"Error:", b"Exception", b"panic:", b"    at ", b"fatal:", b"FAILED", b"==ERROR", b"npm ERR")
# By how they begin: most texts have none of them.
_CURLY = (
    (b"\xe2\x80", ((b"\xe2\x80\x99", b"'"), (b"\xe2\x80\x9c", b'"'), (b"\xe2\x80\x9d", b'"'))),
    (b"\xc2", ((b"\xc2\xab", b'"'), (b"\xc2\xbb", b'"'))),
)
_LOG_STARTS = (b"at ", b"File ", b"==", b"@@", b"diff --git", b"Traceback", b"> ", b"//", b"#include", b"$ ")
_LOG_FIRSTS = b"aF=@dT>/#$"  # the first bytes of these
_FENCES = b"`~"
_QUOTE_MARKS = ((0x60, b"`"), (0x22, b'"'))
_NAMES_MOST = 16  # bytes that tiers' names in one line differ by
_INDENTED = (b"    ", b"\t")


def _terms(text: str) -> frozenset[bytes]:
    return frozenset(text.encode().split(b","))


class Text:
    """A prompt taken apart: its own words, and counts of what is not prose.

    `letters`, `terms` and `stems` are the same whichever tier is named. `terms` are its words and pairs of words,
    `stems` are `~` with the beginnings of words.
    """

    __slots__ = (
        "ask",
        "first",
        "idents",
        "letters",
        "names_tier",
        "numbers",
        "pasted",
        "paths",
        "quoted",
        "raw",
        "size",
        "stems",
        "terms",
        "wide",
        "words",
    )

    def __init__(self, prompt: str) -> None:
        self.words = words = self.take_apart(prompt)
        ask = self.ask
        is_ascii = ask.isascii()
        self.wide = 0 if is_ascii else len(ask) - len(ask.translate(None, _WIDE))
        self.size = len(words) + self.wide // 2  # a wide script counts two characters as a word
        self.first = _first(words)
        terms = set(words)
        self.names_tier = not TIER_NAMES.isdisjoint(terms)
        if self.names_tier:
            words = [QUOTED if word in TIER_NAMES else word for word in words]  # a tier's name is no word about work
            terms = set(words)
        self.terms = terms
        self.letters = len(b"".join(words))
        if is_ascii:
            self.stems = {b"~" + word[:4] for word in terms if len(word) > 4}
        else:
            self.stems = {b"~" + word[: 4 if word[0] < 128 else 8] for word in terms if len(word) > 4}
        # The pairs are of words that follow each other; itertools.pairwise is an import.
        terms.update(map(b" ".join, zip(words, words[1:], strict=False)))  # noqa: RUF007

    def take_apart(self, prompt: str) -> list[bytes]:
        """The words; what is not prose is counted."""
        self.raw = scored(prompt)
        ask, self.pasted = _split_pasted(self.raw)
        self.ask, self.quoted = _without_quotes(_without_markers(ask))
        self.paths = self.idents = self.numbers = 0
        return self._read_words(self.ask)

    def _read_words(self, ask: bytes) -> list[bytes]:
        tokens = ask.translate(_WORDS, b"'").split()
        if len(tokens) > WORD_LIMIT:
            tokens = tokens[: WORD_LIMIT - WORDS_AT_END] + tokens[-WORDS_AT_END:]
        odd = [i for i, token in enumerate(tokens) if not token.isalpha()]
        for i in reversed(odd):  # so that a token which becomes several words moves none that is still to be read
            word = tokens[i].strip(b".")
            if word.isalpha():  # ends a sentence
                tokens[i] = word
            elif word.isdigit():
                self.numbers += 1
                tokens[i] = NUMBER
            else:
                tokens[i : i + 1] = self._read_mixed(tokens[i])
        return tokens

    def _read_mixed(self, token: bytes) -> list[bytes]:
        word = token.strip(b"./")
        if _DOT in word or _SLASH in token:
            if is_path(token, word):
                self.paths += 1
                return [PATH]
            parts = word.replace(b"/", b" ").replace(b".", b" ").split()
            self.numbers += word[:1].isdigit()
            return [NUMBER if part[:1].isdigit() else part for part in parts]
        if word == QUOTED:
            return [QUOTED]
        if _UNDERSCORE in word:
            self.idents += 1
            return [IDENT]
        if word[:1].isdigit():
            self.numbers += 1
            return [NUMBER]
        return [word] if word else []

    @property
    def is_empty(self) -> bool:
        return not self.words and not self.wide and not self.pasted


def _first(words: list[bytes]) -> tuple[bytes, bytes]:
    """The first word that is not politeness, and the pair it starts."""
    for i, word in enumerate(words[:12]):
        if word not in POLITE:
            return word, b" ".join(words[i : i + 2])
    return b"", b""


def words_of(line: bytes) -> list[bytes]:
    """As of a Text, but the words alone."""
    return Text.__new__(Text).take_apart(line.decode("utf-8", "replace"))


def scored(prompt: str) -> bytes:
    """At most CAP_BYTES of the prompt: all of it, or its head and its tail."""
    if len(prompt) > CAP_BYTES:
        prompt = prompt[:HEAD_BYTES] + "\n" + prompt[HEAD_BYTES - CAP_BYTES :]
    raw = prompt.encode("utf-8", "replace")
    if len(raw) > CAP_BYTES:
        raw = raw[:HEAD_BYTES] + b"\n" + raw[HEAD_BYTES + 1 - CAP_BYTES :]
    if not raw.isascii():
        for start, marks in _CURLY:
            if start in raw:
                for curly, plain in marks:
                    raw = raw.replace(curly, plain)
    return raw


def _split_pasted(raw: bytes) -> tuple[bytes, int]:
    """The request without fenced blocks and lines that look like code or logs, and how many such lines there were."""
    if LINE not in raw:
        return raw, 0
    prose, pasted, fence = [], 0, b""
    for line in raw.splitlines():
        if fence:
            pasted += 1
            if closes_fence(line, fence):
                fence = b""
        elif not (bare := line.strip()):
            prose.append(line)
        elif (bare[0] in _FENCES and (fence := opened_fence(line))) or _is_pasted(line, bare):
            pasted += 1
        else:
            prose.append(line)
    return b"\n".join(prose), pasted


def opened_fence(line: bytes) -> bytes:
    """The row of backticks or tildes that opens a block; empty where none does."""
    bare = line.strip()
    kind = bare[:1]
    if kind not in (b"`", b"~") or line.startswith(_INDENTED):
        return b""
    mark = bare[: len(bare) - len(bare.lstrip(kind))]
    return mark if len(mark) > 2 and kind not in bare[len(mark) :] else b""


def closes_fence(line: bytes, fence: bytes) -> bool:
    """As Markdown has it: a row of the same kind, no shorter, and nothing else on the line."""
    bare = line.strip()
    return bare.startswith(fence) and not bare.strip(fence[:1])


def looks_pasted(line: bytes) -> bool:
    bare = line.strip()
    return bool(bare) and _is_pasted(line, bare)


def _is_pasted(line: bytes, bare: bytes) -> bool:
    """`bare`: the line without the space around it, not empty."""
    dense = 10 * bare.translate(_MARKED).count(_MARK)
    size = len(bare)
    if size - _NAMES_MOST < dense <= size:  # as long as whichever tier is named in it
        lower = bare.lower()
        size -= lower.count(b"haiku") + 2 * lower.count(b"sonnet")
    return dense > size or (bare[0] in _LOG_FIRSTS and bare.startswith(_LOG_STARTS)) or line.startswith(_INDENTED)


def _without_markers(ask: bytes) -> bytes:
    """Drop bracketed tags before the request: they are claims about the work, not the work."""
    ask = ask.lstrip()
    for _ in range(8):
        end = ask.find(b"]", 0, 60) if ask.startswith(b"[") else -1
        if end < 0:
            break
        ask = ask[end + 1 :].lstrip()
    return ask


def _without_quotes(ask: bytes) -> tuple[bytes, int]:
    quoted = 0
    for byte, mark in _QUOTE_MARKS:
        if byte not in ask:
            continue
        parts = ask.split(mark)
        if len(parts) > 2 and len(parts) % 2:
            quoted += len(parts) // 2
            ask = b" _quoted ".join(parts[::2])
    return ask, quoted


def is_path(token: bytes, word: bytes) -> bool:
    if _SLASH in token and (token.startswith((b"/", b"./", b"../")) or token.endswith(b"/") or token.count(b"/") > 1):
        return bool(word)
    stem, dot, extension = word.rpartition(b".")
    if word in _PRODUCTS:
        return False
    if dot and extension.isalnum() and not extension.isdigit() and len(extension) <= 5:
        return _SLASH in stem or extension in _EXTENSIONS
    head, slash, _ = word.partition(b"/")
    return bool(slash) and head in _FOLDERS


_EXTENSIONS = _terms(
    "py,pyi,ipynb,js,jsx,mjs,cjs,ts,tsx,vue,svelte,go,rs,c,h,cc,cpp,hpp,java,kt,swift,rb,php,cs,fs,scala,ex,exs,hs,ml,lua,"
    "sh,bash,zsh,ps1,sql,md,mdx,rst,txt,json,jsonl,yaml,yml,toml,ini,cfg,conf,env,lock,xml,html,css,scss,less,csv,tsv,xlsx,"
    "proto,graphql,tf,hcl,gradle,dockerfile,log,pdf,png,svg,jpg,zip,gz,parquet,tex,bib,erb,twig,dart,r,zig,sol,plist,diff,patch"
)
_FOLDERS = _terms(
    "src,lib,app,apps,docs,doc,test,tests,spec,config,configs,db,internal,cmd,pkg,packages,scripts,tools,k8s,infra,web,api,"
    "server,client,services,public,assets,components,hooks,bin,build,dist,node_modules,vendor,migrations,.github,.claude"
)

_PRODUCTS = _terms("node.js,next.js,vue.js,react.js,three.js,d3.js,express.js,nuxt.js,nest.js,socket.io,asp.net")

POLITE = _terms(
    "please,pls,plz,hey,hi,hello,can,could,you,would,kindly,lets,let,us,i,want,need,to,we,id,like,just,ok,okay,now,then,"
    "so,also,and,me,my,go,ahead,quick,quickly,bitte,kannst,du,por,favor,puedes,sil,te,plait,peux,tu,the,a,help,theres"
)
