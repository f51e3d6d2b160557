"""What stays of an error's text when all is taken away that differs from one occurrence to the next.

The rules apply in their order: each leaves words that no later one takes for something else. Every repetition is
bounded, and so is the text, so none of them can take long.
"""

import posixpath
import re
from collections.abc import Callable

TEXT_MOST = 16_384
_STEERING = re.compile(r"\x1b\[[0-?]{0,32}[ -/]{0,8}[@-~]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_HEX = "0-9a-fA-F"
_UUID = re.compile(rf"(?<![{_HEX}])[{_HEX}]{{8}}(?:-[{_HEX}]{{4}}){{3}}-[{_HEX}]{{12}}(?![{_HEX}])")
# 0x…, and what is long and has digits and letters: a commit, a digest, the id of a container.
_ADDRESS = re.compile(
    rf"\b0[xX][{_HEX}]{{1,64}}\b|(?<![\w-])(?=[a-fA-F]{{0,64}}[0-9])(?=[0-9]{{0,64}}[a-fA-F])[{_HEX}]{{7,64}}(?![\w-])"
)
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?!\d)"
_ZONE = r"(?: ?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}))?\b"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}"
_WEEKDAY = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},? )?"
_DATE = rf"\d{{4}}[-/]\d{{1,2}}[-/]\d{{1,2}}|\d{{1,2}}[/ -]{_MONTH}[/ -]\d{{4}}|{_MONTH} +\d{{1,2}}(?:,? \d{{4}})?"
_DAY = rf"{_WEEKDAY}(?:{_DATE})"
_TIME = re.compile(
    rf"(?<![\w:]){_DAY}(?:[T :]{{1,2}}{_CLOCK})?{_ZONE}|(?<![\w:.])\d{{1,2}}:\d{{2}}:\d{{2}}(?:[.,]\d{{1,9}})?{_ZONE}"
)
_PATH = re.compile(
    r"(?<![\w/\\.:~])(?:[A-Za-z]:)?(?:[\\/][\w.@+~#-]{1,128}){2,64}|(?<!\w)[A-Za-z]:[\\/][\w.@+~#-]{1,128}"
)
# Where paths begin on the machines of others; a longer one that begins elsewhere may be the route of a web service.
_ROOT = re.compile(
    "app|applications|builds|data|dev|etc|home|library|mnt|opt|private|proc|root|run|srv|system|tmp|users|usr|var|volumes|"
    "windows|work|workspaces?",
    re.I,
)
_QUOTED = re.compile(
    r"\"(?:[^\"\\\n]|\\.){0,400}\"|`[^`\n]{0,400}`|(?<!\w)'(?:[^'\\\n]|\\.){0,400}'(?!\w)|“[^”\n]{0,400}”|«[^»\n]{0,400}»"
)
_NUMBER = re.compile(r"\d{1,400}(?:[.,]\d{1,400}){0,8}")
_SPACE = re.compile(r"\s{1,16384}")
_HEADERS = ("traceback (most recent call last)", "stack trace:", "call stack:")


def readable(text: str) -> str:
    """Without what steers a terminal or no database holds, and no longer than anybody reads."""
    return _STEERING.sub("", text[: TEXT_MOST * 2])[:TEXT_MOST]


def normalised(message: str, root: str, keeps_quoted: bool = False) -> str:
    text = readable(message)
    for rule in _rules(root):
        if not (keeps_quoted and rule is _without_quoted):
            text = rule(text)
    return text


def file_of(path: str, root: str) -> str:
    """Relative to the project, else the name alone."""
    name = posixpath.normpath(readable(path).strip().replace("\\", "/")) if path.strip() else ""
    base = root.rstrip("/").replace("\\", "/") + "/"
    if name.startswith(base):
        return name[len(base) :]
    is_outside = name.startswith(("/", "../")) or name == ".." or name[1:3] == ":/"
    return name.rpartition("/")[2] if is_outside else "" if name == "." else name


def first_line(stack: str, root: str) -> str:
    """The first line of a stack that tells a place; what some languages quote there is the file."""
    lines = (line.strip() for line in readable(stack).splitlines())
    told = next((line for line in lines if line and not line.lower().startswith(_HEADERS)), "")
    return normalised(told, root, keeps_quoted=True)


def _without_quoted(text: str) -> str:
    return _QUOTED.sub("STRING", text)


def _rules(root: str) -> tuple[Callable[[str], str], ...]:
    return (
        lambda text: _UUID.sub("UUID", text),
        lambda text: _ADDRESS.sub("HEX", text),
        lambda text: _TIME.sub("TIME", text),
        lambda text: _PATH.sub(lambda found: _path(found[0], root), text),
        _without_quoted,
        lambda text: _NUMBER.sub("#", text),
        lambda text: _SPACE.sub(" ", text).strip(),
    )


def _path(found: str, root: str) -> str:
    """A route such as /api/users is no path of a file, and says what is wrong."""
    path = found.rstrip(".")
    name = path.replace("\\", "/")
    short = file_of(name, root)
    is_ours = "/" in short or short != name.rpartition("/")[2]
    first = name.split("/")[1] if name.count("/") > 1 else ""
    is_file = is_ours or name[1:2] == ":" or _ROOT.fullmatch(first) or "." in name.rpartition("/")[2].lstrip(".")
    return (short if is_file else path) + found[len(path) :]
