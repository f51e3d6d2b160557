"""One job from its worktree to its verdict, in a thread of its own: an agent, a commit, the checks.

A job that is begun again gets a worktree anew, but for one whose agent had done its work when the night was cut off:
that goes on from there.
"""

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from orchestrate import worktrees
from orchestrate.agents import answer, runs
from orchestrate.agents.answer import Wish
from orchestrate.agents.check import Checked
from orchestrate.agents.record import Record
from orchestrate.agents.stop import Stop
from orchestrate.agents.stream import Usage
from orchestrate.overnight import checks, kept
from orchestrate.overnight.hearing import Hearing
from orchestrate.overnight.job import Job
from orchestrate.overnight.kept import Made
from orchestrate.request import context, mode
from orchestrate.request.call import Call
from state import journal
from state.errors import FAILED, INTERRUPTED, LOCK_TIMEOUT, REFUSED, UserError
from state.files import failure
from state.paths import Place
from state.snapshot import Snapshot, Value

ACTOR = "orchestrate-overnight"
WAIT_S = 86_400.0  # for a place to run an agent: the night counts its own
BRIEFING = (
    "Nobody is there to answer: decide yourself what you can. You work in a copy of the project that is yours alone; "
    "what you change in its files is committed for you. For each thing that only the user can decide, end your answer "
    "with a line that begins with DECISION:"
)
_DECISION = "DECISION:"
_DECISIONS_MOST, _DECISION_CHARS = 20, 500


class Task(NamedTuple):
    job: Job
    fence: int
    place: Place  # of the project
    folder: str  # the job's own
    session: str
    env: Mapping[str, str]
    settings: Mapping[str, Value]
    commands: tuple[tuple[str, ...], ...]  # its checks
    used: Callable[[Mapping[str, Usage]], None]
    read: Callable[[], None]  # called when its stream gave a reading of the limits

    @property
    def shared(self) -> str:
        return self.place.user or self.place.state

    @property
    def tree(self) -> str:
        return where(self.folder, self.job)["worktree"]

    @property
    def branch(self) -> str:
        return where(self.folder, self.job)["branch"]

    @property
    def within_s(self) -> float:
        """For the agent, and again for each check."""
        return self.job.minutes * 60 if self.job.minutes else float(self.settings["run.timeout_s"])


class End(NamedTuple):
    """`verdict` is that of the checks; `kind` is the agent's outcome, or `fault` where it came to none."""

    kind: str
    why: str
    verdict: str = checks.NONE
    made: Made | None = None
    ran: tuple[Checked, ...] = ()
    reset_at: float | None = None
    code: int = FAILED
    was_run: bool = True  # False: it came to no agent


def where(folder: str, job: Job) -> dict[str, str]:
    return {"worktree": f"{folder}/tree", "branch": f"overnight/{job.code}"}


def work(task: Task, stop: Stop) -> End:
    try:
        made = kept.read(task.folder, task.job.id) or _agent(task, stop)
        return made if isinstance(made, End) else _judged(task, made, stop)
    except UserError as error:
        return End(_FAULTS.get(error.code, "fault"), str(error), code=error.code)
    except OSError as error:
        return End("fault", str(failure(error.filename or task.folder, error)))


_FAULTS = {INTERRUPTED: "aborted", LOCK_TIMEOUT: "busy", REFUSED: "refused"}


