"""Where a hook's own failures go: a rotating file, and stderr at most once a minute."""

import posix
import sys
import time

from state import codec, journal
from state.paths import locate

FILE = "hook-errors.log"
KEEP_BYTES = 1 << 20
QUIET_S = 60


def report(progress: dict[str, str], env: dict[str, str], is_silent: bool = False) -> None:
    """Record the exception being handled; nothing here may raise."""
    import traceback

    error = sys.exc_info()[1]
    text = traceback.format_exc()
    entry = {
        "ts": journal.stamp(time.time()),
        "event": progress["event"],
        "session": progress["session"],
        "where": progress["where"],
        "error": f"{type(error).__name__}: {error}"[:500],
        "traceback": text[-4000:],
    }
    place = locate(progress["cwd"], env)
    for folder in (place.state, place.user):
        if folder and _append(f"{folder}/{FILE}", entry, "" if is_silent else text):
            break
    if progress["session"] and progress["where"] == "handler":
        _count(progress, env, str(entry["error"]))


def _append(path: str, entry: dict[str, str], text: str) -> bool:
    last = 0.0
    try:
        found = posix.stat(path)
        last = found.st_mtime
        if found.st_size > KEEP_BYTES:
            posix.rename(path, path + ".1")
    except OSError:
        pass
    try:
        journal.append(path, codec.dumps(entry))
    except OSError:
        return False
    if text and abs(time.time() - last) >= QUIET_S:
        _say(text)
    return True


def _count(progress: dict[str, str], env: dict[str, str], error: str) -> None:
    """The same in the session's log, where the report counts it."""
    place = locate(progress["cwd"], env)
    failed = journal.event(
        place,
        "orchestration.hook.failed",
        progress["session"],
        None,
        ("hook", progress["event"]),
        {"error": error, "where": progress["where"], "overhead_ms": 0.0},
        time.time(),
    )
    try:
        journal.record(place, failed)
    except OSError:
        pass


def _say(text: str) -> None:
    try:
        posix.write(2, text.encode("utf-8", "backslashreplace"))
    except OSError:
        pass
