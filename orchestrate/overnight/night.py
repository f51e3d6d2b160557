"""One night, move by move. Pure: clocks, readings and jobs come in as values; the loop and the simulation drive this.

The floor holds because nothing begins that might not fit above it, with all that is in flight set aside in full and the
reading taken at its worst; and because what is in flight is ended, the newest first, where the readings come near it.
"""

from collections.abc import Sequence
from typing import NamedTuple

from orchestrate.overnight import budget, cost, ranking
from orchestrate.overnight.cost import Cost
from orchestrate.overnight.limits import Limits
from orchestrate.overnight.ranking import Candidate
from orchestrate.overnight.window import FIVE_HOUR, SHARE, Reading, Span
from state import quota
from state.store.night_records import Job

# Why a night stops. With the first two what is in flight is ended, with the others nothing is in flight any more.
OVER, ACTIVITY, DONE, FLOOR, BLIND = "over", "activity", "done", "floor", "blind"

LOOK_S = 60.0  # jobs are added, and users come back, without saying so
JUMP_S = 60.0  # the clocks of the wall and of the machine may differ by so much from move to move
_FUTURE_S = 60.0


class Flight(NamedTuple):
    """A job that runs."""

    job: str  # its id
    reserve: float  # points of the five-hour window, set aside until it ends
    begun_at: float  # on the monotonic clock
    is_probe: bool = False


class Spent(NamedTuple):
    """Of one window, what this night has used since it was last reset."""

    window: str
    points: float  # of that window
    used: float  # as last read
    resets_by: float


class State(NamedTuple):
    """What a night remembers from move to move."""

    span: Span
    limits: Limits
    begun_wall: float
    begun_monotonic: float
    seen_wall: float
    seen_monotonic: float
    flights: tuple[Flight, ...] = ()
    spent: tuple[Spent, ...] = ()
    trusted_from: float | None = None  # readings from before the clock jumped are of an unknown age
    blind: int = 0  # jobs begun since anything was known of the limits
    lost: float = 0.0  # points of the five-hour window, in flight when it was cut off: counted when it is next read


class Start(NamedTuple):
    job: Job
    cost: Cost
    is_probe: bool = False  # nothing is known of the limits: it is begun for the reading that its stream may give


class Moves(NamedTuple):
    starts: tuple[Start, ...]
    stop: str | None
    wait_s: float  # until the next move, unless a job ends or a reading comes before
    due_at: float  # when time alone may change something, by the clock on the wall
    ends: tuple[str, ...]  # ids of jobs in flight that must end now; they go back to the queue
    state: State  # for the next move


def opened(span: Span, limits: Limits, now_wall: float, now_monotonic: float) -> State:
    return State(span, limits, now_wall, now_monotonic, now_wall, now_monotonic)


def begun(state: State, start: Start, now_monotonic: float) -> State:
    """After the job was claimed; what could not be claimed was never begun."""
    flight = Flight(start.job.id, ranking.reserve(start.cost, state.limits), now_monotonic, start.is_probe)
    return state._replace(flights=(*state.flights, flight), blind=state.blind + start.is_probe)


def ended(state: State, job_id: str, points: float | None, was_run: bool = True) -> State:
    """However it ended. `points`: of the five-hour window, None where nobody knows: then all that was set aside.
    `was_run`: False where it came to no agent, and so says nothing of the limits either."""
    gone = [flight for flight in state.flights if flight.job == job_id]
    used = sum(flight.reserve if points is None else points for flight in gone)
    spent = tuple(one._replace(points=one.points + used * SHARE[one.window]) for one in state.spent)
    blind = state.blind if was_run else max(0, state.blind - sum(flight.is_probe for flight in gone))
    flights = tuple(one for one in state.flights if one.job != job_id)
    return state._replace(flights=flights, spent=spent, blind=blind)


def moves(
    state: State,
    now_wall: float,
    now_monotonic: float,
    readings: Sequence[Reading],
    jobs: Sequence[Job],
    is_active: bool = False,
) -> Moves:
    """`jobs`: all of the queue. `is_active`: the user is at work himself."""
    state = _looked(state, now_wall, now_monotonic)
    stop = _forced(state, now_wall, now_monotonic, is_active)
    if stop:
        return Moves((), stop, 0.0, now_wall, tuple(flight.job for flight in state.flights), state)
    known = _known(state, [_bounded(state, reading, now_wall) for reading in readings], now_wall)
    others = _others(state, jobs, now_wall)
    if known is None:
        return _blindly(state, now_wall, jobs, len(others))
    state = _accounted(state, known)
    ends = _too_near(state, known, len(others))
    if ends:
        return Moves((), None, 0.0, now_wall, ends, state)
    rooms = [_room(state, reading, others) for reading in known]
    line = ranking.candidates(jobs, state.limits, state.span, now_wall)
    starts = _starts(state, line, rooms, now_wall, len(others))
    return _waiting(state, line, rooms, starts, now_wall, len(others))


def _looked(state: State, now_wall: float, now_monotonic: float) -> State:
    """Sleep moves the wall's clock alone, and so does whoever sets it: readings from before are of an unknown age."""
    jump_s = (now_wall - state.seen_wall) - (now_monotonic - state.seen_monotonic)
    trusted_from = now_wall if abs(jump_s) > JUMP_S else state.trusted_from
    return state._replace(seen_wall=now_wall, seen_monotonic=now_monotonic, trusted_from=trusted_from)


def _forced(state: State, now_wall: float, now_monotonic: float, is_active: bool) -> str | None:
    # By either clock: a wall clock that is set back must not make the night longer.
    is_over = now_wall >= state.span.ends
    if is_over or now_monotonic - state.begun_monotonic >= state.span.ends - state.begun_wall:
        return OVER
    return ACTIVITY if is_active and state.limits.stop_on_activity else None


