"""One call of the client's status line: the user's own line as it is, then the tier, the rung and the quota.

Runs like a hook, on C builtins alone, and like a hook it never fails: what goes wrong costs our line, never theirs.
"""

import _signal  # type: ignore[import-not-found]  # the C half of signal; the rest of it loads enum
import posix
import sys
import time

from orchestrate import entry
from orchestrate.request import fuse, live, memory, mode, rung
from orchestrate.request.call import Call
from state import codec, quota

LIMIT_S = 4
THEIRS_S = 2.0  # the client shows nothing at all while a command runs
THEIRS_MOST = 1 << 20
INSIDE = "ORCHESTRATE_STATUSLINE"  # set for the user's command, which may be this one again
ALARM = "alarm"
ALARM_MOST = 60
GAP = " · "
MARGIN = 4  # columns that the client keeps for itself
PLAIN, WARN, BAD = "2", "33", "31"
WINDOWS = (("five_hour", "5h"), ("seven_day", "7d"))
ENDS = (_signal.SIGTERM, _signal.SIGINT, _signal.SIGHUP, _signal.SIGALRM)  # the client has lost interest
_POLL_S = 0.02
Part = tuple[str, int, str]  # the text, its weight when the line is too narrow, its colour


def main() -> None:
    """Answer the call on stdin and leave at once; after the package's folder, the user's own command."""
    _signal.signal(_signal.SIGALRM, lambda *_: posix._exit(0))
    _signal.alarm(LIMIT_S)
    wrapped = sys.argv[2] if len(sys.argv) > 2 else ""
    line = answer(_read(0), entry.environment(), wrapped, time.time())
    try:
        while line:
            line = line[posix.write(1, line) :]
    except OSError:  # nobody reads any more
        pass
    posix._exit(0)


def answer(raw: bytes, env: dict[str, str], wrapped: str, now: float) -> bytes:
    """`wrapped`: the command that stood in the client's settings before ours."""
    if INSIDE in env:  # the one around it tells the same
        return b""
    found = {"command": wrapped, "line": ""}
    try:
        _find(raw, env, now, found)
    except Exception:  # noqa: BLE001  the boundary of the status line: it fails open
        found["line"] = ""
    theirs = _theirs(found["command"], raw) if found["command"] else b""
    ours = found["line"].encode("utf-8", "replace") + b"\n" if found["line"] else b""
    return theirs + (b"\n" if ours and theirs and theirs[-1:] != b"\n" else b"") + ours


def _find(raw: bytes, env: dict[str, str], now: float, found: dict[str, str]) -> None:
    payload = codec.loads(raw)
    if not isinstance(payload, dict):
        return
    call = _call(payload, env)
    values = call.settings.values
    found["command"] = str(values["statusline.command"]) or found["command"]
    if env.get("ORCHESTRATOR_DISABLED") == "1" or not values["enabled"]:
        return
    known = _noted(call, now)
    fitted = _fitted(_parts(call, known, now), _width(env))
    found["line"] = _joined(fitted, is_coloured=not env.get("NO_COLOR"))


def _call(payload: dict[str, object], env: dict[str, str]) -> Call:
    """As a hook of the same session sees it."""
    workspace = payload.get("workspace")
    project = workspace.get("project_dir") if isinstance(workspace, dict) else None
    if isinstance(project, str) and project[:1] == "/":
        env = {"CLAUDE_PROJECT_DIR": project, **env}
    return entry.call_of(payload, env, {"cwd": env.get("CLAUDE_PROJECT_DIR", "/")}, is_alone=False)


def _noted(call: Call, now: float) -> dict[str, quota.Reading]:
    user = call.place.user
    if not user:
        return {}
    heard = call.record("cost").get("total_api_duration_ms")  # grows with each answer of the platform
    which = (call.session, heard) if isinstance(heard, int) else None
    return quota.note(user, quota.shown(call.payload.get("rate_limits")), "statusline", now, which)


def _parts(call: Call, known: dict[str, quota.Reading], now: float) -> list[Part]:
    limit = float(call.settings.values["quota.pressure"]) * 100
    parts = [(_tier(call), 2, PLAIN), (_rung(call), 1, PLAIN)]
    for weight, (name, label) in enumerate(reversed(WINDOWS), 3):
        reading = known.get(name)
        if reading:
            is_near = reading.used >= limit and not reading.is_over(now)
            parts.insert(2, (f"{label} {_used(reading, now)}", weight, WARN if is_near else PLAIN))
    return [part for part in [*parts, (_alarm(call), 9, BAD)] if part[0]]


def _used(reading: quota.Reading, now: float) -> str:
    """Within a window nothing is given back: what was read long ago is the least."""
    if reading.is_over(now):
        return "?"
    return f"{'≥' if now - reading.read_at > quota.OLD_S else ''}{reading.used:.0f}%"


def _tier(call: Call) -> str:
    model = call.record("model")
    name = model.get("id")
    return (memory.tier_of(name) if isinstance(name, str) else None) or _printable(model.get("display_name"))


