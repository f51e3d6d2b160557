"""The main thread's last model step and the ways of its session, from the end of the client's transcript.

A bounded read: the client writes up to 100 KB beside a step, so less than this would often hold none.
"""

from routing.economics import Usage, name_of
from state import codec, journal

TAIL = 256 << 10
LINES = 300  # the steps of many turns, in a millisecond or two
LINE = 128 << 10  # a longer line is a pasted file or an image
# What the session's own ways are weighed against: so many turns or steps of what is presumed.
_TRUST = 3.0
_PRESUMED = {"step_s": 10.0, "gap_s": 120.0, "out": 400.0, "growth": 1500.0}
_LATEST = 10  # steps that tell how fast the history grows: reading in and small edits differ tenfold
_LONGEST_STEP_S, _LONGEST_GAP_S = 120.0, 1800.0  # a wait for the user is no step, a night no habit

_MOST = 1 << 40  # tokens; beyond it nobody counted

_SIDECHAIN = b'"isSidechain":true'
_ASSISTANT = b'"type":"assistant"'
_USER = b'"type":"user"'
_COMPACTED = b'"subtype":"compact_boundary"'
_STAMP = b'"timestamp":"'
# User lines that no person typed for the model.
_NO_PROMPT = (
    b'"tool_use_id":',
    b'"isMeta":true',
    b'"isCompactSummary":true',
    b'"content":"<task-notification>',
    b'"content":"<command-',
    b'"content":"<local-command-',
    b'"content":"<bash-',
)


class Step:
    """One model call of the main thread."""

    __slots__ = ("at", "cache_read", "cache_write", "input", "is_1h", "model", "output")

    def __init__(
        self,
        at: float,
        model: str,
        input: int,
        output: int,
        cache_read: int,
        cache_write: int,
        is_1h: bool = False,
    ) -> None:
        self.at = at
        self.model = model
        self.input = input
        self.output = output
        self.cache_read = cache_read
        self.cache_write = cache_write
        self.is_1h = is_1h

    @property
    def context(self) -> int:
        return self.input + self.cache_read + self.cache_write


class Turn:
    """A person's prompt and the steps it took. `at` is None for the rest of a turn whose start was not read."""

    __slots__ = ("at", "steps")

    def __init__(self, at: float | None) -> None:
        self.at = at
        self.steps: list[Step] = []


def last_step(transcript_path: str) -> Usage | None:
    """None when the end of the transcript shows no step, or the history was rewritten since."""
    try:
        lines = journal.tail(transcript_path, TAIL)
    except ValueError:  # a NUL in the path
        return None
    return summary(turns(lines[-LINES:]))


def turns(lines: list[bytes]) -> list[Turn]:
    found = [Turn(None)]
    places: dict[str, tuple[Turn, int]] = {}
    for line in lines:
        if len(line) > LINE or _SIDECHAIN in line:
            continue
        if _ASSISTANT in line:
            _take(line, found[-1], places)
        elif _USER in line:
            if is_prompt(line):
                found.append(Turn(_stamped(line)))
        elif _COMPACTED in line:
            found = [Turn(None)]
    return [turn for turn in found if turn.steps]


def is_prompt(user_line: bytes) -> bool:
    return not any(mark in user_line for mark in _NO_PROMPT)


def _take(line: bytes, turn: Turn, places: dict[str, tuple[Turn, int]]) -> None:
    """One line per block of an answer, each with its usage so far: the last one counts, in the place of the first."""
    read = step(line)
    if read is None:
        return
    message, taken = read
    if message in places:
        home, place = places[message]
        home.steps[place] = taken
    else:
        places[message] = turn, len(turn.steps)
        turn.steps.append(taken)


def step(line: bytes) -> tuple[str, Step] | None:
    """The id and the usage of an answer; None when it is none."""
    try:
        entry = codec.loads(line)
        message = entry["message"]  # type: ignore[index]  # not ours: whatever is missing or odd makes it no step
        usage = message["usage"]
        split = usage.get("cache_creation") or {}
        taken = Step(
            unix(entry["timestamp"]),  # type: ignore[index]  # the same
            str(message["model"]),
            _tokens(usage, "input_tokens"),
            _tokens(usage, "output_tokens"),
            _tokens(usage, "cache_read_input_tokens"),
            _tokens(usage, "cache_creation_input_tokens"),
            entry.get("promptCacheRequested") == "1h" or _tokens(split, "ephemeral_1h_input_tokens") > 0,  # type: ignore[attr-defined]  # the same
        )
        told = str(message.get("id") or entry["uuid"])  # type: ignore[index]  # the same
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    # What the client itself says, as after an error, took no tokens.
    return (told, taken) if taken.context else None


def _tokens(usage: dict[str, object], name: str) -> int:
    value = usage.get(name)
    return value if isinstance(value, int) and 0 < value < _MOST else 0


def _stamped(line: bytes) -> float | None:
    start = line.rfind(_STAMP) + len(_STAMP)
    try:
        return unix(line[start : line.find(b'"', start)].decode("ascii", "replace"))
    except ValueError:
        return None


def unix(stamp: str) -> float:
    """Seconds of a UTC time as `2026-11-21T05:53:00.123Z`; ValueError when it is none."""
    if len(stamp) < 20 or stamp[10] != "T" or stamp[-1] != "Z":
        raise ValueError(stamp)
    year, month, day = int(stamp[:4]), int(stamp[5:7]), int(stamp[8:10])
    if month < 3:
        year, month = year - 1, month + 12
    days = 365 * year + year // 4 - year // 100 + year // 400 + (153 * month - 457) // 5 + day - 719469
    return days * 86400.0 + int(stamp[11:13]) * 3600 + int(stamp[14:16]) * 60 + float(stamp[17:-1])


def summary(found: list[Turn]) -> Usage | None:
    steps = [step for turn in found for step in turn.steps]
    if not steps:
        return None
    last = steps[-1]
    pairs = [pair for turn in found for pair in zip(turn.steps, turn.steps[1:], strict=False)]
    rests = [(before.steps[-1].at, after.at) for before, after in zip(found, found[1:], strict=False)]  # noqa: RUF007  itertools is a file of its own in some builds
    return Usage(
        model=last.model,
        input=last.input,
        output=last.output,
        cache_read=last.cache_read,
        cache_write=last.cache_write,
        is_1h=last.is_1h,
        at=last.at,
        steps=len(steps),
        turns=sum(turn.at is not None for turn in found),
        last_steps=len(found[-1].steps),
        step_s=_usual("step_s", [min(b.at - a.at, _LONGEST_STEP_S) for a, b in pairs if b.at >= a.at]),
        gap_s=_usual("gap_s", [min(after - at, _LONGEST_GAP_S) for at, after in rests if after and after >= at]),
        out=_usual("out", [step.output for step in steps[-_LATEST:]]),
        growth=_usual("growth", [b.context - a.context for a, b in pairs[-_LATEST:] if b.context >= a.context]),
        elsewhere=_elsewhere(steps),
    )


def _usual(name: str, seen: "list[float] | list[int]") -> float:
    return (sum(seen) + _PRESUMED[name] * _TRUST) / (len(seen) + _TRUST)


def _elsewhere(steps: list[Step]) -> dict[str, tuple[int, float]]:
    """Newest first, up to where the history was rewritten: beyond it nothing cached is of use."""
    found: dict[str, tuple[int, float]] = {}
    here = name_of(steps[-1].model)
    size = steps[-1].context
    for step in reversed(steps):
        if step.context > size:
            break
        size = step.context
        name = name_of(step.model)
        if name and name != here and name not in found:
            found[name] = (step.context, step.at)
    return found
