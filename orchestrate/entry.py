"""One hook call of Claude Code: bytes in, bytes out, exit code 0 whatever happens.

A prompt waits for this module and what it imports, so all of it runs under `python -I -S` on C builtins alone.
"""

import posix
import sys
import time

from orchestrate.request.call import Call
from state import codec, journal, snapshot
from state.paths import locate

HANDLERS = {
    "SessionStart": ("orchestrate.request.session", "started"),
    "UserPromptSubmit": ("orchestrate.request.prompt", "submitted"),
    "PreToolUse": ("orchestrate.request.spawn", "requested"),
    "PostToolUse": ("orchestrate.request.spawn", "launched"),
    "SubagentStart": ("orchestrate.request.agent", "started"),
    "SubagentStop": ("orchestrate.request.agent", "stopped"),
    "Stop": ("orchestrate.request.stop", "ended"),
    "StopFailure": ("orchestrate.request.stop", "failed"),
    "SessionEnd": ("orchestrate.request.session", "ended"),
}
# Of tools that are no agents. Without the setting bugs.offer nothing of it is loaded, nor anything recorded.
OFFERS = {
    "PostToolUse": ("orchestrate.request.offer", "ran"),
    "PostToolUseFailure": ("orchestrate.request.offer", "failed"),
}
LIMIT_S = 2
ANSWER_MOST = 10_000  # what is longer and meant for the model, the client replaces by the path of a file
PATH_MOST = 4096


def main() -> None:
    """Answer the call on stdin and leave at once, without the interpreter's own clean-up."""
    spent_ms = time.process_time_ns() / 1e6
    _give_up_after(LIMIT_S)
    answer = handle(_read(0), environment(), spent_ms, is_alone=True)
    while answer:
        answer = answer[posix.write(1, answer) :]
    posix._exit(0)


def handle(raw: bytes, env: dict[str, str], spent_ms: float = 0.0, is_alone: bool = False) -> bytes:
    """`spent_ms`: what the process cost before this call, so that the record tells the whole overhead.
    `is_alone`: the process is for this call, which may hand it over to the agent runner."""
    if env.get("ORCHESTRATOR_DISABLED") == "1":
        return b""
    started = time.monotonic_ns()
    progress: dict[str, str] = {"where": "decode", "event": "", "session": "", "cwd": _folder(env)}
    try:
        return _answer(raw, env, progress, started - int(spent_ms * 1e6), is_alone)
    except Exception:  # the one boundary of the hot path: a hook fails open
        from orchestrate.request import faults

        faults.report(progress, env)
        return b""


def environment() -> dict[str, str]:
    return {_text(name): _text(value) for name, value in posix.environ.items()}


def _answer(raw: bytes, env: dict[str, str], progress: dict[str, str], started_ns: int, is_alone: bool) -> bytes:
    payload = codec.loads(raw)
    if not isinstance(payload, dict):
        raise ValueError("the payload is not an object")
    name = payload.get("hook_event_name")
    progress["event"] = name if isinstance(name, str) else ""
    if progress["event"] not in HANDLERS and progress["event"] not in OFFERS:
        return b""
    progress["where"] = "handler"
    call = call_of(payload, env, progress, is_alone)
    if not call.settings.values["enabled"]:
        return b""
    if call.settings.stale:
        from orchestrate.request import refresh

        refresh.start(call)
    module, function = _handler(call, progress["event"])
    if not module:
        return b""
    __import__(module)
    outcome = getattr(sys.modules[module], function)(call)
    if outcome is None:
        return b""
    answer = codec.dumps(outcome.answer) if outcome.answer else b""
    if len(answer) > ANSWER_MOST and progress["event"] == "UserPromptSubmit":
        raise ValueError(f"the answer has {len(answer)} characters: the client takes {ANSWER_MOST}")
    progress["where"] = "persist"
    outcome.payload["overhead_ms"] = round((time.monotonic_ns() - started_ns) / 1e6, 3)
    try:
        journal.record(
            call.place,
            journal.event(
                call.place,
                outcome.kind,
                call.session,
                call.prompt_id,
                outcome.entity,
                outcome.payload,
                call.now,
                correlation=call.env.get(journal.CORRELATION),
            ),
        )
    except OSError:  # a full or read-only disk must not cost the user the routing
        from orchestrate.request import faults

        faults.report(progress, env)
    return answer


def _handler(call: Call, event: str) -> tuple[str, str]:
    if event not in HANDLERS or (event in OFFERS and call.text("tool_name") == "Bash"):
        return OFFERS[event] if call.settings.values["bugs.offer"] else ("", "")
    return HANDLERS[event]


def call_of(payload: dict[str, object], env: dict[str, str], progress: dict[str, str], is_alone: bool) -> Call:
    cwd = payload.get("cwd")
    if "CLAUDE_PROJECT_DIR" not in env and _is_path(cwd):
        progress["cwd"] = str(cwd)
    place = locate(progress["cwd"], env)
    session = env.get("ORCHESTRATOR_SESSION") or payload.get("session_id")
    progress["session"] = session if isinstance(session, str) and session else "unknown"
    settings = snapshot.read(place, env)
    if settings.values["ab.enabled"]:
        from orchestrate.request import arms

        arms.apply(settings, progress["session"])
    return Call(payload, env, place, settings, progress["session"], time.time(), is_alone)


def _is_path(value: object) -> bool:
    """Absolute, and something the system can be asked about: no NUL, no lone surrogate, no more than it takes."""
    if not isinstance(value, str) or value[:1] != "/" or len(value) > PATH_MOST or "\0" in value:
        return False
    try:
        return bool(value.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:
        return False


def _folder(env: dict[str, str]) -> str:
    """The client's project stays when the session changes its folder, so the records of a prompt stay together."""
    project = env.get("CLAUDE_PROJECT_DIR", "")
    if project.startswith("/"):
        return project
    try:
        return posix.getcwd()
    except OSError:  # the folder was removed
        return "/"


def _read(fd: int) -> bytes:
    chunks = []
    while chunk := posix.read(fd, 1 << 20):
        chunks.append(chunk)
    return b"".join(chunks)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _give_up_after(seconds: int) -> None:
    try:
        import _signal  # type: ignore[import-not-found]  # the C half of signal; the rest of it loads enum

        def late(*_: object) -> None:
            _signal.signal(_signal.SIGALRM, lambda *_: posix._exit(0))
            _signal.alarm(1)  # what is late may hang here as well
            _report_late(seconds)
            posix._exit(0)

        _signal.signal(_signal.SIGALRM, late)
        _signal.alarm(seconds)
    except (ImportError, AttributeError):  # Windows has no alarm; the client's own timeout holds there
        pass


def _report_late(seconds: int) -> None:
    from orchestrate.request import faults

    env = environment()
    try:
        raise TimeoutError(f"the hook was not done after {seconds} s")
    except TimeoutError:
        faults.report({"where": "timeout", "event": "", "session": "", "cwd": _folder(env)}, env, is_silent=True)
