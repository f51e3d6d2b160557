"""What the platform says of the account's limits: the newest reading of each window, and every one that differs.

`<user>/cache/quota.json` holds the newest, `<user>/quota.jsonl` the history. All sessions of a user write both.
"""

import posix

from state import codec, journal

FILE = "cache/quota.json"
LOG = "quota.jsonl"
LENGTH_S = {"five_hour": 5 * 3600.0, "seven_day": 7 * 86_400.0}  # the windows that bound the whole account
SAME_RESET_S = 600.0  # two readings of one window may differ by so much in when it resets
DROP = 2.0  # points: a smaller fall within a window is the order of two sessions' writing
OLD_S = 6 * 3600.0
NEAR_RESET_S = 1800.0
TITLES = {"five_hour": "five-hour", "seven_day": "seven-day"}
BELOW = {"opus": "sonnet", "sonnet": "haiku"}
Call = tuple[str, int]  # who read, and how much of the platform's answers it had seen: the same again tells nothing

_LOCK = "cache/quota.lock"
_LOCK_TRIES = 100
_ROTATE_BYTES = 4 << 20
_MOST_USED = 1000.0  # percent: a window can be run past its end, but not so far
MOST_TIME = 1e11  # a time in milliseconds is no time in seconds
_MOST_SEEN = 32


class Reading:
    """`used` in percent of the window, `resets_at` and `read_at` in unix seconds."""

    __slots__ = ("read_at", "resets_at", "source", "used")

    def __init__(self, used: float, resets_at: float | None, read_at: float, source: str) -> None:
        self.used = used
        self.resets_at = resets_at
        self.read_at = read_at
        self.source = source

    def is_over(self, now: float) -> bool:
        """The window it is of has been reset since."""
        return self.resets_at is not None and self.resets_at <= now

    def as_dict(self) -> dict[str, object]:
        return {"used": self.used, "resets_at": self.resets_at, "read_at": self.read_at, "source": self.source}


def read(user: str) -> dict[str, Reading]:
    """The newest reading of each window, whatever its age; nothing where nobody has read any."""
    return _load(user)[0]


def note(
    user: str, windows: dict[str, dict[str, object]], source: str, now: float, call: Call | None = None
) -> dict[str, Reading]:
    """Keeps what was read and returns what is known now; `windows` as of `shown` or `told`.

    A session that rests shows what it last heard, without saying when: with `call` the same answer counts once, and
    what lags behind another session's reading does not replace it. Without `call` the reading is the platform's word
    of this moment. A disk that takes nothing costs the reading, not the caller.
    """
    known, seen = _load(user)
    if not windows or (call and seen.get(call[0]) == call[1]):
        return known
    try:
        fd = _lock(user)
    except OSError:
        return known
    try:
        return _note(user, windows, source, now, call) if fd is not None else known
    except OSError:
        return known
    finally:
        if fd is not None:
            posix.close(fd)  # releases the lock too


def shown(rate_limits: object) -> dict[str, dict[str, object]]:
    """The windows in `rate_limits` of the status line's payload."""
    limits = rate_limits if isinstance(rate_limits, dict) else {}
    found = {name: limits[name] for name in LENGTH_S if isinstance(limits.get(name), dict)}
    return {
        name: {"used": window.get("used_percentage"), "resets_at": window.get("resets_at")}
        for name, window in found.items()
    }


def told(info: object) -> dict[str, dict[str, object]]:
    """The windows in the `rate_limit_info` of an event of the stream, which tells shares, not percents."""
    said = info if isinstance(info, dict) else {}
    windows = said.get("unifiedWindows")
    found = {name: _told(window) for name, window in windows.items()} if isinstance(windows, dict) else {}
    binding = said.get("rateLimitType")
    if isinstance(binding, str) and binding not in found:
        found[binding] = _told(said)
    return {name: window for name, window in found.items() if name in LENGTH_S and window["used"] is not None}


def pressure(quota: dict[str, Reading], now: float) -> tuple[str, float] | None:
    """The most used of the windows that count, and its used share: read lately, and not to be reset in a moment."""
    counted = [(reading.used / 100, name) for name, reading in quota.items() if _counts(reading, now)]
    if not counted:
        return None
    share, name = max(counted)
    return name, share


def step_down(tier: str, quota: dict[str, Reading], limit: float, now: float) -> tuple[str, str]:
    """The tier to use instead, and why; the same tier where the limits leave room. `limit`: a used share."""
    under = pressure(quota, now)
    if under is None or under[1] < limit or tier not in BELOW:
        return tier, ""
    return BELOW[tier], f"{under[1]:.0%} of the {TITLES[under[0]]} limit is used"


