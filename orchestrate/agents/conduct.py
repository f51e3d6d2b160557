"""One request answered: attempt after attempt until the policy says that it is done, and one record of all of them."""

import random
import select
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing

from orchestrate.agents import (
    attempt,
    breaker,
    check,
    command,
    context,
    definitions,
    notes,
    policy,
    process,
    runs,
    slots,
)
from orchestrate.agents import record as records
from orchestrate.agents.account import Spent
from orchestrate.agents.attempt import Asked, Ear, Say
from orchestrate.agents.check import Checked
from orchestrate.agents.job import Job
from orchestrate.agents.outcome import Ended, Outcome, classify
from orchestrate.agents.policy import Attempt, Evidence, Limits, Move
from orchestrate.agents.process import ProcessLimits
from orchestrate.agents.progress import Progress
from orchestrate.agents.record import Facts, Record
from orchestrate.agents.stop import Stop, on_signals
from state import journal, log, quota
from state.errors import FAILED, INTERRUPTED, OK, REFUSED, UserError

DEEPEST = 3  # an agent that starts an agent that starts an agent
ROOM = slots.RoomLimits(memory_mib=256, load_per_core=16.0)
ROOM_LOOK_S = 2.0
LEAST_S = 0.1  # what an attempt gets when the time is up as it starts
_STOPPED = (Outcome("aborted", "stopped on request"), Move("fail", "stopped on request", INTERRUPTED))


def conduct(job: Job, say: Say, progress: Progress, warn: Callable[[str], None], stop: Stop | None = None) -> Record:
    """`say` is given the answer's text as it comes; `stop` is for who calls from another thread than the main one."""
    if command.depth(job.env) >= DEEPEST:
        raise UserError(f"agents start agents {DEEPEST} deep already: this one is not started", REFUSED)
    definitions.find(job.place, job.env, job.agent)
    now = time.time()
    facts = Facts(
        session=job.known.session,
        prompt_id=job.prompt_id,
        agent=job.agent,
        tier=job.tier,
        model=attempt.by_name(job, job.model or job.tier),
        hash=str(job.fingerprint["hash"]),
        length=int(str(job.fingerprint["length"])),
        decided_ms=job.decided_ms,
    )
    waiting_ns = time.monotonic_ns()
    with ExitStack() as stack:
        stop = stop or stack.enter_context(closing(Stop()))
        stack.enter_context(on_signals(stop))
        _take_place(stack, job, stop, warn)
        waited_s = (time.monotonic_ns() - waiting_ns) / 1e9
        run = runs.begin(job.place, facts, now, warn, job.env.get(journal.CORRELATION))
        log.bind(run=run.id)
        log.tell("info", "run.started", agent=job.agent, tier=job.tier)
        passed = context.hand_over(run, job.known, job.env)
        for warning in passed.warnings:
            warn(warning)
        record = _Conduct(job, run, passed.env, stop, say, progress, now, waited_s).record()
        run.finish(record, time.time())
        log.tell("info", "run.finished", outcome=record["outcome"], exit_code=record["exit_code"])
    return record


def _take_place(stack: ExitStack, job: Job, stop: Stop, warn: Callable[[str], None]) -> None:
    """One of `run.at_once`. A disk that takes no lock costs the bound, not the answer."""
    at_once, wait_s = int(job.settings["run.at_once"]), float(job.settings["run.wait_s"])
    try:
        stack.enter_context(slots.slot(job.shared, at_once, min(wait_s, job.within_s or wait_s), stop, warn))
    except UserError as error:
        if error.code != FAILED:  # too many run, or the user has stopped waiting
            raise
        warn(f"this run is not counted among those at once: {error}")


