"""How far a run is, from its events: a row for each step, and when it will be done as far as earlier runs tell."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Any

from orchestrate.workflow import dag, runs
from orchestrate.workflow.runs import CANCELLED, FAILED, FINISHED, RUNNING, SKIPPED, Header
from orchestrate.workflow.spec import Workflow
from orchestrate.workflow.telling import ENDS, PROGRESS, RUN, STEP

WAITING = "waiting"
OVER = (FINISHED, FAILED, SKIPPED, CANCELLED)
_RUNS_READ = 5  # the newest of the same workflow
_STATES = {f"{STEP}.{verb}": verb for verb in OVER}


@dataclass(slots=True)
class Row:
    step: str
    status: str = WAITING
    agent: str = ""
    model: str = ""
    tokens: int = 0
    took_s: float = 0.0
    began: float | None = None  # by the monotonic clock of who watches
    detail: str = ""
    note: str = ""

    def elapsed_s(self, now: float) -> float:
        """`now`: by the same clock."""
        return max(now - self.began, 0.0) if self.status == RUNNING and self.began is not None else self.took_s


@dataclass(slots=True)
class Board:
    workflow: Workflow
    usual: Mapping[str, float] = field(default_factory=dict)  # seconds, by step
    rows: dict[str, Row] = field(default_factory=dict)
    generation: int = 1

    def __post_init__(self) -> None:
        self.rows = {step.id: Row(step.id, agent=step.agent) for step in self.workflow.steps}

    def take(self, event: Mapping[str, Any]) -> Row | None:  # Any: what JSON holds
        """The row that has changed."""
        kind, name = event.get("type"), str(event.get("step", ""))
        if kind == f"{RUN}.resumed":
            self._resume(int(event.get("generation") or 0))
        elif kind in ENDS:
            self._put_back(RUNNING)  # another one's failure has stopped what it is made of
        if not name:
            return None
        row = self.rows.setdefault(name, Row(name))
        row.agent = str(event.get("agent") or row.agent)
        row.model = str(event.get("model") or row.model)
        row.tokens = int(event.get("tokens") or row.tokens)
        if kind == f"{STEP}.started":
            row.status, row.began, row.detail = RUNNING, _began(event.get("ts")), ""
        elif kind == PROGRESS:
            row.note = _noted(event) or row.note
        elif kind in _STATES:
            row.status, row.detail, row.note = _STATES[kind], str(event.get("detail") or ""), ""
            row.took_s = float(event.get("took_s") or 0.0)
        return row

    def _resume(self, generation: int) -> None:
        """Another runner begins what was in flight; another generation also what had failed."""
        self._put_back(*(RUNNING,) if generation == self.generation else (RUNNING, FAILED, CANCELLED))
        self.generation = generation

    def _put_back(self, *statuses: str) -> None:
        for row in self.rows.values():
            if row.status in statuses:
                row.status = WAITING

    def left_s(self, now: float) -> float | None:
        """The longest way through what is not over; None where no earlier run tells how long a step takes."""
        ends: dict[str, float] = {}
        waits = dag.needs(self.workflow.steps)
        for name in dag.order(self.workflow.steps):
            row = self.rows[name]
            begins = max((ends[other] for other in waits[name]), default=0.0)
            if row.status in OVER:
                ends[name] = begins
            elif name not in self.usual:
                return None
            else:
                ends[name] = begins + max(self.usual[name] - row.elapsed_s(now), 0.0)
        return max(ends.values(), default=0.0)


def board(header: Header) -> Board:
    """As its events have it now."""
    found = Board(runs.workflow(header), usual(header))
    for _, event in runs.events(header):
        found.take(event)
    return found


def usual(header: Header) -> dict[str, float]:
    """The median of what each step took in earlier runs of the same workflow."""
    same = [one for one in runs.listed(header.place) if one.workflow == header.workflow and one.run != header.run]
    took: dict[str, list[float]] = {}
    for one in same[:_RUNS_READ]:
        for _, event in runs.events(one):
            if event.get("type") == f"{STEP}.finished":
                took.setdefault(str(event.get("step")), []).append(float(event.get("took_s") or 0.0))
    return {name: median(times) for name, times in took.items()}


def seconds(stamp: object) -> float:
    try:
        return datetime.fromisoformat(str(stamp)).timestamp()
    except ValueError:
        return 0.0


def _began(stamp: object) -> float:
    """From here on no jump of the wall clock counts."""
    return time.monotonic() - max(time.time() - seconds(stamp), 0.0)


def clock(taken_s: float) -> str:
    minutes, second = divmod(int(taken_s), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


def short(count: int) -> str:
    """950, 1.2k, 34k, 2.5M"""
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if count >= size:
            return f"{count / size:.1f}{unit}" if count < 10 * size else f"{count // size}{unit}"
    return str(count)


def _noted(event: Mapping[str, Any]) -> str:  # Any: what JSON holds
    if event.get("note"):
        return str(event["note"])
    return f"{event['items_over']} of {event['items']} items" if event.get("items") else ""
