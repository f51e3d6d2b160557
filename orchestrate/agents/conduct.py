"""One request answered: attempt after attempt until the policy says that it is done, and one record of all of them."""

import random
import select
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from typing import NamedTuple

from orchestrate.agents import breaker, command, context, definitions, notes, policy, process, runs, slots
from orchestrate.agents.outcome import Ended, Outcome, classify
from orchestrate.agents.policy import Attempt, Limits, Move
from orchestrate.agents.process import ProcessLimits
from orchestrate.agents.progress import Progress
from orchestrate.agents.record import Facts, Record
from orchestrate.agents.stop import Stop, on_signals
from orchestrate.agents.stream import Tally, Usage, add
from state import journal, log
from state.errors import FAILED, INTERRUPTED, OK, REFUSED, UserError
from state.paths import Place
from state.snapshot import Value

DEEPEST = 3  # an agent that starts an agent that starts an agent
LOOP = 10  # the same tool call so often in a row is no progress
ROOM = slots.RoomLimits(memory_mib=256, load_per_core=16.0)
ROOM_LOOK_S = 2.0
LEAST_S = 0.1  # what an attempt gets when the time is up as it starts
CLIENT_RETRIES = 2
REQUEST_TIMEOUT_S = 600.0


class Job(NamedTuple):
    place: Place
    env: Mapping[str, str]
    settings: Mapping[str, Value]
    known: context.Known  # holds session and request
    prompt_id: str
    fingerprint: Mapping[str, object]  # hash and length of the request
    decision: dict[str, object]
    mode: str
    agent: str
    tier: str
    model: str = ""  # the user's own choice; empty: the tier's
    is_forced: bool = False  # the user named model or agent: no escalation
    timeout_s: float | None = None
    within_s: float | None = None  # for all attempts together
    started_ns: int = 0  # monotonic: when the decision was made
    decided_ms: float = 0.0  # from the start of the process to the decision


class Spent(NamedTuple):
    """What the attempts so far have used, and the time that was not ours."""

    models: dict[str, Usage]
    is_paid: bool  # by an API key
    turns: int
    theirs_s: float


def conduct(job: Job, say: Callable[[str], None], progress: Progress, warn: Callable[[str], None]) -> Record:
    """`say` is given the answer's text as it comes."""
    if command.depth(job.env) >= DEEPEST:
        raise UserError(f"agents start agents {DEEPEST} deep already: this one is not started", REFUSED)
    definitions.find(job.place, job.env, job.agent)
    now = time.time()
    facts = Facts(
        session=job.known.session,
        prompt_id=job.prompt_id,
        agent=job.agent,
        tier=job.tier,
        model=job.model or job.tier,
        hash=str(job.fingerprint["hash"]),
        length=int(str(job.fingerprint["length"])),
        decided_ms=job.decided_ms,
    )
    shared = job.place.user or job.place.state  # what all processes of this user share
    waiting_ns = time.monotonic_ns()
    with ExitStack() as stack:
        stop = stack.enter_context(closing(Stop()))
        stack.enter_context(on_signals(stop))
        _take_place(stack, job, shared, stop, warn)
        waited_s = (time.monotonic_ns() - waiting_ns) / 1e9
        run = runs.begin(job.place, facts, now, warn)
        log.bind(run=run.id)
        log.tell("info", "run.started", agent=job.agent, tier=job.tier)
        passed = context.hand_over(run, job.known, job.env)
        for warning in passed.warnings:
            warn(warning)
        record = _Conduct(job, run, passed.env, stop, say, progress, now, waited_s).record()
        run.finish(record, time.time())
        log.tell("info", "run.finished", outcome=record["outcome"], exit_code=record["exit_code"])
    return record