def _bounded(state: State, reading: Reading, now: float) -> Reading:
    """Where nobody tells when it is reset: a whole length after this window was first read, at the latest."""
    found = [one.resets_by for one in state.spent if one.window == reading.window]
    if reading.resets_at is not None or not found or now - reading.age_s >= found[0]:
        return reading
    return reading._replace(resets_at=found[0])


def _known(state: State, readings: Sequence[Reading], now: float) -> tuple[Reading, ...] | None:
    """None where too little is known to begin anything but a probe: nothing of the five-hour window, or of the week's
    only what is too old. A week that has just been reset needs no reading: a night is a small part of it."""
    known = [one for one in readings if one.is_known(now) and _is_trusted(state, one, now)]
    unknown = [one for one in readings if one not in known and not one.is_over(now)]
    has_any = any(one.window == FIVE_HOUR for one in known)
    return tuple(known) if has_any and not unknown else None


def _is_trusted(state: State, reading: Reading, now: float) -> bool:
    """By its age. The week's changes too slowly for that to matter."""
    if reading.window != FIVE_HOUR:
        return True
    return reading.age_s >= -_FUTURE_S and (state.trusted_from is None or now - reading.age_s >= state.trusted_from)


def _accounted(state: State, known: Sequence[Reading]) -> State:
    """What was spent of a window is forgotten when it was reset, which is seen by its time or by its use."""
    before = {one.window: one for one in state.spent}
    spent = []
    for reading in known:
        old, used = before.pop(reading.window, None), reading.used_points or 0.0
        is_new = old is None or old.resets_by <= state.seen_wall or used < old.used - quota.DROP
        points = (0.0 if old is None or is_new else old.points) + state.lost * SHARE[reading.window]
        spent.append(Spent(reading.window, points, used, reading.resets_by(state.seen_wall)))
    return state._replace(spent=(*spent, *before.values()), blind=0, lost=0.0)


def _others(state: State, jobs: Sequence[Job], now: float) -> list[float]:
    """What is set aside for jobs that another runner holds."""
    mine = {flight.job for flight in state.flights}
    past = cost.learn(jobs)
    running = [job for job in jobs if job.status == "running" and job.id not in mine]
    theirs = [job for job in running if job.expires_at is None or job.expires_at > now]
    return [ranking.reserve(past.of(job), state.limits) for job in theirs]


def _too_near(state: State, known: Sequence[Reading], others: int) -> tuple[str, ...]:
    """The newest in flight, as many as the points left above the floor are too few for."""
    left = min(budget.floor(one, state.limits) - (one.used_points or 0.0) - one.error for one in known)
    keep = max(0, int(left / budget.GUARD) - others)
    newest = sorted(state.flights, key=lambda flight: flight.begun_at)[keep:]
    return tuple(flight.job for flight in newest)


def _room(state: State, reading: Reading, others: Sequence[float]) -> budget.Room:
    spent = sum(one.points for one in state.spent if one.window == reading.window)
    reserves = [*(flight.reserve for flight in state.flights), *others]
    return budget.room(reading, state.limits, state.span, spent, reserves, state.seen_wall)


def _starts(
    state: State, line: Sequence[Candidate], rooms: Sequence[budget.Room], now: float, others: int
) -> tuple[Start, ...]:
    starts: list[Start] = []
    for one in line:
        if len(state.flights) + others + len(starts) >= state.limits.max_concurrent:
            break
        found = ranking.obstacle(one, rooms, state.limits, state.span, now)
        need = ranking.reserve(one.cost, state.limits)
        if found is None:
            starts.append(Start(one.job, one.cost))
            rooms = [room.less(need) for room in rooms]
        elif found.kind == ranking.ROOM and not any(room.lacks_even_alone(need) for room in rooms):
            break  # it is next as soon as others have landed: smaller ones do not take its place for ever
    return tuple(starts)


def _blindly(state: State, now: float, jobs: Sequence[Job], others: int) -> Moves:
    """The cheapest alone, for the reading that its stream may give; then as many as may run without any."""
    line = ranking.candidates(jobs, state.limits, state.span, now)
    ready = [one for one in line if not ranking.obstacle(one, (), state.limits, state.span, now)]
    busy = len(state.flights) + others
    if (busy and state.blind <= 1) or busy >= state.limits.max_concurrent:
        return Moves((), None, LOOK_S, state.span.ends, (), state)
    if not ready:
        return _waiting(state, line, (), (), now, others)
    if state.blind > state.limits.blind_jobs:
        return Moves((), None if busy else BLIND, LOOK_S, state.span.ends, (), state)
    one = ready[0] if state.blind else min(ready, key=lambda one: one.cost.points)
    return Moves((Start(one.job, one.cost, True),), None, 0.0 if state.blind else LOOK_S, now, (), state)


def _waiting(
    state: State,
    line: Sequence[Candidate],
    rooms: Sequence[budget.Room],
    starts: tuple[Start, ...],
    now: float,
    others: int,
) -> Moves:
    found = [ranking.obstacle(one, rooms, state.limits, state.span, now) for one in line]
    kinds = {one.kind for one in found if one}
    lifted = [one.until for one in found if one and one.until is not None and one.until > now]
    due = min([*lifted, state.span.ends])
    stop = None
    if not (starts or state.flights or others) and due >= state.span.ends:
        stop = FLOOR if ranking.ROOM in kinds else DONE
    return Moves(starts, stop, max(0.0, min(LOOK_S, due - now)), due, (), state)
