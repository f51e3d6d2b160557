"""One question to a model that has no tools and no project: what judges are asked with.

It goes the way of an agent's run, by the same client, breaker, places and sweep: with one turn, one try and no record.
"""

import os
import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import NamedTuple

from orchestrate.agents import breaker, command, process, slots
from orchestrate.agents.outcome import classify
from orchestrate.agents.process import ProcessLimits
from orchestrate.agents.stream import Tally
from state import files, quota
from state.errors import FAILED, INTERRUPTED, UserError
from state.paths import Place
from state.snapshot import Value

FOLDER = "cache/ask"  # empty: no project's instructions, tools or settings are read there
LEAST_S = 1.0
_KEEP_OUT = ("--tools", "", "--strict-mcp-config", "--disable-slash-commands", "--no-session-persistence")


class Asker(NamedTuple):
    place: Place
    env: Mapping[str, str]
    settings: Mapping[str, Value]
    session: str = ""

    @property
    def shared(self) -> str:
        return self.place.user or self.place.state

    def model(self, tier: str) -> str:
        """What the client is asked for."""
        return str(self.settings[f"models.{tier}"]) or tier


class Question(NamedTuple):
    system: str
    text: str
    tier: str
    timeout_s: float  # all of it, a wait for a place included


class Answer(NamedTuple):
    text: str
    failed: str  # why there is no text, in a line
    model: str | None  # that gave it
    took_ms: float


def put(asker: Asker, question: Question) -> Answer:
    """Never raises but where the user stops it: without an answer there is a reason."""
    began = time.monotonic()
    text, failed, model = "", forbidden(asker), None
    if not failed:
        try:
            text, failed, model = _within_a_place(asker, question, began)
        except UserError as error:
            if error.code == INTERRUPTED:
                raise
            failed = str(error)
    return Answer(text, failed, model, round((time.monotonic() - began) * 1000, 1))


def forbidden(asker: Asker) -> str:
    """Why nothing may be asked now: the user's switches, our own depth, his limits."""
    if why := switched_off(asker):
        return why
    used = quota.pressure(quota.read(asker.place.user), time.time()) if asker.place.user else None
    if used and used[1] >= float(asker.settings["quota.pressure"]):
        return f"{used[1]:.0%} of the {quota.TITLES[used[0]]} limit is used"
    return ""


def switched_off(asker: Asker) -> str:
    if asker.env.get("ORCHESTRATOR_DISABLED") == "1":
        return "ORCHESTRATOR_DISABLED=1"
    if not asker.settings["rollout.enabled"]:
        return "rollout.enabled is false"
    return "an agent that was started here asks" if command.depth(asker.env) > 0 else ""


def _within_a_place(asker: Asker, question: Question, began: float) -> tuple[str, str, str | None]:
    """A disk that takes no lock costs the bound, not the answer."""
    wait_s = min(float(asker.settings["run.wait_s"]), question.timeout_s - LEAST_S)
    with ExitStack() as stack:
        try:
            stack.enter_context(slots.slot(asker.shared, int(asker.settings["run.at_once"]), max(wait_s, 0.0)))
        except UserError as error:
            if error.code != FAILED:  # all places are taken
                raise
        if not breaker.allowed(asker.shared, question.tier, time.time()):  # once we are sure to ask, and to tell of it
            return "", f"{question.tier} does not answer just now", None
        return _asked(asker, question, began)


def _asked(asker: Asker, question: Question, began: float) -> tuple[str, str, str | None]:
    left_s = max(question.timeout_s - (time.monotonic() - began), LEAST_S)
    folder = f"{asker.place.user}/{FOLDER}" if asker.place.user else "/"  # what else we have lies in the project
    files.folder(folder)
    spec, tally = _spec(asker, question, left_s), Tally()
    finish = process.run(
        [*command.argv(spec), "--system-prompt", question.system, *_KEEP_OUT],
        command.environment(asker.env, spec, asker.session, {}),
        folder,
        question.text.encode("utf-8", "replace"),
        tally.feed,
        ProcessLimits(total_s=left_s),
        f"ask-{os.urandom(6).hex()}",
        asker.shared,
    )
    outcome = classify(finish.ended, tally, finish.stderr)
    _note(asker, question.tier, tally, outcome.kind, outcome.reset_at)
    if outcome.kind == "aborted":
        raise UserError("stopped on request", INTERRUPTED)
    if outcome.kind != "ok":
        return "", _redacted(f"{outcome.kind}: {outcome.detail}"), tally.answered_by
    return str((tally.result or {}).get("result")), "", tally.answered_by


def _spec(asker: Asker, question: Question, left_s: float) -> command.Spec:
    return command.Spec(
        program=str(asker.settings["claude_binary"]),
        model=asker.model(question.tier),
        agent="",
        definition=None,
        fallback_model="",
        max_turns=1,
        max_budget_usd=float(asker.settings["run.max_budget_usd"]),
        permission_mode="",
        client_session="",
        note="",
        request_timeout_s=left_s,
        retries=1,
    )


def _note(asker: Asker, tier: str, tally: Tally, kind: str, reset_at: float | None) -> None:
    """What all others are to know of the service and of the limits."""
    now = time.time()
    if tally.limits and asker.place.user:
        quota.note(asker.place.user, quota.told(tally.limits), "stream", now)
    if kind == "ok":
        breaker.succeeded(asker.shared, tier)
    else:
        breaker.failed(asker.shared, tier, kind, now, reset_at)


def _redacted(line: str) -> str:
    from state.redact import redact  # noqa: PLC0415  16 ms that an answer does not owe

    return redact(line)
