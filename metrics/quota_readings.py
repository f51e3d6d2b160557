"""What the platform said of the limits, reading by reading, and which readings are of one and the same window."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from state import codec, files, quota

ROTATED = ".1"


class Reading(NamedTuple):
    at: float  # unix seconds
    used: float  # percent
    resets_at: float | None


class Span(NamedTuple):
    """One window from its start to its reset, as far as it was read: its readings, oldest first."""

    resets_at: float | None
    readings: list[Reading]
    is_cut: bool = False  # the platform began another one before this was to be reset

    @property
    def last(self) -> Reading:
        return self.readings[-1]


def history(user: str, since: float = 0.0) -> dict[str, list[Reading]]:
    """The readings of each window, oldest first; what cannot be understood is left out."""
    found: dict[str, list[Reading]] = {name: [] for name in quota.LENGTH_S}
    for path in (f"{user}/{quota.LOG}{ROTATED}", f"{user}/{quota.LOG}"):
        for line in (files.read(path) or b"").splitlines():
            for name, reading in _parsed(line):
                if reading.at >= since:
                    found[name].append(reading)
    return {name: sorted(readings, key=lambda reading: reading.at) for name, readings in found.items()}


def spans(readings: Iterable[Reading]) -> list[Span]:
    """Within a window nothing is given back: what falls, or is to be reset at another time, is of the next one."""
    found: list[Span] = []
    for reading in readings:
        if found and _continues(found[-1], reading):
            found[-1].readings.append(reading)
        else:
            if found and found[-1].resets_at is not None and reading.at < found[-1].resets_at:
                found[-1] = found[-1]._replace(is_cut=True)
            found.append(Span(reading.resets_at, [reading]))
    return found


def _continues(span: Span, reading: Reading) -> bool:
    if span.last.used - reading.used > quota.DROP:
        return False
    if span.resets_at is None or reading.resets_at is None:
        return span.resets_at is reading.resets_at
    return abs(reading.resets_at - span.resets_at) <= quota.SAME_RESET_S and reading.at < span.resets_at


def _parsed(line: bytes) -> Iterator[tuple[str, Reading]]:
    try:
        entry = codec.loads(line)
    except ValueError:  # torn by a crash
        return
    windows = entry.get("windows") if isinstance(entry, dict) else None
    at = quota.number(entry.get("at")) if isinstance(entry, dict) else None
    for name in quota.LENGTH_S:
        window = windows.get(name) if isinstance(windows, dict) else None
        used = quota.number(window.get("used")) if isinstance(window, dict) else None
        if at is not None and used is not None and isinstance(window, dict):
            yield name, Reading(at, used, quota.number(window.get("resets_at")))