def number(value: object, most: float = MOST_TIME) -> float | None:
    """None for what is no number, or none that can be meant; NaN is within no bounds."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most else None


def _counts(reading: Reading, now: float) -> bool:
    if reading.resets_at is None or now - reading.read_at > OLD_S:
        return False
    return reading.resets_at - now > NEAR_RESET_S


def _told(window: object) -> dict[str, object]:
    said = window if isinstance(window, dict) else {}
    share = number(said.get("utilization"), _MOST_USED / 100)
    used = None if share is None else round(share * 100, 1)
    if said.get("status") == "rejected":
        used = max(used or 0.0, 100.0)
    return {"used": used, "resets_at": said.get("resetsAt")}


def _note(
    user: str, windows: dict[str, dict[str, object]], source: str, now: float, call: Call | None
) -> dict[str, Reading]:
    known, seen = _load(user)  # again: another process may have been faster
    is_fresh = call is None or seen.get(call[0], call[1]) != call[1]
    different: dict[str, object] = {}
    for name in LENGTH_S:
        new, old = _reading(windows.get(name), source, now), known.get(name)
        if new is None or not _is_news(new, old, now, is_fresh):
            continue
        if new.resets_at is None and old is not None and not old.is_over(now):
            new.resets_at = old.resets_at
        if old is None or old.used != new.used or not _is_same(old.resets_at, new.resets_at):
            different[name] = {"used": new.used, "resets_at": new.resets_at}
        known[name] = new
    if different:
        _append(f"{user}/{LOG}", {"v": 1, "at": round(now, 3), "source": source, "windows": different})
    _keep(user, known, _with(seen, call))
    return known


def _is_news(new: Reading, old: Reading | None, now: float, is_fresh: bool) -> bool:
    """Within a window nothing is given back, so what is lower is older, unless the platform said it just now."""
    if new.is_over(now):
        return False
    if old is None or old.is_over(now):
        return True
    if old.resets_at is not None and new.resets_at is not None and not _is_same(old.resets_at, new.resets_at):
        return is_fresh or new.resets_at > old.resets_at
    return new.used >= old.used or (is_fresh and old.used - new.used > DROP)


def _is_same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= SAME_RESET_S


def _reading(window: object, source: str, now: float) -> Reading | None:
    said = window if isinstance(window, dict) else {}
    used = number(said.get("used"), _MOST_USED)
    return None if used is None else Reading(used, number(said.get("resets_at")), now, source)


def _with(seen: dict[str, int], call: Call | None) -> dict[str, int]:
    """The sessions that read last."""
    if call is None:
        return seen
    others = [(name, count) for name, count in seen.items() if name != call[0]]
    return dict([*others[1 - _MOST_SEEN :], call])


def _load(user: str) -> tuple[dict[str, Reading], dict[str, int]]:
    value = codec.load(f"{user}/{FILE}")
    windows, seen = value.get("windows"), value.get("seen")
    known = {}
    for name in LENGTH_S:
        kept = windows.get(name) if isinstance(windows, dict) else None
        read_at = number(kept.get("read_at")) if isinstance(kept, dict) else None
        if read_at is not None and isinstance(kept, dict):
            reading = _reading(kept, str(kept.get("source")), read_at)
            known.update({name: reading} if reading else {})
    counts = seen.items() if isinstance(seen, dict) else ()
    return known, {name: count for name, count in counts if isinstance(count, int)}


def _keep(user: str, known: dict[str, Reading], seen: dict[str, int]) -> None:
    """Beside and then in its place: a reader sees the old file or the new one."""
    path = f"{user}/{FILE}"
    beside = f"{path}.{posix.getpid()}"
    data = codec.dumps({"v": 1, "windows": {name: known[name].as_dict() for name in known}, "seen": seen})
    fd = posix.open(beside, posix.O_WRONLY | posix.O_CREAT | posix.O_TRUNC | posix.O_CLOEXEC | posix.O_NOFOLLOW, 0o600)
    try:
        is_whole = posix.write(fd, data) == len(data)
    finally:
        posix.close(fd)
    if is_whole:
        posix.rename(beside, path)
    else:
        posix.unlink(beside)


def _append(path: str, entry: dict[str, object]) -> None:
    try:
        if posix.stat(path).st_size > _ROTATE_BYTES:
            posix.rename(path, path + ".1")
    except FileNotFoundError:
        pass
    journal.append(path, codec.dumps(entry))


def _lock(user: str) -> int | None:
    """None when others hold it for too long: a later reading says the same, or better. Without locks, the rename alone
    keeps the file whole."""
    journal.make_folders(f"{user}/cache")
    flags = posix.O_RDWR | posix.O_CREAT | posix.O_CLOEXEC | posix.O_NOFOLLOW
    fd: int = posix.open(f"{user}/{_LOCK}", flags, 0o600)
    if journal.lock(fd, _LOCK_TRIES) is not False:
        return fd
    posix.close(fd)
    return None
