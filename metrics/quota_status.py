"""Where the account stands now: what was read, what is estimated since, and what follows from it."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from metrics.quota_estimate import LEAST_PAIRS, WIDEST, Estimate, estimate, learn
from metrics.quota_readings import Reading, Span, spans
from metrics.quota_tokens import Work
from state import quota

NEVER = "nobody has read this limit"
RESET = "it was reset since it was read; the next window begins with its first use, and nobody has read that"
FEW = f"too few readings to learn from: {LEAST_PAIRS} steps of a window are needed"
NOTHING_SERVED = "what was served between the readings is not known"
WIDE = f"the interval would be wider than {WIDEST:g} points"


class Window(NamedTuple):
    name: str
    used: float | None  # as read; None: never, or reset since
    resets_at: float | None
    read_at: float | None
    source: str | None
    estimate: Estimate | None
    unknown: str | None  # why there is no estimate


class Status(NamedTuple):
    now: float
    windows: list[Window]
    pressure: tuple[str, float] | None
    limit: float
    is_on: bool  # the step-down rule

    @property
    def has_data(self) -> bool:
        return any(window.read_at is not None for window in self.windows)

    @property
    def is_pressed(self) -> bool:
        return self.pressure is not None and self.pressure[1] >= self.limit


def build(
    known: Mapping[str, quota.Reading],
    history: Mapping[str, list[Reading]],
    served: Callable[[], Work],
    limit: float,
    is_on: bool,
    now: float,
) -> Status:
    """`served` is asked only where an estimate depends on it."""
    found = []
    for name in quota.LENGTH_S:
        reading = known.get(name)
        if reading is None:
            found.append(Window(name, None, None, None, None, None, NEVER))
        elif reading.is_over(now):
            found.append(Window(name, None, None, reading.read_at, reading.source, None, RESET))
        else:
            guess, why = _estimated(reading, spans(history.get(name, [])), served, now)
            found.append(Window(name, reading.used, reading.resets_at, reading.read_at, reading.source, guess, why))
    return Status(now, found, quota.pressure(dict(known), now), limit, is_on)


def as_json(status: Status) -> dict[str, object]:
    """Every key is always there; null is what nobody knows."""
    under = status.pressure
    return {
        "data": status.has_data,
        "windows": {window.name: _window(window, status.now) for window in status.windows},
        "pressure": None if under is None else {"window": under[0], "share": under[1], "pressed": status.is_pressed},
        "step_down": {
            "enabled": status.is_on,
            "limit": status.limit,
            "active": status.is_on and status.is_pressed,
            "rule": rule(status.limit),
        },
    }


def rule(limit: float) -> str:
    return (
        f"once {limit:.0%} of a limit is used and its reset is more than {quota.NEAR_RESET_S / 60:.0f} minutes away, "
        "work for opus goes to sonnet and work for sonnet to haiku; never where you named the model, "
        "nor where the router had no opinion"
    )


def _estimated(
    reading: quota.Reading, past: list[Span], served: Callable[[], Work], now: float
) -> tuple[Estimate | None, str | None]:
    if sum(len(span.readings) - 1 for span in past) < LEAST_PAIRS:
        return None, FEW
    found = learn(past, served())
    if found is None:
        return None, NOTHING_SERVED
    guess = estimate(found, Reading(reading.read_at, reading.used, reading.resets_at), served(), now)
    return guess, None if guess else WIDE


def _window(window: Window, now: float) -> dict[str, object]:
    guess = window.estimate
    return {
        "used": window.used,
        "resets_at": window.resets_at,
        "resets_in_s": None if window.resets_at is None else round(window.resets_at - now, 1),
        "read_at": window.read_at,
        "age_s": None if window.read_at is None else round(now - window.read_at, 1),
        "source": window.source,
        "estimate": None if guess is None else {**_rounded(guess), "pairs": guess.pairs},
        "unknown": window.unknown,
    }


def _rounded(guess: Estimate) -> dict[str, float]:
    return {name: round(getattr(guess, name), 2) for name in ("used", "low", "high", "own")}
