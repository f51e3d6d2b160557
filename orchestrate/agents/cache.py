"""The last answer to the same request, for the same agent, on the same tree. Off unless `run.cache` says otherwise."""

import hashlib
import os
import subprocess
import time
from pathlib import Path

from orchestrate.agents.record import Record
from orchestrate.request.call import Call, Outcome
from state import journal
from state.errors import UserError

TOLD = {"rung": "none", "rung_reason": "the answer was kept", "cached": True}
_ANSWER_MOST = 9_500  # so that a hook can give it as it is
_GIT_S = 10.0
_UNTRACKED_MOST = 16 << 20


def key_of(call: Call, outcome: Outcome) -> str | None:
    """None where the cache is off, or nothing tells whether the tree is still the same."""
    if not call.settings.values["run.cache"]:
        return None
    tree = _tree(call.place.root)
    if tree is None:
        return None
    parts = (str(outcome.payload["hash"]), str(outcome.payload["agent"]), str(outcome.payload["tier"]), tree)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def found(call: Call, key: str | None) -> str | None:
    if key is None:
        return None
    from state import session_file  # noqa: PLC0415  80 ms that a request without the cache does not owe

    try:
        entry = session_file.refresh(call.place, call.session)["cached_results"].get(key)
    except UserError:  # a session that cannot be read has no answer kept
        return None
    results = entry["results"] if entry else []
    return results[0] if results and isinstance(results[0], str) else None


def keep(call: Call, outcome: Outcome, key: str | None, record: Record) -> None:
    """The request is known by its hash alone; the answer is kept as it was. What failed is not kept."""
    if key is None or record["outcome"] != "ok" or len(record["answer"]) > _ANSWER_MOST:
        return
    payload: dict[str, object] = {
        "key": key,
        "query": outcome.payload["hash"],
        "results": [record["answer"]],
        "overhead_ms": 0.0,
    }
    journal.record(
        call.place,
        journal.event(
            call.place,
            "orchestration.result.cached",
            call.session,
            call.prompt_id,
            ("result", key),
            payload,
            time.time(),
            "orchestrate-request",
            call.env.get(journal.CORRELATION),
        ),
    )


def _tree(root: str) -> str | None:
    """The commit, what differs from it, and the content of what git does not track."""
    parts = [_git(root, *words) for words in (("rev-parse", "HEAD"), ("diff", "HEAD"))]
    untracked = _git(root, "ls-files", "--others", "--exclude-standard", "-z")
    if untracked is None or None in parts:
        return None
    state = hashlib.sha256(b"\0".join(part for part in parts if part is not None))
    left = _UNTRACKED_MOST
    for name in filter(None, untracked.split(b"\0")):
        path = Path(root, os.fsdecode(name))
        try:
            left -= path.stat().st_size
            content = path.read_bytes() if left >= 0 and path.is_file() else None
        except OSError:
            content = None
        if content is None:  # too much, or no file: then nobody can say that it is the same
            return None
        state.update(name + b"\0" + content + b"\0")
    return state.hexdigest()


def _git(root: str, *words: str) -> bytes | None:
    try:
        return subprocess.run(
            ["git", "-C", root, *words], capture_output=True, timeout=_GIT_S, check=True, stdin=subprocess.DEVNULL
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
