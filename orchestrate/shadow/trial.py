"""One pair: the same past request to two tiers, each in a working copy of its own, and what became of both."""

import os
import random
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import NamedTuple

from orchestrate import worktrees
from orchestrate.agents import check, conduct, context
from orchestrate.agents.ask import Asker
from orchestrate.agents.job import Job
from orchestrate.agents.progress import Progress
from orchestrate.agents.record import Record
from orchestrate.agents.stop import Stop, on_signals
from orchestrate.request.call import fingerprint
from orchestrate.shadow import compare
from orchestrate.shadow.candidates import Subject
from orchestrate.shadow.classes import Group
from orchestrate.shadow.compare import DEARER, NO_WORK, Work
from orchestrate.shadow.pairs import Line
from orchestrate.worktrees import Commit
from routing.routing_core import tier_of
from state import journal
from state.errors import INTERRUPTED, UserError
from state.paths import Place
from state.snapshot import Value

SESSION = "shadow"
CONTROL_EVERY = 5  # pairs: the judge is shown work and no work, and ought to tell them apart
# Of the agent, not of the service: the work was not done.
ITS_OWN = ("timeout", "stalled", "max_turns", "permission_denied")


class Lab(NamedTuple):
    """What all pairs of one call share. `folder` is ours alone, and removed afterwards."""

    place: Place
    env: Mapping[str, str]
    settings: Mapping[str, Value]
    check: list[str]
    folder: str
    basis: str
    tell: Callable[[str], None]

    @property
    def shared(self) -> str:
        return self.place.user or self.place.state


class Done(NamedTuple):
    tier: str
    record: Record
    work: Work
    is_green: bool | None  # None: the check was not run

    @property
    def is_answer(self) -> bool:
        return self.record["outcome"] == "ok"

    @property
    def void(self) -> str:
        """Why it says nothing of the tier."""
        outcome, served = self.record["outcome"], self.record["model_served"]
        if not self.is_answer and outcome not in ITS_OWN:
            return f"{self.tier}: {outcome}"
        other = tier_of(served)
        return f"{self.tier}: {served} served" if self.is_answer and other and other != self.tier else ""

    def told(self) -> Line:
        record = self.record
        return {
            "tier": self.tier,
            "outcome": record["outcome"],
            "served": record["model_served"],
            "green": self.is_green,
            "took_ms": record["took_ms"],
            "cost_usd": record["cost_usd"],
            "models": record["models"],
        }


def run(lab: Lab, group: Group, subject: Subject, number: int, seed: int) -> Line:
    """`number`: how many pairs of the class came before. The cheaper tier works first: where the service fails it, the
    dearer one is not asked."""
    commit = worktrees.before(lab.place.root, subject.ts, lab.env)
    line: Line = {
        "v": 1,
        "ts": journal.stamp(time.time()),
        "class": group.name,
        "basis": lab.basis,
        "hash": subject.hash,
        "commit": commit.name,
        "commit_is": commit.how,
        "seed": seed,
    }
    cheaper = _worked(lab, group.below, subject, commit)
    dearer = None if cheaper.void else _worked(lab, group.tier, subject, commit)
    line |= {"cheaper": cheaper.told(), "dearer": dearer.told() if dearer else None}
    if dearer is None or dearer.void or not dearer.is_answer:
        void = cheaper.void or (dearer.void or f"{dearer.tier}: {dearer.record['outcome']}" if dearer else "")
        return {**line, "void": void}
    return {**line, **_compared(lab, subject, cheaper, dearer, number, seed)}


def _compared(lab: Lab, subject: Subject, cheaper: Done, dearer: Done, number: int, seed: int) -> Line:
    is_regression = dearer.is_green is True and cheaper.is_green is not True
    found: Line = {"regression": is_regression, "green": dearer.is_green is True}
    asker = Asker(lab.place, lab.env, lab.settings, SESSION)
    if not cheaper.is_answer:
        return {**found, "as_good": False, "judged": None}
    judged = compare.judged(asker, subject.text, cheaper.work, dearer.work, seed)
    if judged.failed:
        return {**found, "void": f"the judge failed: {judged.failed}"}
    found |= {"judged": judged.better, "as_good": not is_regression and judged.better != DEARER}
    if number % CONTROL_EVERY == 0:
        control = compare.judged(asker, subject.text, NO_WORK, dearer.work, random.Random(seed).getrandbits(32))  # noqa: S311  as there
        found["saw_control"] = None if control.failed else control.better == DEARER
    return found


def _worked(lab: Lab, tier: str, subject: Subject, commit: Commit) -> Done:
    """Nothing in the path of the working copy tells the tier."""
    path = f"{lab.folder}/{os.urandom(6).hex()}"
    try:
        worktrees.make(lab.place.root, commit.name, path, lab.env)
        lab.tell(f"{tier} works on a prompt of {subject.ts[:10]}")
        record = _run(lab, tier, subject, path)
        if record["outcome"] == "aborted":
            raise UserError("stopped on request", INTERRUPTED)
        work = Work(record["answer"].replace(path, "."), worktrees.changes(path, commit.name, lab.env))
        return Done(tier, record, work, _is_green(lab, path) if record["outcome"] == "ok" else None)
    finally:
        worktrees.remove(path)


def _run(lab: Lab, tier: str, subject: Subject, path: str) -> Record:
    """By the ordinary runner, apart from all that a project keeps of its runs: nothing of it is measured or learned."""
    place = Place(path, lab.place.project, f"{lab.folder}/state", lab.place.user, True)
    env = worktrees.environment(lab.env)
    agent = str(lab.settings[f"agents.{tier}"])
    job = Job(
        place=place,
        env=env,
        settings={
            **lab.settings,
            "run.attempts": 1,
            "run.permission_mode": lab.settings["run.permission_mode"] or "acceptEdits",
        },
        known=context.gather(place, SESSION, subject.text),
        prompt_id="",
        fingerprint=fingerprint(subject.text),
        decision={"agent": agent, "tier": tier},
        mode="orchestration",
        agent=agent,
        tier=tier,
        model=tier,
        is_forced=True,
        started_ns=time.monotonic_ns(),
    )
    return conduct.conduct(job, lambda _: None, Progress(None, agent, env), lab.tell)


def _is_green(lab: Lab, path: str) -> bool:
    with closing(Stop()) as stop, on_signals(stop):
        total_s, marker = float(lab.settings["run.timeout_s"]), f"shadow-{os.urandom(6).hex()}"
        checked = check.run(lab.check, worktrees.environment(lab.env), path, total_s, marker, lab.shared, stop)
    if checked.ended.aborted:
        raise UserError("stopped on request", INTERRUPTED)
    if checked.fault:
        raise UserError(f"shadow.check: {checked.fault}: name a command that runs in a fresh copy of the project")
    return checked.is_green