def _agent(task: Task, stop: Stop) -> Made | End:
    started_ns = time.monotonic_ns()
    kept.forget(task.folder)
    try:
        base = _worktree(task)
    except UserError as error:
        return End(_FAULTS.get(error.code, "fault"), str(error), code=error.code, was_run=False)
    place = Place(task.tree, task.place.project, task.place.state, task.place.user, task.place.initialised)
    settings, env = _settings(task), worktrees.environment(task.env)
    payload: dict[str, object] = {"prompt": task.job.text, "prompt_id": f"overnight-{task.job.id}-{task.fence}"}
    call = Call(payload, env, place, Snapshot(settings, {}, False, None), task.session, time.time())
    found = context.detect(env, settings, time.localtime().tm_hour, False, presumed=False)
    chosen = mode.select(found, settings, env, mode.ORCHESTRATION, called=True)
    if chosen.refused:
        raise UserError(f"no agent is run: {chosen.reason}", REFUSED)
    wish = Wish(agent=task.job.agent or "", model=task.job.tier or "", timeout_s=task.within_s)
    outcome = answer.decide(call, task.job.text, found, chosen, wish)
    outcome.payload["overhead_ms"] = round((time.monotonic_ns() - started_ns) / 1e6, 3)
    outcome.payload["job"] = task.job.code
    decided = _record(call, outcome.kind, outcome.entity, outcome.payload)
    if not answer.is_to_run(outcome):
        return End(str(outcome.payload.get("degraded") or "refused"), "no agent can be started: is the client on PATH?")
    hearing = Hearing(str(outcome.payload["agent"]), task.shared, task.used, task.read)
    text = f"{task.job.text}\n\n{BRIEFING}"
    record = answer.run(call, text, outcome, _say, hearing, _warn, wish, started_ns, task.within_s, stop)
    made = _made(place, record, base, decided)
    if record["exit_code"] == 0:
        kept.keep(task.folder, task.job.id, made)
        return made
    so_far = made._replace(commit=_commit(task, made)) if record["outcome"] in _LEAVES_WORK else made
    why = f"{record['outcome']}: {record['detail']}" if record["detail"] else record["outcome"]
    return End(record["outcome"], why, made=so_far, reset_at=hearing.reset_at)


# Of the agent, which may have got somewhere; what the service fails it in is begun again from the start.
_LEAVES_WORK = ("timeout", "stalled", "max_turns", "permission_denied", "budget")


def _worktree(task: Task) -> str:
    """As the project's last commit has it, on the job's own branch: the commit."""
    base = worktrees.head(task.place.root, task.env)
    worktrees.remove(task.tree)
    worktrees.make(task.place.root, base, task.tree, task.env)
    worktrees.begin_branch(task.tree, task.branch, task.env)
    return base


def _judged(task: Task, made: Made, stop: Stop) -> End:
    """What was committed before is what is checked: nothing that a check writes gets into it."""
    if made.is_committed:
        worktrees.reset(task.tree, made.commit or made.base, task.env)
    else:
        made = made._replace(commit=_commit(task, made), is_committed=True)
        kept.keep(task.folder, task.job.id, made)
    if made.commit is None:
        return End("ok", "it changed nothing", made=made)
    env = {**task.env, "CLAUDE_OVERNIGHT": "1"}
    found = checks.run(task.commands, task.tree, env, task.within_s, task.shared, stop)
    kind = "aborted" if found.verdict == checks.STOPPED else "ok"
    return End(kind, found.why, found.verdict, made, found.ran)


def _commit(task: Task, made: Made) -> str | None:
    subject = " ".join(task.job.text.split())[:60]
    return worktrees.keep(task.tree, task.branch, made.base, f"{subject} [{task.job.code}]\n", task.env)


def _made(place: Place, record: Record, base: str, decided: str) -> Made:
    return Made(
        base=base,
        run=record["run"],
        decided=decided,
        model=record["model_served"] or "",
        answer=f"{place.state}/runs/{record['run']}/{runs.ANSWER}" if record["answer"] else "",
        decisions=tuple(_decisions(record["answer"])),
        took_s=round(record["took_ms"] / 1000, 1),
    )


def _decisions(answer: str) -> list[str]:
    found = [line.strip() for line in answer.splitlines() if line.strip().startswith(_DECISION)]
    return [line.removeprefix(_DECISION).strip()[:_DECISION_CHARS] for line in found][:_DECISIONS_MOST]


def _settings(task: Task) -> dict[str, Value]:
    """One attempt: whether there is to be another, and when, is the night's to say."""
    permission = task.settings["run.permission_mode"] or "acceptEdits"
    ours: dict[str, Value] = {"run.attempts": 1, "run.wait_s": WAIT_S, "run.permission_mode": permission}
    return {**task.settings, **ours}


def _record(call: Call, kind: str, entity: tuple[str, str], payload: dict[str, object]) -> str:
    event = journal.event(call.place, kind, call.session, call.prompt_id, entity, payload, call.now, ACTOR)
    journal.record(call.place, event)
    return str(event["id"])


def _say(_: str) -> None:
    """An answer is kept with its run."""


def _warn(line: str) -> None:
    from state import log  # noqa: PLC0415  what only a warning owes

    log.tell("warning", "overnight.warned", line=line)