class _Conduct:
    def __init__(
        self,
        job: Job,
        run: runs.Run,
        passed: Mapping[str, str],
        stop: Stop,
        say: Say,
        progress: Progress,
        now: float,
        waited_s: float,
    ) -> None:
        self.job = job
        self.run = run
        self.passed = passed
        self.stop = stop
        self.say = say
        self.progress = progress
        self.began = now
        self.agent, self.tier = job.agent, job.tier
        self.model = job.model or job.tier
        self.history: list[Attempt] = []
        self.checked: Checked | None = None
        self.spent = Spent({}, is_paid=False, turns=0, theirs_s=waited_s)
        self.ear = Ear(run, say, progress, stop)
        self.timeout_s = job.timeout_s or float(job.settings["run.timeout_s"])
        # What waits for the answer began to wait with the request; an attempt's own time begins with its start.
        attempts_s = self.timeout_s * int(job.settings["run.attempts"])
        self.deadline = now + (job.within_s or waited_s + attempts_s)

    def record(self) -> Record:
        notes.sweep_dead(self.job.shared)
        with self.progress.ticking():
            self._wait_for_room()
            outcome, move = self._attempts()
        self.progress.end(outcome.kind, self.ear.tally)
        return self._record(outcome, move)

    def _attempts(self) -> tuple[Outcome, Move]:
        while True:
            outcome = self._attempt()
            move = self._next(outcome)
            if move.kind == "done" and self.job.check:
                outcome, move = self._check(outcome, move)
            if move.kind in ("done", "fail"):
                return outcome, move
            self.progress.note(f"{outcome.kind}: {move.kind}{_told(move)}: {move.why}")
            if self.ear.was_seen:
                self.progress.note("what stdout has so far is of the attempt that was given up")
            if not self._wait(move.after_s):
                return _STOPPED
            self._apply(move)

    def _attempt(self) -> Outcome:
        self._mind_the_breaker()
        self.ear = Ear(self.run, self.say, self.progress, self.stop)
        self.progress.start(self.model)
        total_s = min(self.timeout_s, self._time_left())
        stand_in = policy.stand_in(self.model, [], self._policy()) or ""
        spec = attempt.spec(self.job, self.passed, Asked(self.model, stand_in, self.agent, self._above(), total_s))
        began = time.monotonic()
        finish = process.run(
            command.argv(spec),
            command.environment(self.job.env, spec, self.job.known.session, self.passed),
            self.job.place.root,
            attempt.sendable(self.job.known.request, self.checked.for_the_next() if self.checked else ""),
            self.ear.hear,
            ProcessLimits(total_s=total_s, stall_s=float(self.job.settings["run.stall_s"])),
            self.run.id,
            self.job.shared,
            self.stop,
        )
        took_s = time.monotonic() - began
        self.spent = self.spent.and_time(took_s).and_of(self.ear.tally)
        outcome = _redacted(classify(self._ended(finish.ended), self.ear.tally, finish.stderr))
        return self._note(outcome, took_s, stand_in)

    def _mind_the_breaker(self) -> None:
        if breaker.allowed(self.job.shared, self.model, time.time()):
            return
        # None for a model that the user has named.
        stand_in = policy.stand_in(self.model, [each.model for each in self.history], self._policy())
        if stand_in:
            self.progress.note(f"{self.model} has failed too often just now: {stand_in} stands in")
            self.model = stand_in

    def _time_left(self) -> float:
        return max(self.deadline - time.time(), LEAST_S)

    def _ended(self, ended: Ended) -> Ended:
        """A loop is ended by us, but not on anybody's request."""
        return ended._replace(aborted=False, stalled=True) if self.stop.why == "loop" else ended

    def _note(self, outcome: Outcome, took_s: float, stand_in: str) -> Outcome:
        """In the history, the log and the breakers; an answer that a stand-in gave says so."""
        stood_in, why = policy.fallen(self.model, stand_in, self.ear.tally)
        if stood_in and not outcome.detail:
            outcome = outcome._replace(detail=f"{why}: {stood_in} stood in for {self.model}")
        took_ms, served = round(took_s * 1000, 1), self.ear.tally.answered_by
        self.history.append(Attempt(self.model, outcome.kind, took_ms, outcome.detail, stood_in, served))
        log.tell("info", "attempt.finished", model=self.model, outcome=outcome.kind, took_s=round(took_s, 3))
        now = time.time()
        if self.ear.tally.limits and self.job.place.user:
            quota.note(self.job.place.user, quota.told(self.ear.tally.limits), "stream", now)
        if stood_in:
            breaker.failed(self.job.shared, self.model, why, now)
        if outcome.kind == "ok":
            breaker.succeeded(self.job.shared, stood_in or self.model)
        else:
            breaker.failed(self.job.shared, stood_in or self.model, outcome.kind, now, outcome.reset_at)
        return outcome

    def _next(self, outcome: Outcome, evidence: Evidence | None = None) -> Move:
        evidence = evidence or policy.evidence_in(self.ear.tally.result)
        return policy.next_move(outcome, self.history, self._policy(), time.time(), evidence)

    def _check(self, outcome: Outcome, move: Move) -> tuple[Outcome, Move]:
        """The same where the check is green; a red one is evidence that a stronger agent is needed."""
        job = self.job
        self.progress.note(f"checking: {' '.join(job.check)}")
        began = time.monotonic()
        checked = check.run(job.check, job.env, job.place.root, self._time_left(), self.run.id, job.shared, self.stop)
        self.spent = self.spent.and_time(time.monotonic() - began)
        log.tell("info", "check.finished", code=checked.code)
        self.checked = checked
        if checked.ended.aborted:
            return _STOPPED
        if checked.is_green:
            self.progress.note("the check is green")
            return outcome, move
        move = self._next(outcome, checked.evidence)
        self.history[-1] = self.history[-1]._replace(detail=move.why)
        if checked.last_line:
            self.progress.note(f"the check has said: {checked.last_line}")
        return Outcome("no_check" if checked.fault else "red_check", move.why), move

    def _policy(self) -> Limits:
        now = time.time()
        seen = breaker.view(self.job.shared, now)
        return Limits(
            deadline=self.deadline,
            retries=int(self.job.settings["run.attempts"]) - 1,
            backoff_s=float(self.job.settings["run.backoff_s"]),
            escalations=0 if self.job.is_forced else 1,
            stand_ins=() if self.job.model else None,
            closed=frozenset(model for model, view in seen.items() if view["state"] == "open"),
            random=random.random(),  # noqa: S311  jitter, no secret
        )

    def _above(self) -> tuple[str, ...]:
        """The tiers that the agent may ask for, once a request."""
        if self.job.is_forced or any(each.kind == "ok" for each in self.history):
            return ()
        return policy.TIERS[policy.TIERS.index(self.tier) + 1 :]

    def _apply(self, move: Move) -> None:
        if move.kind == "fallback" and move.model:
            self.model = move.model
        elif move.kind == "escalate" and move.tier:
            if self.agent.removeprefix(definitions.PLUGIN) == self.job.settings[f"agents.{self.tier}"]:
                self.agent = str(self.job.settings[f"agents.{move.tier}"])
            self.model = self.tier = move.tier

    def _wait(self, seconds: float) -> bool:
        """False when we were asked to stop meanwhile."""
        if seconds > 0 and self.stop.why is None:
            select.select([self.stop], [], [], seconds)
            self.spent = self.spent.and_time(seconds)
        return self.stop.why is None

    def _wait_for_room(self) -> None:
        """A machine without memory is given time, not another agent; in the end it is tried all the same."""
        until = time.monotonic() + float(self.job.settings["run.wait_s"])
        while (shortage := slots.room(ROOM)) and time.monotonic() < until and self._wait(ROOM_LOOK_S):
            self.progress.note(f"waiting: {shortage}")

    def _record(self, outcome: Outcome, move: Move) -> Record:
        took_ms = self.job.decided_ms + (time.monotonic_ns() - self.job.started_ns) / 1e6
        is_done = move.kind == "done"
        result = (self.ear.tally.result or {}).get("result")
        is_answer = is_done or outcome.kind in ("red_check", "no_check")
        return {
            "run": self.run.id,
            "session": self.job.known.session,
            "prompt_id": self.job.prompt_id,
            "decision": self.job.decision,
            "mode": self.job.mode,
            "agent": self.agent,
            "tier": self.tier,
            "outcome": outcome.kind,
            "exit_code": OK if is_done else move.exit_code,
            "detail": outcome.detail if is_done else move.why or outcome.detail,
            "model_requested": attempt.by_name(self.job, self.model),
            "model_served": self.ear.tally.answered_by,
            "models": self.spent.figures(),
            "cost_usd": self.spent.cost_usd,
            "attempts": [_attempt_told(each) for each in self.history],
            "check": self.checked and self.checked.as_json(),
            "answer": result if isinstance(result, str) and is_answer else "",
            "truncated": False,
            "turns": self.spent.turns,
            "took_ms": round(took_ms, 1),
            "overhead_ms": round(max(took_ms - self.spent.theirs_s * 1000, 0.0), 1),
            "started_at": journal.stamp(self.began),
            "finished_at": journal.stamp(time.time()),
        }


def _redacted(outcome: Outcome) -> Outcome:
    """What a client said on failing may quote a key, and it is told on stderr, in the record and in the log."""
    if not outcome.detail:
        return outcome
    from state.redact import redact  # noqa: PLC0415  16 ms that a run without errors does not owe

    return outcome._replace(detail=redact(outcome.detail))


def _attempt_told(each: Attempt) -> records.Attempt:
    return {
        "model": each.model,
        "served": each.served,
        "kind": each.kind,
        "took_ms": each.took_ms,
        "detail": each.detail,
    }


def _told(move: Move) -> str:
    if move.kind == "retry":
        return f" in {move.after_s:.1f} s" if move.after_s else ""
    return f" to {move.model or move.tier}"
