"""A circuit breaker per model, shared by all processes: one alone asks whether the service is back.

It helps and does not hinder: where its file cannot be read, written or locked, every model is allowed.

<user>/breakers.json is one object, replaced as a whole: {MODEL: {"until": unix seconds or null, ...}}. MODEL is the
tier, or what the user named instead. Others may read `until` and nothing else: a number above now means that the model
does not answer and is not to be asked; null, a number not above now, and no entry mean that it may be.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal, NamedTuple, TypedDict

from orchestrate.agents import processes
from state import codec, files
from state.errors import UserError

FILE = "breakers.json"
OPENS_AFTER = 3
FIRST_S = 60.0
LONGEST_S = 900.0
_FURTHEST_RESET_S = 8 * 86_400.0  # a weekly limit; what lies beyond is a clock that is wrong
_FORGOTTEN_S = 900.0
_PROBE_S = 1800.0  # a probe that takes longer does not keep others from asking
_LOCK_S = 2.0
# The service did not answer / the model did. Of every other kind nothing follows for the service.
_DOWN = ("overloaded", "api_error", "rate_limited")
_UP = ("ok", "budget", "max_turns", "permission_denied")

Permit = bool | Literal["probe"]


class View(TypedDict):
    state: Literal["closed", "open", "half-open"]
    until: float | None


class _Breaker(NamedTuple):
    failures: int = 0  # in a row, none of them older than _FORGOTTEN_S when the next came
    failed_at: float = 0.0
    opened: int = 0  # times in a row
    until: float | None = None  # open; half-open from then on
    probe: int = 0  # the pid that asks
    probe_started: float = 0.0
    probe_at: float = 0.0


def allowed(user: str, model: str, now: float) -> Permit:
    """True, False, or "probe": the caller alone may ask, and owes `succeeded` or `failed`."""
    answer = _answer(_of(user, model), now)
    if answer != "probe":
        return answer
    with suppress(UserError), _changing(user) as breakers:
        breaker = breakers.get(model, _Breaker())
        answer = _answer(breaker, now)  # again: another process may have been faster
        if answer == "probe":
            me = processes.find(os.getpid())
            started = me.started if me else 0.0
            breakers[model] = breaker._replace(probe=os.getpid(), probe_started=started, probe_at=now)
    return answer


def succeeded(user: str, model: str) -> None:
    if model in _read(user):
        with suppress(UserError), _changing(user) as breakers:
            breakers.pop(model, None)


def failed(user: str, model: str, kind: str, now: float, reset_at: float | None = None) -> None:
    """Any outcome but success, by its kind: some count, some show that the model answers, some show nothing."""
    if kind in _UP:
        succeeded(user, model)
    elif kind in _DOWN and not _resets_soon(kind, now, reset_at):
        with suppress(UserError), _changing(user) as breakers:
            breakers[model] = _worse(breakers.get(model, _Breaker()), now, reset_at)
    elif _of(user, model).probe == os.getpid():
        with suppress(UserError), _changing(user) as breakers:
            breakers[model] = breakers.get(model, _Breaker())._replace(probe=0)


def view(user: str, now: float) -> dict[str, View]:
    return {model: _shown(breaker, now) for model, breaker in sorted(_read(user).items())}


def _answer(breaker: _Breaker, now: float) -> Permit:
    if breaker.until is None:
        return True
    return False if now < breaker.until or _is_probed(breaker, now) else "probe"


def _worse(breaker: _Breaker, now: float, reset_at: float | None) -> _Breaker:
    if breaker.until is None:
        failures = breaker.failures + 1 if now - breaker.failed_at <= _FORGOTTEN_S else 1
        counted = breaker._replace(failures=failures, failed_at=now)
        return _opened(counted, now, reset_at) if failures >= OPENS_AFTER else counted
    if breaker.probe == os.getpid():
        return _opened(breaker, now, reset_at)
    return breaker  # a run that began before it opened: nothing new


def _opened(breaker: _Breaker, now: float, reset_at: float | None) -> _Breaker:
    open_s = min(FIRST_S * 2**breaker.opened, LONGEST_S)
    known = reset_at if reset_at is not None and now + open_s < reset_at <= now + _FURTHEST_RESET_S else now + open_s
    return breaker._replace(opened=breaker.opened + 1, until=known, probe=0)


def _resets_soon(kind: str, now: float, reset_at: float | None) -> bool:
    """A limit that is over in a moment is waited for; it is no outage."""
    return kind == "rate_limited" and (reset_at is None or reset_at - now <= FIRST_S)


def _is_probed(breaker: _Breaker, now: float) -> bool:
    return now - breaker.probe_at < _PROBE_S and processes.is_running(breaker.probe, breaker.probe_started)


def _shown(breaker: _Breaker, now: float) -> View:
    if breaker.until is None:
        return {"state": "closed", "until": None}
    return {"state": "open" if now < breaker.until else "half-open", "until": breaker.until}


@contextmanager
def _changing(user: str) -> Iterator[dict[str, _Breaker]]:
    from state import locks  # noqa: PLC0415  60 ms, owed only when a service fails

    with locks.hold(f"{user}/breakers.lock", _LOCK_S):
        breakers = _read(user)
        before = dict(breakers)
        yield breakers
        if breakers != before:
            entries: dict[str, object] = {model: breaker._asdict() for model, breaker in breakers.items()}
            files.replace(f"{user}/{FILE}", codec.dumps(entries))


def _read(user: str) -> dict[str, _Breaker]:
    """A file that cannot be understood closes every breaker: it is rewritten with the next failure."""
    try:
        entries = codec.loads(files.read(f"{user}/{FILE}") or b"{}")
    except (UserError, ValueError):
        return {}
    if not isinstance(entries, dict):
        return {}
    return {model: _Breaker(**entry) for model, entry in entries.items() if _is_whole(entry)}


def _of(user: str, model: str) -> _Breaker:
    return _read(user).get(model, _Breaker())


def _is_whole(entry: object) -> bool:
    if not isinstance(entry, dict) or entry.keys() != set(_Breaker._fields):
        return False
    numbers = [value for name, value in entry.items() if name != "until" or value is not None]
    return all(isinstance(value, int | float) for value in numbers)
