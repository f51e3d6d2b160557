"""What the morning's report is made from and of. Unknown is None, never 0."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from metrics.quota_readings import Reading
from orchestrate.overnight.job import Job
from orchestrate.overnight.window import Span

ENDED, RUNNING, CUT_OFF, NEVER = "ended", "running", "cut off", "never began"


class Told(NamedTuple):
    """An event of the night, opened."""

    id: str
    verb: str
    about: str  # the id of the job, or the evening
    at: float
    payload: Mapping[str, Any]  # Any: what JSON holds


class Known(NamedTuple):
    span: Span
    told: Sequence[Told]  # the oldest first
    jobs: Mapping[str, Job]  # by id, as they are now
    is_alive: Callable[[str], bool]  # whoever owns a claim
    history: Mapping[str, list[Reading]]  # of the limits
    floor_percent: float
    now: float
    added: Mapping[str, str]  # by id of the job: the event that added it


class Line(NamedTuple):
    """A job and what became of it."""

    code: str
    text: str
    project: str
    why: str | None
    branch: str | None
    commit: str | None
    worktree: str | None
    model: str | None
    run: str | None
    decision: str | None  # the event of the router's decision, in the project's log
    checks: tuple[dict[str, Any], ...]  # Any: what JSON holds
    points: float | None  # of the five-hour window
    minutes: float | None
    answer: str | None  # the file that holds it
    decisions: tuple[str, ...]  # that the agent has left to the user
    events: tuple[str, ...]


class Owed(NamedTuple):
    """What only the user can decide; `command` is how to go about it, where there is one."""

    code: str | None  # of several jobs with a comma between
    text: str
    command: str | None
    events: tuple[str, ...]


class Used(NamedTuple):
    """Of one window, in its points, while the night went on."""

    window: str
    used: float | None  # by all of the account, at least
    left: float | None  # at the end, as last read
    wasted: float | None  # that expired unused in the night, at most
    lowest: float | None  # the least that was left


class Quota(NamedTuple):
    windows: tuple[Used, ...]
    jobs: float | None  # of the five-hour window, by the jobs whose use is known
    unknown: int  # jobs whose use nobody knows
    floor_percent: float
    events: tuple[str, ...]


class Report(NamedTuple):
    span: Span
    state: str
    why: str | None  # it ended
    halted: str | None
    began_at: float | None
    ended_at: float | None
    shipped: tuple[Line, ...]
    unverified: tuple[Line, ...]
    not_done: tuple[Line, ...]
    decisions: tuple[Owed, ...]
    quota: Quota
    events: tuple[str, ...]  # of the night itself
