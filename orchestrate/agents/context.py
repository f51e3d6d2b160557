"""What an agent is told beside its request: the file ORCHESTRATOR_CONTEXT_FILE and small values, ORCHESTRATOR_CTX_*.

What we were given ourselves is passed on: an agent that starts another hands down what it knows, and its own wins.
"""

import re
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from orchestrate.agents import runs
from orchestrate.agents.fitting import MARK, fit, fitted
from state import codec, files, journal
from state.errors import NOT_FOUND, USAGE, UserError
from state.paths import LOG, Place, session_dir

FILE = "ORCHESTRATOR_CONTEXT_FILE"
VALUE = "ORCHESTRATOR_CTX_"
ENV_BYTES = 64 << 10
FILE_BYTES = 10 << 20
HISTORY_ROWS = 20
_HISTORY_BYTES = 64 << 10
_ROW = ("hash", "agent", "tier", "decision", "mode")
_NAME = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*")  # two underscores would make it look like a setting
_Document = dict[str, object]
_NOTHING_MORE: _Document = {"results": [], "files": [], "values": {}, "ancestors": []}


class Known(NamedTuple):
    """What an agent is to know, gathered before its run begins."""

    session: str
    request: str
    history: list[_Document]
    results: list[_Document]
    files: list[_Document]
    values: dict[str, str]


class Passed(NamedTuple):
    env: dict[str, str]
    warnings: list[str]


def gather(
    place: Place,
    session: str,
    request: str,
    results: Sequence[str] = (),
    paths: Sequence[str] = (),
    values: Mapping[str, str] | None = None,
) -> Known:
    """`results` of runs, by id; a UserError names the run, the file or the value that there is not."""
    return Known(
        session,
        request,
        _history(place, session),
        [_result(runs.find(place, name)) for name in results],
        [_file(path) for path in paths],
        {name: _sendable(name, value) for name, value in (values or {}).items()},
    )


def hand_over(run: runs.Run, known: Known, env: Mapping[str, str], file_bytes: int = FILE_BYTES) -> Passed:
    """Write the file into the run's folder. What cannot be passed on whole is warned of; it never stops the run."""
    given, warnings = _given(env)
    document, cut = _fitting(_document(run, known, given), file_bytes)
    warnings += _limited("file", file_bytes, cut)
    inherited = {name: value for name, value in env.items() if name.startswith(VALUE)}
    passed, cut = fit_environment({**inherited, **{VALUE + name: value for name, value in known.values.items()}})
    warnings += _limited("environment", ENV_BYTES, cut)
    path = f"{run.folder}/context.json"
    try:
        files.replace(path, codec.dumps(document))
    except UserError as error:
        return Passed(passed, [*warnings, f"the agent gets no context file: {error}"])
    return Passed({**passed, FILE: path}, warnings)


def fit_environment(values: Mapping[str, str], limit: int = ENV_BYTES) -> tuple[dict[str, str], list[str]]:
    """Names and values within the limit, and the names of what was cut."""
    budget = limit - sum(len(name) + 2 for name in values)  # `=` and the NUL at its end
    short = fitted(list(values.values()), budget, _bytes)
    if sum(map(_bytes, short)) > budget:  # no room for as many marks
        short = [""] * len(short)
    cut = [name for name, new in zip(values, short, strict=True) if new is not values[name]]
    return dict(zip(values, short, strict=True)), cut


def _document(run: runs.Run, known: Known, given: _Document) -> _Document:
    parent = given.get("run")
    return {
        "v": 1,
        "run": run.id,
        "session": known.session,
        "prompt_id": run.facts.prompt_id,
        "request": known.request,
        "routing_history": known.history,
        "results": _united(known.results, given.get("results"), "run"),
        "files": _united(known.files, given.get("files"), "path"),
        "values": {**_texts(given.get("values")), **known.values},
        "ancestors": [*([parent] if isinstance(parent, str) else []), *_list(given.get("ancestors"))],
        "truncated": given.get("truncated") is True,
    }


def _fitting(document: _Document, limit: int) -> tuple[object, list[str]]:
    short, cut = fit(document, limit)
    if cut and len(codec.dumps(short)) > limit:  # a great many small things
        short, _ = fit({**document, **_NOTHING_MORE}, limit)
        cut = list(_NOTHING_MORE)
    if isinstance(short, dict) and cut:
        short["truncated"] = True
    return short, cut


def _given(env: Mapping[str, str]) -> tuple[_Document, list[str]]:
    """What the run that started us was told."""
    path = env.get(FILE)
    if not path:
        return {}, []
    try:
        found = Path(path).stat()
        is_ours = stat.S_ISREG(found.st_mode) and found.st_size <= FILE_BYTES
        document = codec.loads(Path(path).read_bytes()) if is_ours else None
    except (OSError, ValueError):
        document = None
    if not isinstance(document, dict):
        return {}, [f"{FILE}: {path}: no context in it that could be passed on"]
    return document, []


def _history(place: Place, session: str) -> list[_Document]:
    rows = []
    for line in journal.tail(f"{session_dir(place, session)}/{LOG}", _HISTORY_BYTES):
        try:
            event = codec.loads(line)
        except ValueError:  # half a line after a crash
            continue
        if isinstance(event, dict) and event.get("type") == "orchestration.prompt.decided":
            payload = event.get("payload")
            if isinstance(payload, dict):
                rows.append({"timestamp": event.get("ts"), **{key: payload.get(key) for key in _ROW}})
    return rows[-HISTORY_ROWS:]


def _result(kept: runs.Kept) -> _Document:
    if not kept.is_finished:
        raise UserError(f"run {kept.run}: it has no result yet: wait for it, or name another")
    return {
        "run": kept.run,
        "agent": kept.record.get("agent"),
        "outcome": kept.record["outcome"],
        "answer": runs.answer(kept),
    }


def _file(path: str) -> _Document:
    try:
        with Path(path).open("rb") as file:
            raw = file.read(FILE_BYTES + 1)
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file", NOT_FOUND) from None
    except OSError as error:
        raise files.failure(path, error, "read") from error
    text = raw.decode("utf-8", "replace")
    return {"path": str(Path(path).absolute()), "text": text + MARK if len(raw) > FILE_BYTES else text}


def _sendable(name: str, value: str) -> str:
    """As an environment takes it."""
    if not _NAME.fullmatch(name):
        raise UserError(f"{name!r}: a value's name is capitals, digits and single underscores, as BASE_BRANCH", USAGE)
    return value.replace("\0", "").encode("utf-8", "replace").decode()


def _united(own: list[_Document], given: object, key: str) -> list[_Document]:
    names = {item[key] for item in own}
    return own + [item for item in _list(given) if isinstance(item, dict) and item.get(key) not in names]


def _texts(value: object) -> dict[str, str]:
    pairs = value.items() if isinstance(value, dict) else ()
    return {name: text for name, text in pairs if isinstance(name, str) and isinstance(text, str)}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))


def _limited(what: str, limit: int, cut: Sequence[str]) -> list[str]:
    return [f"the agent's context {what} is limited to {limit} bytes: cut: {', '.join(cut)}"] if cut else []
