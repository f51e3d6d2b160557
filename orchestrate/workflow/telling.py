"""What a run tells: all of it to those who watch it, and what is to stay to the session's log."""

import dataclasses
import sys
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress

from orchestrate.workflow import inbox, runs
from orchestrate.workflow.runs import CANCELLED, FAILED, FINISHED, SKIPPED, Header, Result
from orchestrate.workflow.spec import Step
from state import journal

ACTOR = "orchestrate-workflow"
RUN, STEP = "orchestration.workflow", "orchestration.step"
PROGRESS = f"{STEP}.progress"
ENDS = (f"{RUN}.finished", f"{RUN}.cancelled")
_VERBS = {FINISHED: "finished", FAILED: "failed", SKIPPED: "skipped", CANCELLED: "cancelled"}
_TEXT_MOST = 500


class Telling:
    """Nothing that cannot be told stops a run."""

    def __init__(self, header: Header) -> None:
        self.header = header
        self._over: set[str] = set()  # steps whose end was told in an earlier life
        self._begun: set[str] = set()
        self._taken_down: set[str] = set()  # steps that an earlier life began

    def begin(self) -> None:
        lives = 0
        for _, event in runs.events(self.header):
            if event.get("generation") == self.header.generation:
                lives += event.get("type") in (f"{RUN}.started", f"{RUN}.resumed")
                if event.get("type") == f"{STEP}.started":
                    self._taken_down.add(str(event.get("step")))
                if "step" in event and event.get("status") in _VERBS:
                    self._over.add(str(event.get("step")))
        payload = {"workflow": self.header.workflow, "steps": self.header.steps}
        if lives:
            self._tell(RUN, "resumed", {**payload, "why": "the runner began anew"})
        elif self.header.generation > 1:
            self._tell(RUN, "resumed", {**payload, "why": "asked for"})
        else:
            self._tell(RUN, "started", payload)

    def started(self, unit: str, step: Step, payload: Mapping[str, object]) -> None:
        if unit not in self._begun:
            self._begun.add(unit)
            self._over.discard(unit)  # its end was told, and could not be kept
            self._tell(STEP, "started", {"step": unit, "kind": step.kind, **payload})

    def progress(self, unit: str, payload: Mapping[str, object]) -> None:
        with suppress(OSError):
            runs.tell(self.header, PROGRESS, {"step": unit, **payload})

    def ended(self, unit: str, step: Step, result: Result) -> None:
        """Once in a generation, whatever dies meanwhile. What was not begun as the run ended is not told."""
        if unit in self._over or result.status not in _VERBS or result.generation < self.header.generation:
            return
        if result.status == CANCELLED and unit not in self._begun and unit not in self._taken_down:
            return
        self._over.add(unit)
        payload = {
            "step": unit,
            "kind": step.kind,
            "status": result.status,
            "detail": result.detail[:_TEXT_MOST],
            "exit_code": result.exit_code,
            "model": result.model,
            "tokens": result.tokens,
            "took_s": result.took_s,
            "runs": [folder.rpartition("/")[2] for folder in result.runs],
        }
        self._tell(STEP, _VERBS[result.status], payload)

    def bug(self, unit: str, error: Exception) -> str:
        """What a step failed by that nobody but us can mend: whole for the runner's log, a line for the user."""
        from state.redact import redact  # noqa: PLC0415  16 ms that a run without bugs does not owe

        whole = "".join(traceback.format_exception(error))
        sys.stderr.write(redact(f"{journal.stamp(time.time())} {self.header.run}/{unit}: {whole}"))
        sys.stderr.flush()
        log = inbox.log(self.header.user or self.header.state)
        return f"a bug of orchestrate's own, {type(error).__name__}: {redact(str(error))}: the traceback is in {log}"

    def finish(self, header: Header) -> Header:
        found = runs.read(header.state, header.run)
        if found and found.is_over and found.generation == header.generation:
            header = found  # an earlier life has written it down
            if self._has_told_the_end():
                return header
        else:
            header = dataclasses.replace(header, finished_at=journal.stamp(time.time()))
            runs.save(header)
        verb = "cancelled" if header.status == CANCELLED else "finished"
        told = {"workflow": header.workflow, "status": header.status, "exit_code": header.exit_code}
        self._tell(RUN, verb, {**told, "detail": header.detail[:_TEXT_MOST]})
        return header

    def _has_told_the_end(self) -> bool:
        told = (event for _, event in runs.events(self.header) if event.get("type") in ENDS)
        return any(event.get("generation") == self.header.generation for event in told)

    def _tell(self, entity: str, verb: str, payload: Mapping[str, object]) -> None:
        kind, header = f"{entity}.{verb}", self.header
        whole = {**payload, "generation": header.generation}
        name = f"{header.run}/{payload['step']}" if "step" in payload else header.run
        told: dict[str, object] = {"run": header.run, **whole}
        about, told_by = (entity.rpartition(".")[2], name), (ACTOR, header.env.get(journal.CORRELATION))
        event = journal.event(header.place, kind, header.session, None, about, told, time.time(), *told_by)
        with suppress(OSError):
            journal.record(header.place, event)
        with suppress(OSError):
            runs.tell(header, kind, whole)
