"""A session begins and ends."""

import posix

from orchestrate import __version__
from orchestrate.request import live
from orchestrate.request.call import Call, Outcome
from state import journal
from state.paths import safe_session

COMPACTED = "compact"  # the same session goes on, in the middle of a turn


def started(call: Call) -> Outcome:
    _make_current(call)
    if call.text("source") != COMPACTED:
        live.begin(call)
    payload: dict[str, object] = {
        "source": call.maybe("source"),
        "model": call.maybe("model"),
        "transcript_path": call.maybe("transcript_path"),
        "cwd": call.maybe("cwd"),
        "version": __version__,
    }
    return Outcome("orchestration.session.start", ("session", call.session), payload)


def ended(call: Call) -> Outcome:
    live.end(call)
    return Outcome("orchestration.session.end", ("session", call.session), {"reason": call.maybe("reason")})


def _make_current(call: Call) -> None:
    """`current` names the session that started last; replaced whole, never edited."""
    path = f"{call.place.state}/current"
    beside = f"{path}.{posix.getpid()}"
    try:
        journal.make_folders(call.place.state)
        fd = posix.open(beside, posix.O_WRONLY | posix.O_CREAT | posix.O_TRUNC | posix.O_CLOEXEC, 0o600)
        posix.write(fd, safe_session(call.session).encode() + b"\n")
        posix.close(fd)
        posix.rename(beside, path)
    except OSError:  # the record that follows reports a disk that cannot be written
        pass
