"""The jobs for the night: added, claimed by one runner at a time, ended once.

Time comes from the caller: all jobs of a user lie on one machine, and a night is told by that machine's clock.
"""

import secrets
from collections.abc import Callable, Sequence

import orjson

from state.errors import FAILED, NOT_FOUND, REFUSED, UserError
from state.store.appending import append
from state.store.engine import Engine, Row
from state.store.night_records import DONE, ENDED, Change, Job, New, Tell
from state.store.values import CHANGED, check_numbers, json_value, storable

_WHOLE = tuple(map(Job._fields.index, ("number", "attempts", "fence")))
_NUMBERS = ("value", "quota_points", "minutes", "not_before", "deadline", "points_used")
_MOMENTS = ("renewed_at", "expires_at", "added_at", "started_at", "ended_at")
_REAL = tuple(map(Job._fields.index, (*_NUMBERS, *_MOMENTS)))
_NONE = type(None)


class Nights:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, new: Sequence[New], now: float, tell: Tell) -> list[Job]:
        """All of them or none. They may depend on what is there, by id or code."""
        with self._engine.writing():
            first = int(self._engine.rows("last_night_number")[0][0]) + 1
            jobs = [self._added(one, number, now) for number, one in enumerate(new, first)]
            self._engine.many("add_night_job", [_row(job) for job in jobs])
            append(self._engine, tell([Change("added", job, {}) for job in jobs]))
            return jobs

    def jobs(self) -> list[Job]:
        """Every one, the oldest first."""
        return [self._job(row) for row in self._engine.rows("night_jobs")]

    def one(self, name: str) -> Job:
        """By its id or its code."""
        found = self._engine.rows("night_job", {"name": name})
        if not found:
            raise UserError(f"{name}: no such job: `orchestrate overnight list`", NOT_FOUND)
        return self._job(found[0])

    def claim(self, job_id: str, owner: str, ttl_s: float, now: float, tell: Tell) -> int | None:
        """The fence to work under. None where it may not begin: it is another's, ended, too early, or waits for one
        that is not done."""
        with self._engine.writing():
            job = self.one(job_id)
            if not self._may_begin(job, now):
                return None
            job = job._replace(
                status="running", attempts=job.attempts + 1, fence=job.fence + 1, owner=owner, renewed_at=now,
                expires_at=now + ttl_s, started_at=now, ended_at=None, why=None, run=None, session=None,
            )  # fmt: skip
            self._keep(Change("claimed", job, {"owner": owner, "fence": job.fence, "expires_at": job.expires_at}), tell)
            return job.fence

    def renew(self, job_id: str, fence: int, ttl_s: float, now: float) -> bool:
        """False where the job is not this owner's any more: it was cancelled, or taken from him."""
        with self._engine.writing():
            job = self.one(job_id)
            if not _is_held(job, fence):
                return False
            self._engine.run("revise_night_job", _row(job._replace(renewed_at=now, expires_at=now + ttl_s)))
            return True

    def note(
        self,
        job_id: str,
        fence: int,
        *,
        branch: str | None = None,
        worktree: str | None = None,
        session: str | None = None,
        run: str | None = None,
    ) -> bool:
        """Where and as what it runs; what is None stays as it is. False as for `renew`."""
        given = {"branch": branch, "worktree": worktree, "session": session, "run": run}
        with self._engine.writing():
            job = self.one(job_id)
            if not _is_held(job, fence):
                return False
            known = {name: value for name, value in given.items() if value is not None}
            self._engine.run("revise_night_job", _row(job) | known)
            return True

    def finish(
        self, job_id: str, fence: int, status: str, why: str | None, now: float, tell: Tell, points: float | None = None
    ) -> Job:
        """`points`: what this attempt used, None where nobody knows. Refused to an owner who has lost the job."""
        if status not in ENDED:
            raise ValueError(f"{status} is no end of a job")
        with self._engine.writing():
            job = self._held(job_id, fence)
            job = _let_go(job, status, why, now, points)
            details = {"fence": fence, "status": status, "why": why, "points": points}
            return self._keep(Change("finished", job, details), tell)

    def requeue(
        self,
        job_id: str,
        fence: int,
        why: str,
        now: float,
        tell: Tell,
        *,
        is_counted: bool = True,
        points: float | None = None,
        not_before: float | None = None,
    ) -> Job:
        """Back to the queue. `is_counted`: it was an attempt; a night that ended under it was none of the job's.
        `not_before`: where it may begin later than it might have."""
        with self._engine.writing():
            job = self._held(job_id, fence)
            job = job if not_before is None else job._replace(not_before=max(not_before, job.not_before or 0.0))
            return self._requeued(job, why, now, tell, is_counted, points)

    def lost(self, now: float, is_dead: Callable[[str], bool]) -> list[Job]:
        """Running jobs that nobody runs any more: their claim is over, or their owner is dead."""
        return [job for job in self._running() if _is_lost(job, now, is_dead)]

    def requeue_lost(self, now: float, is_dead: Callable[[str], bool], attempts_most: int, tell: Tell) -> list[Job]:
        """What `lost` finds goes back to the queue, or has failed where that was its last attempt."""
        with self._engine.writing():
            return [self._recovered(job, now, attempts_most, tell) for job in self.lost(now, is_dead)]

    def cancel(self, job_id: str, why: str | None, now: float, tell: Tell) -> Job:
        """Also a running one: its owner learns of it when he renews."""
        with self._engine.writing():
            job = self.one(job_id)
            if job.status in ENDED:
                raise UserError(f"{job.code}: is {job.status} already: nothing to cancel", REFUSED)
            was = job.status
            job = _let_go(job, "cancelled", why, now, None)
            return self._keep(Change("cancelled", job, {"was": was, "why": why}), tell)

    def _added(self, new: New, number: int, now: float) -> Job:
        depends = tuple(self._needed(name).id for name in dict.fromkeys(new.depends))
        fields = new._replace(depends=depends)._asdict()
        return Job(
            id=secrets.token_hex(6), number=number, code=f"J-{number}", **fields, status="queued", attempts=0, why=None,
            branch=None, worktree=None, session=None, run=None, points_used=None, fence=0, owner=None, renewed_at=None,
            expires_at=None, added_at=now, started_at=None, ended_at=None,
        )  # fmt: skip

    def _needed(self, name: str) -> Job:
        job = self.one(name)
        if job.status in ENDED and job.status not in DONE:
            raise UserError(f"{job.code}: is {job.status}: what depends on it would never begin", FAILED)
        return job

    def _may_begin(self, job: Job, now: float) -> bool:
        if job.status != "queued" or (job.not_before is not None and job.not_before > now):
            return False
        return all(self.one(needed).status in DONE for needed in job.depends)

    def _held(self, job_id: str, fence: int) -> Job:
        job = self.one(job_id)
        if not _is_held(job, fence):
            raise UserError(f"{job.code}: is {job.status}, and fence {fence} of {job.fence} holds it no more", REFUSED)
        return job

    def _recovered(self, job: Job, now: float, attempts_most: int, tell: Tell) -> Job:
        if job.attempts < attempts_most:
            return self._requeued(job, "its runner was gone", now, tell, True, None)
        why = f"its runner was gone, and that was attempt {job.attempts} of {attempts_most}"
        job = _let_go(job, "failed", why, now, None)
        return self._keep(Change("finished", job, {"fence": job.fence, "status": "failed", "why": why}), tell)

    def _requeued(self, job: Job, why: str, now: float, tell: Tell, is_counted: bool, points: float | None) -> Job:
        job = _let_go(job, "queued", why, now, points)
        job = job if is_counted else job._replace(attempts=job.attempts - 1)
        details = {"fence": job.fence, "why": why, "is_counted": is_counted, "points": points}
        details |= {"not_before": job.not_before}
        return self._keep(Change("requeued", job, details), tell)

    def _running(self) -> list[Job]:
        return [self._job(row) for row in self._engine.rows("night_jobs_running")]

    def _keep(self, change: Change, tell: Tell) -> Job:
        self._engine.run("revise_night_job", _row(change.job))
        append(self._engine, tell([change]))
        return change.job

    def _job(self, row: Row) -> Job:
        job, where = Job(*row), self._engine.where
        check_numbers(where, "night_jobs", [row[column] for column in _WHOLE])
        for column in _REAL:
            if type(row[column]) not in (float, _NONE):
                raise UserError(f"{where}: night_jobs: {job.code}: {Job._fields[column]} is no number: {CHANGED}")
        depends = json_value(where, f"night_jobs: {job.code}: depends", str(job.depends))
        checks = json_value(where, f"night_jobs: {job.code}: checks", str(job.checks))
        return job._replace(depends=_texts(depends), checks=tuple(map(_texts, _list(checks))))


def _is_held(job: Job, fence: int) -> bool:
    return job.status == "running" and job.fence == fence


def _is_lost(job: Job, now: float, is_dead: Callable[[str], bool]) -> bool:
    if job.expires_at is None or job.expires_at <= now:
        return True
    return job.owner is not None and is_dead(job.owner)


def _let_go(job: Job, status: str, why: str | None, now: float, points: float | None) -> Job:
    used = job.points_used if points is None else (job.points_used or 0.0) + points
    return job._replace(
        status=status, why=why, owner=None, renewed_at=None, expires_at=None, ended_at=now, points_used=used
    )


def _row(job: Job) -> dict[str, object]:
    checks = [storable(command) for command in job.checks]
    return {**job._asdict(), "depends": orjson.dumps(job.depends).decode(), "checks": orjson.dumps(checks).decode()}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, _list(value)))