def _rung(call: Call) -> str:
    """What sets the model of the subagents of this session."""
    ceiling = mode.ceiling(call.settings.values)
    last, at = memory.last_decision(call.place, call.session)
    permission_mode = str(last.get("permission_mode"))
    standing = rung.Standing(ceiling, permission_mode, live.is_mod_live(call, at), fuse.read(call).blown)
    name, _ = rung.for_spawns(standing)
    if name != rung.NONE:
        return name
    return rung.OFF if ceiling == rung.OFF else rung.ADVISE


def _alarm(call: Call) -> str:
    """What the cold side found: another model served than was decided."""
    if not call.settings.values["statusline.alarm"]:
        return ""
    try:
        fd = posix.open(f"{live.folder(call)}/{ALARM}", posix.O_RDONLY | posix.O_CLOEXEC)
    except OSError:
        return ""
    try:
        said = posix.read(fd, 1024).decode("utf-8", "replace").partition("\n")[0]
    finally:
        posix.close(fd)
    return f"! {_printable(said) or 'another model served'}"


def _printable(value: object) -> str:
    """No control sequence of somebody else's."""
    text = value if isinstance(value, str) else ""
    return "".join(char for char in text if char.isprintable()).strip()[:ALARM_MOST]


def _width(env: dict[str, str]) -> int | None:
    columns = env.get("COLUMNS", "")
    return int(columns) - MARGIN if columns.isdecimal() else None


def _fitted(parts: list[Part], width: int | None) -> list[Part]:
    """Without the least of them until the line fits."""
    while width is not None and parts and len(GAP.join(part[0] for part in parts)) > width:
        parts.remove(min(parts, key=lambda part: part[1]))
    return parts


def _joined(parts: list[Part], is_coloured: bool) -> str:
    if not is_coloured:
        return GAP.join(text for text, _, _ in parts)
    return GAP.join(f"\x1b[{colour}m{text}\x1b[0m" for text, _, colour in parts)


def _theirs(command: str, raw: bytes) -> bytes:
    try:
        child = _Child(command, raw)
    except OSError:  # no shell, no process, no pipe
        return b""
    return child.output()


class _Child:
    """The user's command, given what the client gave us."""

    __slots__ = ("into", "out", "pid", "said", "unsent")

    def __init__(self, command: str, raw: bytes) -> None:
        self.unsent, self.said, self.pid = memoryview(raw), b"", 0
        (stdin, self.into), (self.out, stdout) = posix.pipe(), posix.pipe()
        posix.set_blocking(self.into, False)
        posix.set_blocking(self.out, False)
        for number in ENDS:
            _signal.signal(number, self._ended)
        _signal.pthread_sigmask(_signal.SIG_BLOCK, ENDS)  # till it is known whom to end
        self.pid = posix.posix_spawn(
            "/bin/sh",
            ["sh", "-c", command],
            {**posix.environ, INSIDE.encode(): b"1"},
            file_actions=[(posix.POSIX_SPAWN_DUP2, stdin, 0), (posix.POSIX_SPAWN_DUP2, stdout, 1)],
            setpgroup=0,
            setsigmask=[],
            setsigdef=[_signal.SIGPIPE],  # which Python ignores
        )
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, ENDS)
        posix.close(stdin)
        posix.close(stdout)

    def output(self) -> bytes:
        """Nothing where the command fails or does not end, as in the client without us."""
        deadline = time.monotonic() + THEIRS_S
        while time.monotonic() < deadline and len(self.said) < THEIRS_MOST:
            self._exchange()
            pid, status = posix.waitpid(self.pid, posix.WNOHANG)
            if pid:
                self.pid = 0
                self._receive()  # what it left in the pipe; what runs on behind it is its own affair
                return self.said if status == 0 else b""
        self._kill()
        return b""

    def _exchange(self) -> None:
        import select  # noqa: PLC0415  0.3 ms that a user without a command does not owe

        reads = [self.out] if self.out >= 0 else []
        writes = [self.into] if self.into >= 0 else []
        _, can_write, _ = select.select(reads, writes, [], _POLL_S if reads else _POLL_S / 10)
        if can_write:
            self._send()
        if reads:
            self._receive()

    def _send(self) -> None:
        try:
            self.unsent = self.unsent[posix.write(self.into, self.unsent) :]
        except BlockingIOError:
            return
        except OSError:  # it does not read, or not all of it
            self.unsent = self.unsent[:0]
        if not self.unsent:
            posix.close(self.into)
            self.into = -1

    def _receive(self) -> None:
        while self.out >= 0 and len(self.said) < THEIRS_MOST:
            try:
                data = posix.read(self.out, 1 << 16)
            except BlockingIOError:
                return
            if not data:
                posix.close(self.out)
                self.out = -1
            self.said += data

    def _ended(self, *_: object) -> None:
        self._kill()
        posix._exit(0)

    def _kill(self) -> None:
        if self.pid and not posix.waitpid(self.pid, posix.WNOHANG)[0]:
            posix.killpg(self.pid, 9)


def _read(fd: int) -> bytes:
    chunks = []
    while chunk := posix.read(fd, 1 << 20):
        chunks.append(chunk)
    return b"".join(chunks)
