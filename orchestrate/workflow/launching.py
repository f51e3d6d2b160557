"""A run begun, taken up again or called off: written down first, and then asked of the runner."""

import dataclasses
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from orchestrate.agents import command
from orchestrate.request import context, mode
from orchestrate.workflow import dag, inbox, runs
from orchestrate.workflow.runs import ENGINE, RUNNING, Header
from orchestrate.workflow.spec import AGENT, ROUTE, Step, Value, Workflow
from state import compiled, files, journal, locks, sessions, snapshot
from state.errors import NOT_FOUND, REFUSED, UserError
from state.paths import Place

# Of the environment of who starts a run, what its steps are to have. No secret: it is written down.
_HANDED = (
    "PATH",
    "VIRTUAL_ENV",
    "CLAUDE_CONFIG_DIR",
    "CLAUDE_OVERNIGHT",
    "BATCH_MODE",
    "CLAUDE_BATCH_MODE",
    "API_REQUEST",
    journal.CORRELATION,
)
_HANDED_BEGINNING = ("ORCHESTRATOR_CTX_", "ORCHESTRATOR_RUN__", "ORCHESTRATOR_MODELS__", "ORCHESTRATOR_AGENTS__")


def shared(place: Place) -> str:
    """Where the runner of this user lives."""
    return place.user or place.state


def begin(
    place: Place, workflow: Workflow, given: Mapping[str, Value], env: Mapping[str, str], most: int = 0
) -> Header:
    """Asked of the runner as it is returned."""
    _refuse(place, workflow, env)
    now = time.time()
    header = Header(
        run=runs.new_id(now),
        workflow=workflow.name,
        path=workflow.path,
        root=place.root,
        project=place.project,
        state=place.state,
        user=place.user or "",
        session=sessions.choose(place, None, dict(env)) or sessions.new_id(now),
        started_at=journal.stamp(now),
        digest=workflow.digest,
        max_parallel=most,
        steps=len(workflow.steps),
        inputs=dict(given),
        env=handed(env),
    )
    _compile(place, workflow)
    if sessions.current(place) is None:
        with suppress(UserError):
            files.replace(f"{place.state}/current", header.session.encode() + b"\n")
    runs.begin(header, workflow)
    inbox.ask(shared(place), inbox.START, header.state, header.run)
    return header


def again(header: Header, env: Mapping[str, str], since: str = "", alone: str = "") -> Header:
    """What has finished stays: but for the step `since` and all that builds on it, or the step `alone`.

    A run that goes on is only seen to: its runner may have been killed.
    """
    place = header.place
    with _locked(header):
        header = runs.read(header.state, header.run) or header
        if not header.is_over and not header.is_stranded:
            if since or alone:
                raise UserError(f"{header.run}: goes on: cancel it first (`orchestrate workflow cancel {header.run}`)")
            inbox.ask(shared(place), inbox.START, header.state, header.run)
            return header
        workflow = runs.workflow(header)
        _refuse(place, workflow, env)
        header = dataclasses.replace(
            header,
            engine=ENGINE,
            generation=header.generation + 1,
            status=RUNNING,
            exit_code=None,
            detail="",
            finished_at="",
            epochs=_epochs(header, workflow, since, alone),
            env=handed(env),
        )
        _compile(place, workflow)
        Path(header.folder, runs.CANCEL).unlink(missing_ok=True)
        runs.save(header)
    inbox.ask(shared(place), inbox.START, header.state, header.run)
    return header


def cancel(header: Header) -> None:
    """Marked in its folder, so that it holds whoever takes the run up next."""
    files.replace(f"{header.folder}/{runs.CANCEL}", b"")
    inbox.ask(shared(header.place), inbox.CANCEL, header.state, header.run)


def handed(env: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in env.items() if name in _HANDED or name.startswith(_HANDED_BEGINNING)}
    return {**kept, command.DEPTH: str(command.depth(env))}


def _epochs(header: Header, workflow: Workflow, since: str, alone: str) -> dict[str, int]:
    for name in (since, alone):
        if name and name not in {step.id for step in workflow.steps}:
            have = ", ".join(step.id for step in workflow.steps[:20])
            raise UserError(f"{header.run}: no step {name!r} (have: {have})", NOT_FOUND)
    anew = _from(workflow.steps, since) if since else {alone}
    return {
        step.id: header.generation + 1 if step.id in anew else header.epochs.get(step.id, 1) for step in workflow.steps
    }


def _from(steps: tuple[Step, ...], since: str) -> set[str]:
    """It, and all that waits for it, however far."""
    after = dag.followers(dag.needs(steps))
    found, waiting = {since}, [since]
    while waiting:
        for name in after[waiting.pop()]:
            if name not in found:
                found.add(name)
                waiting.append(name)
    return found


def _refuse(place: Place, workflow: Workflow, env: Mapping[str, str]) -> None:
    """What no step could do anything about."""
    if workflow.needs_trust:
        raise UserError("\n".join(workflow.needs_trust[:10]), REFUSED)
    steps = [*workflow.steps, *(step for child in workflow.children.values() for step in child.steps)]
    if not any(step.kind in (AGENT, ROUTE) for step in steps):
        return
    settings = snapshot.read(place, dict(env)).values
    found = context.detect(dict(env), settings, 0, True, presumed=False)
    chosen = mode.select(found, settings, dict(env), mode.ORCHESTRATION, called=True)
    if chosen.refused:
        raise UserError(f"workflows run agents, but {chosen.reason}", REFUSED)


def _compile(place: Place, workflow: Workflow) -> None:
    """The runner reads settings as they were compiled: of the project, and of the user for the runner itself."""
    for one in [place, *_user(place)]:
        with suppress(UserError):
            compiled.ensure_fresh(one)


def _user(place: Place) -> Iterator[Place]:
    if place.user:
        yield Place(str(Path(place.user).parent), "user", place.user, place.user, True)


@contextmanager
def _locked(header: Header) -> Iterator[None]:
    with locks.hold(f"{header.folder}/lock", compiled.lock_timeout_s(header.place)):
        yield
