"""What the hooks and the mod of one session tell each other, by files in the session's folder.

The mod cannot know where a project's state lies: a pointer in the user's folder, named by the client's own session
id, leads it there. The mod signs its heartbeat with every prompt, just before the hook of that prompt runs.
"""

import posix

from orchestrate.request.call import Call
from state import codec, journal
from state.paths import exists, safe_session, session_dir

HEARTBEAT = "mod.json"
ROUTE = "route.json"
SPAWNS = "spawns"
ALARM = "alarm"
FUSES = "fuse.json"
STEPS = "steps.jsonl"
POINTERS = "live"
BEAT_S = 10.0  # a sign that is older than the prompt by more is of another one: the mod may be gone since


def folder(call: Call) -> str:
    return session_dir(call.place, call.session)


def alarm(call: Call, wanted: str, served: str) -> None:
    """For the status line of those who want to see it."""
    if call.settings.values["statusline.alarm"]:
        try:
            journal.refuse_link(f"{call.place.state}/sessions")
            _put(f"{folder(call)}/{ALARM}", f"{wanted} was decided, {served} served\n".encode("utf-8", "replace"))
        except OSError:
            pass


def has(call: Call, name: str) -> bool:
    return exists(f"{folder(call)}/{name}")


def is_mod_live(call: Call, at: float) -> bool:
    """Whether the mod saw the prompt that was submitted at this time: it signs each, just before the hook runs."""
    try:
        return posix.stat(f"{folder(call)}/{HEARTBEAT}").st_mtime >= at - BEAT_S
    except OSError:
        return False


def point(call: Call) -> None:
    """Where the mod finds the session's folder; only a plugin can carry a mod."""
    if not call.place.user or "CLAUDE_PLUGIN_ROOT" not in call.env:
        return
    try:
        _put(_pointer(call), codec.dumps({"folder": folder(call)}))
    except OSError:  # without it the mod does nothing
        pass


def begin(call: Call) -> None:
    """A session that begins anew has no mod until it gives a sign."""
    for name in (HEARTBEAT, ROUTE, ALARM):
        _remove(f"{folder(call)}/{name}")
    point(call)


def end(call: Call) -> None:
    if call.place.user:
        _remove(_pointer(call))


def route(call: Call, main: str | None = None, answer: str | None = None, status: str = "") -> None:
    """What the mod is to do in this prompt's turn: the main thread's model, or the whole answer."""
    decided: dict[str, object] = {
        "v": 1,
        "at": int(call.now * 1000),
        "prompt_id": call.prompt_id,
        "main": {"model": main} if main else None,
        "answer": answer,
        "status": status,
    }
    keep(call, ROUTE, decided)


def unroute(call: Call) -> None:
    _remove(f"{folder(call)}/{ROUTE}")


def spawn(call: Call, model: str, tier: str) -> None:
    """The mod sets the model of this spawn."""
    keep(call, _spawn(call), {"model": model, "tier": tier})


def spawned(call: Call) -> None:
    _remove(f"{folder(call)}/{_spawn(call)}")


def keep(call: Call, name: str, value: object) -> None:
    """In the session's folder. A disk that takes nothing costs the rung, not the prompt."""
    try:
        journal.refuse_link(f"{call.place.state}/sessions")
        _put(f"{folder(call)}/{name}", codec.dumps(value))
    except OSError:
        pass


def _put(path: str, data: bytes) -> None:
    """A reader sees the old file or the new one."""
    beside = f"{path}.{posix.getpid()}"
    journal.make_folders(path.rpartition("/")[0])
    flags = posix.O_WRONLY | posix.O_CREAT | posix.O_TRUNC | posix.O_CLOEXEC | posix.O_NOFOLLOW
    fd = posix.open(beside, flags, 0o600)
    try:
        if posix.write(fd, data) != len(data):
            raise OSError(28, "no space left")
        posix.rename(beside, path)
    except OSError:
        _remove(beside)
        raise
    finally:
        posix.close(fd)


def _pointer(call: Call) -> str:
    return f"{call.place.user}/{POINTERS}/{safe_session(call.text('session_id') or 'unknown')}.json"


def _spawn(call: Call) -> str:
    return f"{SPAWNS}/{safe_session(call.text('tool_use_id') or 'unknown')}"


def _remove(path: str) -> None:
    try:
        posix.unlink(path)
    except OSError:  # it is not there, or stays until the session is removed
        pass
