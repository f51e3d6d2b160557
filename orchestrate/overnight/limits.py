"""What a night may do: the settings, within their bounds also where a variable of the environment says otherwise."""

from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import NamedTuple

from orchestrate.overnight.window import Night, clock
from state.errors import UserError
from state.paths import Place
from state.snapshot import DEFAULTS, Value

MOST_AT_ONCE = 16
# What a night reads of its user alone: it is one for all projects.
KEYS = (
    "overnight.start",
    "overnight.until",
    "overnight.floor_percent",
    "overnight.window_cap_percent",
    "overnight.weekly_pace",
    "overnight.max_concurrent",
    "overnight.blind_jobs",
    "overnight.stop_on_activity",
)


class Limits(NamedTuple):
    floor_percent: float = 10.0  # of each window, always left
    window_cap_percent: float = 100.0  # of each window, the most that a night uses
    weekly_pace: bool = True  # of the week's no more than its part that has gone by
    max_concurrent: int = 3
    blind_jobs: int = 0  # beyond the probe, while nobody has read the limits
    stop_on_activity: bool = False


def users(place: Place) -> Place:
    """Whose settings a night goes by: the user's own, and no project's."""
    if place.user is None:
        raise UserError("no writable home folder to keep jobs for the night in: set HOME to one")
    return Place(str(Path(place.user).parent), "user", place.user, place.user, True)


def of(values: Mapping[str, Value]) -> Limits:
    return Limits(
        _within(values, "overnight.floor_percent", 0, 100),
        _within(values, "overnight.window_cap_percent", 0, 100),
        bool(values["overnight.weekly_pace"]),
        int(_within(values, "overnight.max_concurrent", 1, MOST_AT_ONCE)),
        int(_within(values, "overnight.blind_jobs", 0, 1000)),
        bool(values["overnight.stop_on_activity"]),
    )


def night(values: Mapping[str, Value], until: str | None = None) -> Night:
    """`until`: as an option says it; a ValueError where that is no time of day."""
    return Night(_clock(values, "overnight.start"), clock(until) if until else _clock(values, "overnight.until"))


def _clock(values: Mapping[str, Value], key: str) -> time:
    try:
        return clock(str(values[key]))
    except ValueError:  # from the environment, which nobody has validated
        return clock(str(DEFAULTS[key]))


def _within(values: Mapping[str, Value], key: str, least: float, most: float) -> float:
    number = float(values[key])
    known = number if number == number else float(DEFAULTS[key])  # noqa: PLR0124  NaN is no number
    return min(float(most), max(float(least), known))