def _take_place(stack: ExitStack, job: Job, shared: str, stop: Stop, warn: Callable[[str], None]) -> None:
    """One of `run.at_once`. A disk that takes no lock costs the bound, not the answer."""
    at_once, wait_s = int(job.settings["run.at_once"]), float(job.settings["run.wait_s"])
    try:
        stack.enter_context(slots.slot(shared, at_once, min(wait_s, job.within_s or wait_s), stop))
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
        say: Callable[[str], None],
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
        self.shared = job.place.user or job.place.state
        self.agent, self.tier = job.agent, job.tier
        self.model = job.model or job.tier
        self.history: list[Attempt] = []
        self.spent = Spent({}, False, 0, waited_s)
        self.tally = Tally()
        timeout_s = job.timeout_s or float(job.settings["run.timeout_s"])
        self.limits = ProcessLimits(total_s=timeout_s, stall_s=float(job.settings["run.stall_s"]))
        # What waits for the answer began to wait with the request; an attempt's own time begins with its start.
        attempts_s = timeout_s * int(job.settings["run.attempts"])
        self.deadline = now + (job.within_s or waited_s + attempts_s)

    def record(self) -> Record:
        notes.sweep_dead(self.shared)
        with self.progress.ticking():
            self._wait_for_room()
            outcome, move = self._attempts()
        self.progress.end(outcome.kind, self.tally)
        return self._record(outcome, move)

    def _attempts(self) -> tuple[Outcome, Move]:
        while True:
            outcome = self._attempt()
            move = self._next(outcome)
            if move.kind in ("done", "fail"):
                return outcome, move
            self.progress.note(f"{outcome.kind}: {move.kind}{_told(move)}: {move.why}")
            if not self._wait(move.after_s):
                return Outcome("aborted", "stopped on request"), Move("fail", "stopped on request", INTERRUPTED)
            self._apply(move)

    def _attempt(self) -> Outcome:
        if not breaker.allowed(self.shared, self.model, time.time()):
            stand_in = policy.stand_in(self.model, [attempt.model for attempt in self.history], self._policy())
            if stand_in and not self.job.model:
                self.progress.note(f"{self.model} has failed too often just now: {stand_in} stands in")
                self.model = stand_in
        self.tally = Tally()
        self.progress.start(self.model)
        spec = self._spec()
        began = time.monotonic()
        finish = process.run(
            command.argv(spec),
            command.environment(self.job.env, spec, self.job.known.session, self.passed),
            self.job.place.root,
            _sendable(self.job.known.request),
            self._heard,
            self.limits._replace(total_s=self._time_left()),
            self.run.id,
            self.shared,
            self.stop,
        )
        took_s = time.monotonic() - began
        self._theirs(took_s)
        outcome = _redacted(classify(self._ended(finish.ended), self.tally, finish.stderr))
        self._note(outcome, took_s)
        return outcome

    def _time_left(self) -> float:
        return max(min(self.limits.total_s or 0.0, self.deadline - time.time()), LEAST_S)

    def _heard(self, line: bytes) -> None:
        said = self.tally.text
        self.tally.feed(line)
        self.run.keep(line)
        self.progress.update(self.tally)
        if self.tally.text != said and policy.evidence_in({"result": self.tally.text}) == policy.NOTHING:
            with self.progress.aside():
                self.say(self.tally.text)
        if self.tally.tool_repeats >= LOOP:
            self.stop.ask("loop")

    def _ended(self, ended: Ended) -> Ended:
        """A loop is ended by us, but not on anybody's request."""
        return ended._replace(aborted=False, stalled=True) if self.stop.why == "loop" else ended

    def _note(self, outcome: Outcome, took_s: float) -> None:
        self.history.append(Attempt(self.model, outcome.kind, round(took_s * 1000, 1), outcome.detail))
        log.tell("info", "attempt.finished", model=self.model, outcome=outcome.kind, took_s=round(took_s, 3))
        now = time.time()
        if outcome.kind == "ok":
            breaker.succeeded(self.shared, self.model)
        else:
            breaker.failed(self.shared, self.model, outcome.kind, now, outcome.reset_at)
        models = dict(self.spent.models)
        for model, usage in self.tally.spent.items():
            models[model] = add(models.get(model, Usage()), usage)
        is_paid = self.spent.is_paid or self.tally.api_key_source not in (None, "none")
        self.spent = Spent(models, is_paid, self.spent.turns + self.tally.turns, self.spent.theirs_s)

    def _theirs(self, seconds: float) -> None:
        self.spent = self.spent._replace(theirs_s=self.spent.theirs_s + seconds)

    def _next(self, outcome: Outcome) -> Move:
        evidence = policy.evidence_in(self.tally.result)
        return policy.next_move(outcome, self.history, self._policy(), time.time(), evidence)

    def _policy(self) -> Limits:
        now = time.time()
        closed = frozenset(model for model, seen in breaker.view(self.shared, now).items() if seen["state"] == "open")
        return Limits(
            deadline=self.deadline,
            retries=int(self.job.settings["run.attempts"]) - 1,
            backoff_s=float(self.job.settings["run.backoff_s"]),
            escalations=0 if self.job.is_forced else 1,
            stand_ins=() if self.job.model else None,
            closed=closed,
            random=random.random(),  # noqa: S311  jitter, no secret
        )

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
            self._theirs(seconds)
        return self.stop.why is None

    def _wait_for_room(self) -> None:
        """A machine without memory is given time, not another agent; in the end it is tried all the same."""
        until = time.monotonic() + float(self.job.settings["run.wait_s"])
        while (shortage := slots.room(ROOM)) and time.monotonic() < until and self._wait(ROOM_LOOK_S):
            self.progress.note(f"waiting: {shortage}")

    def _spec(self) -> command.Spec:
        settings = self.job.settings
        definition = definitions.find(self.job.place, self.job.env, self.agent)
        return command.Spec(
            program=str(settings["claude_binary"]),
            model=self.model,
            agent=definition.name,
            definition=definition.as_json() if definition.source == definitions.OURS else None,
            fallback_model="",
            max_turns=int(settings["run.max_turns"]),
            max_budget_usd=float(settings["run.max_budget_usd"]),
            permission_mode=str(settings["run.permission_mode"]),
            client_session=command.new_session(),  # one that was used before is refused
            note=" ".join([*_note_on(self.passed), *self._way_up()]),
            request_timeout_s=min(REQUEST_TIMEOUT_S, self.limits.total_s or REQUEST_TIMEOUT_S),
            retries=CLIENT_RETRIES,
        )

    def _way_up(self) -> list[str]:
        """How the agent asks for a stronger one, as long as there is one."""
        above = policy.TIERS[policy.TIERS.index(self.tier) + 1 :]
        if self.job.is_forced or not above or any(attempt.kind == "ok" for attempt in self.history):
            return []
        ask = '{"escalate": "' + '" or "'.join(above) + '", "why": "..."}'
        return [f"If the work needs a stronger model, change nothing and answer with this JSON alone: {ask}"]

    def _record(self, outcome: Outcome, move: Move) -> Record:
        now_ns = time.monotonic_ns()
        took_ms = self.job.decided_ms + (now_ns - self.job.started_ns) / 1e6
        result = (self.tally.result or {}).get("result")
        costs = [usage.cost_usd for usage in self.spent.models.values()]
        known = [cost for cost in costs if cost is not None]
        return {
            "run": self.run.id,
            "session": self.job.known.session,
            "prompt_id": self.job.prompt_id,
            "decision": self.job.decision,
            "mode": self.job.mode,
            "agent": self.agent,
            "tier": self.tier,
            "outcome": outcome.kind,
            "exit_code": OK if move.kind == "done" else move.exit_code,
            "detail": outcome.detail if move.kind == "done" else move.why or outcome.detail,
            "model_requested": self.model,
            "model_served": self.tally.served[0] if self.tally.served else None,
            "models": {model: self._figures(usage) for model, usage in self.spent.models.items()},
            "cost_usd": round(sum(known), 9) if self.spent.is_paid and len(known) == len(costs) else None,
            "attempts": [
                {"model": each.model, "kind": each.kind, "took_ms": each.took_ms, "detail": each.detail}
                for each in self.history
            ],
            "answer": result if isinstance(result, str) and move.kind == "done" else "",
            "truncated": False,
            "turns": self.spent.turns,
            "took_ms": round(took_ms, 1),
            "overhead_ms": round(max(took_ms - self.spent.theirs_s * 1000, 0.0), 1),
            "started_at": journal.stamp(self.began),
            "finished_at": journal.stamp(time.time()),
        }

    def _figures(self, usage: Usage) -> dict[str, int | float | None]:
        return {**usage._asdict(), "cost_usd": usage.cost_usd if self.spent.is_paid else None}


def _redacted(outcome: Outcome) -> Outcome:
    """What a client said on failing may quote a key, and it is told on stderr, in the record and in the log."""
    if not outcome.detail:
        return outcome
    from state.redact import redact  # noqa: PLC0415  16 ms that a run without errors does not owe

    return outcome._replace(detail=redact(outcome.detail))


def _sendable(request: str) -> bytes:
    """A request that begins with a slash would be taken as a command of the client."""
    text = f"The request: {request}" if request.lstrip().startswith("/") else request
    return text.encode("utf-8", "replace")


def _note_on(passed: Mapping[str, str]) -> list[str]:
    path = passed.get(context.FILE)
    return [f"What led to this request is in the JSON file {path}; read it if you need it."] if path else []


def _told(move: Move) -> str:
    if move.kind == "retry":
        return f" in {move.after_s:.1f} s" if move.after_s else ""
    return f" to {move.model or move.tier}"
