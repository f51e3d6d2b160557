"""Our status line in the text of a settings file, around the user's own, which is given back to the byte."""

import json
import shlex

from orchestrate import hookline
from orchestrate.install import jsontext
from orchestrate.install.interpreter import Interpreter
from orchestrate.install.jsontext import Item
from state.errors import UserError

KEY = "statusLine"
MODULE = "orchestrate.statusline"
# Where the package is gone it must fail, and not be silent as a hook is: then the user's own command runs.
BOOT = hookline.BOOT.replace("orchestrate.entry", MODULE).replace("BaseException:pass", "BaseException:sys.exit(1)")
_OWN = "c="


def command(runs: Interpreter, own: str) -> str:
    """`own`: the user's command, which comes first; empty where there is none."""
    python = shlex.quote(runs.python)
    start = f"[ -x {python} ] && {python} -I -S -c {shlex.quote(BOOT)} {shlex.quote(runs.home)}"
    return f'{_OWN}{shlex.quote(own)}; {start} "$c" || sh -c "$c"' if own else f"{start} || exit 0"


def own_of(line: str) -> str:
    """The user's command in a line of ours."""
    try:
        first = shlex.split(line)[:1]
    except ValueError:
        return ""
    return first[0][len(_OWN) : -1] if first and first[0].startswith(_OWN) else ""


def snippet(runs: Interpreter) -> dict[str, str]:
    return {"type": "command", "command": command(runs, "")}


def is_in(text: str) -> bool:
    return _ours(text) is not None


def with_line(text: str, runs: Interpreter, path: str) -> str:
    """`text`: of a JSON object; UserError where its status line has no command."""
    there = _find(text)
    if there is None:
        return jsontext.append(text, jsontext.root(text), snippet(runs), KEY)
    before = _command(text, there)
    if before is None:
        raise UserError(f"{path}: `{KEY}` has no command: mend the file, then run this again")
    own = own_of(before) if MODULE in before else before
    return _put(text, there, json.dumps(command(runs, own), ensure_ascii=False))


def without_line(text: str, original: str) -> str:
    """`original`: the text before us, as far as that is known."""
    ours = _ours(text)
    if ours is None:
        return text
    there, line = ours
    own, before = own_of(line), _find(original)
    if before is None and not own:
        nth = jsontext.items(text, jsontext.root(text))[0].index(there)
        return jsontext.remove(text, jsontext.root(text), nth)
    kept = None if before is None else jsontext.member(original, before.at, "command")
    if kept is not None and jsontext.value(original, kept.at) == own:
        return _put(text, there, original[kept.at : kept.end])  # also its escapes
    return _put(text, there, json.dumps(own, ensure_ascii=False))


def _ours(text: str) -> tuple[Item, str] | None:
    there = _find(text)
    line = None if there is None else _command(text, there)
    return (there, line) if there is not None and line is not None and MODULE in line else None


def _find(text: str) -> Item | None:
    if not text.strip(" \t\r\n\ufeff"):
        return None
    return jsontext.member(text, jsontext.root(text), KEY)


def _command(text: str, there: Item) -> str | None:
    value = jsontext.value(text, there.at)
    line = value.get("command") if isinstance(value, dict) else None
    return line if isinstance(line, str) else None


def _put(text: str, there: Item, raw: str) -> str:
    inner = jsontext.member(text, there.at, "command")
    return text if inner is None else text[: inner.at] + raw + text[inner.end :]
