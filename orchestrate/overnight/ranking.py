"""In which order jobs are to begin, and what keeps one from beginning.

First what is due before another night could do it, by its deadline; then the most urgent; then the most value for each
point of quota; then the oldest. What another waits for counts as much as that other.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import inf
from typing import NamedTuple

from orchestrate.overnight import budget, cost
from orchestrate.overnight.cost import Cost
from orchestrate.overnight.limits import Limits
from orchestrate.overnight.window import SHARE, Span
from state.quota import TITLES
from state.store.night_records import DONE, ENDED, Job

# What keeps a job from beginning; the first stand in the way for ever.
NEVER, DEPENDS, EARLY, LONG, ROOM = "never", "depends", "early", "long", "room"
_LEAST_POINTS = 0.1
_NEXT_NIGHT_S = 86_400.0
_AFTER_RESET_S = 5.0


class Candidate(NamedTuple):
    job: Job
    cost: Cost
    due: float | None  # the deadline, its own or of what waits for it, where no other night comes before
    priority: str
    rate: float  # value for each point
    behind: str | None  # the code of the job whose rank it has
    waits_for: tuple[str, ...]  # codes
    never: str | None


class Obstacle(NamedTuple):
    kind: str
    reason: str
    until: float | None = None  # when time alone lifts it


class _Chain(NamedTuple):
    due: float
    priority: str
    value: float
    points: float
    behind: str | None


def candidates(jobs: Sequence[Job], limits: Limits, span: Span, now: float) -> list[Candidate]:
    """Every queued job, in its order."""
    known = {job.id: job for job in jobs}
    past = cost.learn(jobs)
    costs = {job.id: past.of(job) for job in jobs if job.status not in ENDED}
    chains = _chains(jobs, costs, span)
    dead = _dead(jobs, known)
    found = [
        Candidate(
            job, costs[job.id], None if chains[job.id].due == inf else chains[job.id].due, chains[job.id].priority,
            chains[job.id].value / chains[job.id].points, chains[job.id].behind,
            tuple(known[name].code for name in job.depends if name in known and known[name].status not in DONE),
            _never(job, costs[job.id], dead.get(job.id), limits, now),
        )
        for job in jobs
        if job.status == "queued"
    ]  # fmt: skip
    return sorted(found, key=_key)


def obstacle(one: Candidate, rooms: Iterable[budget.Room], limits: Limits, span: Span, now: float) -> Obstacle | None:
    """The gravest."""
    job = one.job
    if one.never:
        return Obstacle(NEVER, one.never)
    if one.waits_for:
        return Obstacle(DEPENDS, f"waits for {', '.join(one.waits_for)}")
    if max(now, job.not_before or now) + one.cost.minutes * 60 > span.ends:
        return Obstacle(LONG, f"{one.cost.minutes:.0f} minutes do not fit before the night ends")
    if job.not_before is not None and job.not_before > now:
        return Obstacle(EARLY, "its time has not come", job.not_before)
    need = reserve(one.cost, limits)
    tight = [room for room in rooms if room.lacks(need)]
    return (
        Obstacle(ROOM, _tight(tight[0], need), max(room.resets_by for room in tight) + _AFTER_RESET_S)
        if tight
        else None
    )


def reserve(expected: Cost, limits: Limits) -> float:
    """What is set aside: no more than a window has for one job."""
    return min(expected.reserve, budget.most(limits))


def _tight(room: budget.Room, need: float) -> str:
    wanted, left = need * SHARE[room.window] + budget.GUARD, max(0.0, room.left)
    title = TITLES[room.window]
    return f"{_shown(wanted)} points of the {title} limit are to be set aside for it, {_shown(left)} are left"


def _shown(points: float) -> str:
    return f"{round(points, 2):.3g}"


def _key(one: Candidate) -> tuple[float, str, float, int]:
    return (inf if one.due is None else one.due, one.priority, -one.rate, one.job.number)


def _chains(jobs: Sequence[Job], costs: Mapping[str, Cost], span: Span) -> dict[str, _Chain]:
    """Of each job that has not ended. What depends on a job is younger: the youngest first, each with the best of what
    waits for it."""
    found: dict[str, _Chain] = {}
    later: dict[str, list[Job]] = {}
    for job in sorted(jobs, key=lambda job: -job.number):
        if job.status in ENDED:
            continue
        found[job.id] = _chain(job, costs[job.id], [(one.code, found[one.id]) for one in later.get(job.id, [])], span)
        for needed in job.depends:
            later.setdefault(needed, []).append(job)
    return found


def _chain(job: Job, expected: Cost, later: Sequence[tuple[str, _Chain]], span: Span) -> _Chain:
    is_due = job.deadline is not None and job.deadline <= span.ends + _NEXT_NIGHT_S
    best = _Chain(
        job.deadline if is_due and job.deadline is not None else inf, job.priority,
        job.value, max(expected.points, _LEAST_POINTS), None,
    )  # fmt: skip
    for code, chain in later:
        value, points = job.value + chain.value, max(expected.points, _LEAST_POINTS) + chain.points
        is_better = value / points > best.value / best.points
        if is_better:
            best = best._replace(value=value, points=points)
        if is_better or chain.due < best.due or chain.priority < best.priority:
            best = best._replace(behind=code)
        best = best._replace(due=min(best.due, chain.due), priority=min(best.priority, chain.priority))
    return best


def _dead(jobs: Sequence[Job], known: Mapping[str, Job]) -> dict[str, str]:
    """Why jobs can never begin: something they depend on, also through others, ended without being done."""
    found: dict[str, str] = {}
    for job in sorted(jobs, key=lambda job: job.number):
        for name in job.depends:
            needed = known.get(name)
            if needed is None or (needed.status in ENDED and needed.status not in DONE):
                found[job.id] = (
                    f"depends on {needed.code}, which is {needed.status}" if needed else "depends on nothing"
                )
            elif name in found:
                found[job.id] = f"depends on {needed.code}, which {found[name]}"
    return found


def _never(job: Job, expected: Cost, dead: str | None, limits: Limits, now: float) -> str | None:
    if dead:
        return dead
    if job.deadline is not None and job.deadline <= now:
        return "its deadline is over"
    if expected.points > budget.most(limits):
        return f"takes {expected.points:.0f} points, and the night leaves a job {budget.most(limits):.0f} of a window"
    return None
