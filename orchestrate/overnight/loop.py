"""The night as it is: jobs claimed, begun, minded and ended as `night.moves` says, by one process of this machine."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from orchestrate.agents import notes
from orchestrate.agents.stop import Stop
from orchestrate.agents.stream import Usage
from orchestrate.overnight import (
    alone,
    chronicle,
    dispatch,
    job,
    kept,
    night,
    plan,
    spending,
    stops,
    tidy,
    verdict,
    window,
)
from orchestrate.overnight.activity import Activity
from orchestrate.overnight.chronicle import Chronicle
from orchestrate.overnight.dispatch import End, Task
from orchestrate.overnight.job import ATTEMPTS_MOST, Job
from orchestrate.overnight.limits import Limits
from orchestrate.overnight.meter import Meter
from orchestrate.overnight.window import Reading
from orchestrate.overnight.worker import Bell, Worker, over
from state import compiled, journal, quota, sessions, snapshot
from state.errors import FAILED, INTERRUPTED, OK, REFUSED, UserError
from state.paths import Place, locate
from state.snapshot import Value
from state.store import Store
from state.store.night_records import Tell

FOLDER = "overnight"
TTL_S = 900.0
RENEW_S = 60.0
LOOK_S = 5.0  # the wall clock is looked at no less often, and the user's own work
LEAST_S = 0.2
HASTE_S = 0.2


class Setting(NamedTuple):
    """Where and under what a night is."""

    user: str
    env: Mapping[str, str]
    span: window.Span
    when: window.Night
    limits: Limits
    say: Callable[[str], None]


class Loop:
    def __init__(self, setting: Setting, store: Store, stop: Stop) -> None:
        self._at = setting
        self._store = store
        self._stop = stop
        self._bell = Bell()
        self._tell = Chronicle(store, setting.span.evening)
        self._owner = alone.owner()
        self._meter = Meter()
        self._workers: dict[str, Worker] = {}
        self._activity = Activity(setting.env, f"{setting.user}/{FOLDER}", time.time(), store.resumes.attempts)
        self._state = night.opened(setting.span, setting.limits, time.time(), time.monotonic())
        self._halts = ""

    def run(self) -> int:
        """The exit code."""
        why = stops.SIGNAL
        try:
            self._recover()
            self._state = spending.resumed(self._state, self._tell.last(spending.KEY))
            self._begin()
            why = self._go()
        finally:  # also where the store is lost: nothing of ours runs on
            self._wind_down()
            self._bell.close()
        self._end(why)
        return {stops.SIGNAL: INTERRUPTED, stops.HALTED: FAILED}.get(why, OK)

    def _recover(self) -> None:
        """What the last night has left running is ended before anything is begun again."""
        swept = notes.sweep_dead(self._at.user)
        tidied = tidy.remove(f"{self._at.user}/{FOLDER}", self._store.nights.jobs(), self._at.env)
        found = self._store.nights.requeue_lost(time.time(), alone.is_dead, ATTEMPTS_MOST, self._tell)
        for lost in found:
            self._at.say(f"{lost.code}: {lost.why}: {lost.status}")
        if found or swept or tidied:
            told = {"jobs": [lost.code for lost in found], "swept": swept, "tidied": tidied}
            self._tell.tell(chronicle.RECOVERED, told)

    def _begin(self) -> None:
        span, limits = self._at.span, self._at.limits
        rows = self._plan()
        told: dict[str, object] = {"begins": span.begins, "ends": span.ends, "limits": limits._asdict()}
        told |= {"owner": self._owner, "readings": chronicle.of_readings(self._readings())}
        told |= {"planned": [{"code": row.job.code, "verdict": row.verdict, "reason": row.reason} for row in rows]}
        told |= self._account()
        self._tell.tell(chronicle.BEGAN, told)
        mine = sum(row.verdict == plan.RUN for row in rows)
        ends = time.strftime("%H:%M", time.localtime(span.ends))
        self._at.say(f"the night of {span.evening} until {ends}: {len(rows)} jobs, {mine} of them planned")

    def _go(self) -> str:
        while True:
            readings = self._readings()
            is_active = self._activity.seen(time.monotonic()) is not None if self._at.limits.stop_on_activity else False
            jobs = self._store.nights.jobs()
            moves = night.moves(self._state, time.time(), time.monotonic(), readings, jobs, is_active)
            self._state = moves.state
            for name in moves.ends:
                if name in self._workers:
                    self._workers[name].ask_to_end(stops.LANDED.get(moves.stop or "", stops.NEAR_FLOOR))
            self._let_go(jobs)
            if self._must_stop():
                return stops.HALTED if self._halts else stops.SIGNAL
            for start in moves.starts:
                self._start(start)
            if moves.stop and not self._workers:
                return moves.stop
            self._bell.wait(min(max(moves.wait_s, LEAST_S), LOOK_S), self._stop)
            self._mind()

    def _let_go(self, jobs: Sequence[Job]) -> None:
        """What was cancelled, or taken over, is not worked at any longer."""
        held = {(job.id, job.fence) for job in jobs if job.status == "running"}
        for worker in self._workers.values():
            if (worker.task.job.id, worker.task.fence) not in held:
                worker.ask_to_end(stops.NOT_OURS)

    def _must_stop(self) -> bool:
        return bool(self._halts) or self._stop.why is not None

    def _start(self, start: night.Start) -> None:
        found = start.job
        fence = self._store.nights.claim(found.id, self._owner, TTL_S, time.time(), self._claimed(start))
        if fence is None:
            return
        self._state = night.begun(self._state, start, time.monotonic())
        self._meter.read(self._reading())
        try:
            task = self._task(found, fence)
        except UserError as error:
            self._state = night.ended(self._state, found.id, 0.0, was_run=False)
            self._settle(found, fence, End("fault", str(error), code=error.code), "")
            return
        self._store.nights.note(found.id, fence, branch=task.branch, worktree=task.tree, session=task.session)
        self._meter.begin(found.id, time.time())
        worker = Worker(task, self._bell)
        worker.renewed_at = time.monotonic()
        self._workers[found.id] = worker
        worker.start()
        self._at.say(f"{found.code}: begun{' as a probe of the limits' if start.is_probe else ''}")

    def _claimed(self, start: night.Start) -> Tell:
        told = {**start.cost._asdict(), "is_probe": start.is_probe}
        state = night.begun(self._state, start, time.monotonic())
        return self._tell.adding({"text": start.job.text, "expected": told, spending.KEY: spending.account(state)})

    def _account(self) -> dict[str, object]:
        return {spending.KEY: spending.account(self._state)}

    def _task(self, found: Job, fence: int) -> Task:
        """As the project is now."""
        place, settings = self._project(found.project)
        session = sessions.new_id(time.time())
        env = {**self._at.env, "CLAUDE_OVERNIGHT": "1", journal.CORRELATION: self._tell.correlation}
        commands = found.checks or job.checks(str(settings["overnight.checks"]), "overnight.checks")
        at_once = max(int(settings["run.at_once"]), self._at.limits.max_concurrent)
        settings = {**settings, "run.at_once": at_once}
        folder = f"{self._at.user}/{FOLDER}/{found.code}"
        return Task(
            found, fence, place, folder, session, env, settings, commands, self._hear(found.id), self._bell.ring
        )

    def _folder(self, found: Job) -> str:
        return f"{self._at.user}/{FOLDER}/{found.code}"

    def _project(self, root: str) -> tuple[Place, dict[str, Value]]:
        if not Path(root).is_dir():
            raise UserError(f"{root}: the project is gone")
        env = {name: value for name, value in self._at.env.items() if name != "ORCHESTRATOR_ROOT"}
        place = locate(root, env)
        try:
            compiled.ensure_fresh(place)
        except UserError as error:  # the last good settings hold
            self._at.say(str(error))
        return place, snapshot.read(place, env).values

    def _hear(self, name: str) -> Callable[[Mapping[str, Usage]], None]:
        return lambda usage: self._meter.hear(name, usage)

    def _mind(self) -> None:
        """Those that are over, and the claims of those that are not."""
        self._meter.read(self._reading())
        for worker in over(list(self._workers.values())):
            self._land(worker)
        for worker in self._workers.values():
            if time.monotonic() - worker.renewed_at >= RENEW_S:
                worker.renewed_at = time.monotonic()
                task = worker.task
                self._store.nights.renew(task.job.id, task.fence, TTL_S, time.time())  # refused: see `_let_go`

    def _land(self, worker: Worker) -> None:
        found, fence = worker.task.job, worker.task.fence
        end = worker.close()
        del self._workers[found.id]
        self._meter.read(self._reading())
        points = self._meter.end(found.id)
        self._state = night.ended(self._state, found.id, points, end.was_run)
        self._settle(found, fence, end, worker.told_to_end, points)

    def _settle(self, found: Job, fence: int, end: End, told_to_end: str, points: float | None = None) -> None:
        now = time.time()
        said = verdict.of(end, found.attempts + 1, told_to_end, now)
        self._halts = self._halts or said.halts
        nights, why = self._store.nights, said.why or ""
        where = dispatch.where(self._folder(found), found)
        tell = self._tell.adding({**chronicle.of_end(end), **where, **self._account()})
        try:
            if end.made:
                nights.note(found.id, fence, run=end.made.run)
            if said.status == verdict.QUEUED:
                nights.requeue(
                    found.id, fence, why, now, tell,
                    is_counted=said.is_counted, points=points, not_before=said.not_before,
                )  # fmt: skip
            else:
                nights.finish(found.id, fence, said.status, said.why, now, tell, points)
                kept.forget(self._folder(found))
        except UserError as error:
            if error.code != REFUSED:
                raise
            self._at.say(f"{found.code}: let go: it was cancelled, or taken over, while it ran")
            return
        self._at.say(f"{found.code}: {said.status}{f': {why}' if why else ''}")

    def _wind_down(self) -> None:
        """All that runs is ended first, whatever the store says of it afterwards."""
        for worker in self._workers.values():
            worker.ask_to_end(stops.INTERRUPTED)
        while len(over(list(self._workers.values()))) < len(self._workers):
            self._bell.wait(HASTE_S)
            for worker in self._workers.values() if self._stop.in_haste else ():
                worker.ask_to_end(stops.INTERRUPTED, in_haste=True)
        for worker in list(self._workers.values()):
            self._land(worker)

    def _end(self, why: str) -> None:
        rows = {row.job.id: row for row in self._plan()}
        for left in self._store.nights.jobs():
            if left.status == "queued":
                row = rows.get(left.id)
                is_stuck = row is not None and row.verdict == plan.SKIP  # whenever the night had ended
                reason = row.reason if row and (is_stuck or why not in stops.LEFT) else stops.LEFT.get(why, "")
                self._tell.tell(chronicle.LEFT, {"job": left.id, "code": left.code, "text": left.text, "why": reason})
        told = {"why": why, "halted": self._halts or None, "readings": chronicle.of_readings(self._readings())}
        self._tell.tell(chronicle.ENDED, {**told, **self._account()})
        self._at.say(self._halts or f"the night ends: {stops.ENDS[why]}")

    def _plan(self) -> tuple[plan.Row, ...]:
        jobs = self._store.nights.jobs()
        at = self._at
        told = spending.account(self._state)
        return plan.plan(jobs, self._readings(), at.when, at.limits, time.time(), at.span, told)

    def _readings(self) -> tuple[Reading, ...]:
        return window.readings(quota.read(self._at.user), {}, time.time())

    def _reading(self) -> quota.Reading | None:
        return quota.read(self._at.user).get(window.FIVE_HOUR)
