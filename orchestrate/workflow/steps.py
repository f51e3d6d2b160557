"""What one step does, in a thread of its own until it is over: an agent or a command, in the project or in a copy.

A step that is begun again finds what its last beginning left: that is ended first, and its copy is reset.
"""

import dataclasses
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from orchestrate import worktrees
from orchestrate.agents import answer, notes, process
from orchestrate.agents.answer import Wish
from orchestrate.agents.process import ProcessLimits
from orchestrate.agents.progress import Progress, Told
from orchestrate.agents.stop import Stop
from orchestrate.request import context, mode
from orchestrate.request.call import Call
from orchestrate.workflow import values
from orchestrate.workflow.admission import Admitted
from orchestrate.workflow.runs import CANCELLED, FAILED, FINISHED, Header, Result
from orchestrate.workflow.spec import COMMAND, Step
from orchestrate.workflow.spec import Value as StepValue
from state import files
from state.errors import AGENT_TIMEOUT, INTERRUPTED, NOT_FOUND, REFUSED, USAGE, UserError
from state.paths import Place
from state.snapshot import Snapshot, Value

ACTOR = "orchestrate-workflow"
OUTPUT_MOST = 1 << 20
WAIT_S = 86_400.0  # for a place to run an agent: what is planned waits, other than somebody who asks
BACKOFF_MOST_S = 30.0
TOLD_EVERY_S = 1.0
_FINAL = (REFUSED, NOT_FOUND, USAGE, INTERRUPTED)
_KILLED = "killed"
_LACKING = {"cli_missing": "the client is not on PATH: install it, or set claude_binary"}


class Task(NamedTuple):
    header: Header
    step: Step
    unit: str
    folder: str
    place: Place  # where it works, unless that is a copy
    env: Mapping[str, str]
    settings: Mapping[str, Value]
    known: Mapping[str, StepValue]
    before: Sequence[str]  # folders of the agents' runs that it builds on
    handed: Sequence[str]  # files of theirs
    tell: Callable[[Mapping[str, object]], None]  # how far it is
    admitted: Admitted  # an agent's turn

    @property
    def shared(self) -> str:
        return self.place.user or self.place.state


def work(task: Task, stop: Stop) -> Result:
    """Attempt after attempt. One that somebody else killed is none."""
    began = time.monotonic()
    attempts, free = 1 + task.step.retry, 1
    number = 0
    while True:
        number += 1
        result = _attempted(task, stop, number)
        if stop.why:
            result = Result(CANCELLED, detail="stopped on request", exit_code=INTERRUPTED)
        free, was_free = (free - 1, True) if free and result.detail == _KILLED else (free, False)
        attempts -= 0 if was_free else 1
        if result.status != FAILED or not attempts or result.exit_code in _FINAL:
            return _timed(result, began)
        task.tell({"note": f"attempt {number}: {result.detail}: again"})
        _pause(task, stop, number)


def _timed(result: Result, began: float) -> Result:
    return dataclasses.replace(result, took_s=round(time.monotonic() - began, 3))


def _pause(task: Task, stop: Stop, number: int) -> None:
    import select  # noqa: PLC0415  what only a retry owes

    pause_s = min(float(task.settings["run.backoff_s"]) * 2 ** (number - 1), BACKOFF_MOST_S)
    select.select([stop], [], [], pause_s)


def _attempted(task: Task, stop: Stop, number: int) -> Result:
    try:
        notes.sweep_dead(task.shared)
        files.folder(task.folder)
        place = _copied(task) if task.step.worktree else task.place
        if task.step.kind == COMMAND:
            result = _command(task, place, stop, number)
        else:
            with task.admitted(stop, task.tell):
                result = _agent(task, place, stop, number)
        return _with_patch(task, place, result) if task.step.worktree else result
    except UserError as error:
        return Result(FAILED, detail=str(error), exit_code=error.code)
    except OSError as error:  # a full disk, a folder that is gone
        return Result(FAILED, detail=str(files.failure(error.filename or task.folder, error)), exit_code=1)


def _agent(task: Task, place: Place, stop: Stop, number: int) -> Result:
    started_ns = time.monotonic_ns()
    step, settings, env = task.step, _settings(task), _environment(task)
    text = _filled(task, step.prompt)
    payload: dict[str, object] = {"prompt": text, "prompt_id": f"step-{_name(task, number)}"}
    call = Call(payload, env, place, Snapshot(settings, {}, False, None), task.header.session, time.time())
    found = context.detect(env, settings, time.localtime().tm_hour, True, presumed=False)
    chosen = mode.select(found, settings, env, mode.ORCHESTRATION, called=True)
    if chosen.refused:
        raise UserError(f"no agent is run: {chosen.reason}", REFUSED)
    same, other = _results(task)
    wish = Wish(
        step.agent,
        timeout_s=step.timeout_s,
        context_from=same,
        files=[*other, *task.handed, *_knowledge(task)],
        by="workflow",
    )
    outcome = answer.decide(call, text, found, chosen, wish)
    outcome.payload["overhead_ms"] = round((time.monotonic_ns() - started_ns) / 1e6, 3)
    answer.record(call, outcome, ACTOR)
    if not answer.is_to_run(outcome):
        why = str(outcome.payload.get("degraded") or outcome.payload["rung"])
        raise UserError(f"no agent is run: {_LACKING.get(why, why)}")
    heard = _Heard(str(outcome.payload["agent"]), task.tell)
    within_s = step.timeout_s
    record = answer.run(call, text, outcome, lambda _: None, heard, heard.note, wish, started_ns, within_s, stop)
    folder = f"{place.state}/runs/{record['run']}"
    tokens = sum(int(used.get(name) or 0) for used in record["models"].values() for name in _TOKENS)
    is_good = record["exit_code"] == 0
    return Result(
        FINISHED if is_good else FAILED,
        record["answer"],
        "" if is_good else _KILLED if record["outcome"] == _KILLED else f"{record['outcome']}: {record['detail']}",
        record["exit_code"],
        runs=(folder,),
        model=record["model_served"] or "",
        tokens=tokens,
    )


_TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")


def _command(task: Task, place: Place, stop: Stop, number: int) -> Result:
    argv = [_argument(task, word) for word in task.step.command]
    heard = _Output()
    total_s = task.step.timeout_s or float(task.settings["run.timeout_s"])
    limits = ProcessLimits(total_s=total_s)
    marker = _name(task, number)
    env = _environment(task)
    finish = process.run(argv, env, place.root, b"", heard.hear, limits, marker, task.shared, stop)
    ended = finish.ended
    path = f"{task.folder}/output.txt"
    Path(path).write_text(heard.text, "utf-8")
    if ended.code == 0:
        return Result(FINISHED, heard.text.rstrip("\n"), files=(path,))
    if ended.missing:
        return Result(FAILED, detail=f"{argv[0]} is {ended.missing}", exit_code=NOT_FOUND)
    if ended.timed_out:
        return Result(FAILED, detail=f"it took longer than {total_s:g} s", exit_code=AGENT_TIMEOUT)
    if ended.signal is not None:
        return Result(FAILED, detail=_KILLED, exit_code=1)
    return Result(
        FAILED, heard.text.rstrip("\n"), f"exit code {ended.code}{_last_line(finish.stderr)}", 1, files=(path,)
    )


class _Output:
    """A command's stdout, as much of it as is taken."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._left = OUTPUT_MOST

    def hear(self, line: bytes) -> None:
        if self._left > 0:
            self._lines.append(line[: self._left].decode("utf-8", "replace"))
            self._left -= len(line) + 1

    @property
    def text(self) -> str:
        text = "".join(f"{line}\n" for line in self._lines)
        return text if self._left > 0 else f"{text}[cut at {OUTPUT_MOST >> 20} MiB]\n"


class _Heard(Progress):
    """What an agent does is told as the run's own events."""

    def __init__(self, agent: str, tell: Callable[[Mapping[str, object]], None]) -> None:
        super().__init__(None, agent, {})
        self._agent_name = agent
        self._said = tell
        self._next = 0.0

    def start(self, model: str) -> None:
        super().start(model)
        self._said({"agent": self._agent_name, "model": model})

    def update(self, tally: Told) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + TOLD_EVERY_S
        tokens = sum(sum(_counts(usage)) for usage in tally.usage.values())
        model = tally.served[-1] if tally.served else ""
        self._said({"agent": self._agent_name, "model": model, "turns": tally.turns, "tokens": tokens})

    def note(self, text: str) -> None:
        self._said({"note": text})


def _counts(usage: object) -> list[int]:
    return [int(getattr(usage, name)) for name in _TOKENS]


def _copied(task: Task) -> Place:
    """The commit stays the one that it began on, whatever was committed since."""
    path, place = f"{task.folder}/tree", task.place
    named = Path(task.folder, "commit")
    commit = named.read_text() if named.exists() else worktrees.head(place.root, task.env)
    named.write_text(commit)
    worktrees.remove(path)
    worktrees.make(place.root, commit, path, task.env)
    return Place(path, place.project, place.state, place.user, place.initialised)


def _with_patch(task: Task, copy: Place, result: Result) -> Result:
    """What was changed in the copy is kept as a patch, and the copy is removed."""
    commit = Path(task.folder, "commit").read_text()
    patch = worktrees.patch(copy.root, commit, task.env)
    worktrees.remove(copy.root)
    if not patch:
        return result
    path = f"{task.folder}/changes.patch"
    Path(path).write_text(patch, "utf-8", "replace")
    return dataclasses.replace(result, files=(*result.files, path))


def _results(task: Task) -> tuple[list[str], list[str]]:
    """Runs of agents by id where they are the place's own, else by the file of their answer."""
    own = f"{task.place.state}/runs/"
    same = [folder.removeprefix(own) for folder in task.before if folder.startswith(own) and Path(folder).is_dir()]
    other = [f"{folder}/answer.md" for folder in task.before if not folder.startswith(own)]
    return same, [path for path in other if Path(path).is_file()]


def _knowledge(task: Task) -> list[str]:
    """What is known of the project, as a file, where anything is."""
    from orchestrate.workflow import handing  # noqa: PLC0415  the store, which a run of commands alone does not owe

    return handing.knowledge(task.place, f"{task.folder}/knowledge.json")


def _settings(task: Task) -> dict[str, Value]:
    budget = {"run.max_budget_usd": task.step.budget_usd} if task.step.budget_usd else {}
    return {**task.settings, "run.wait_s": WAIT_S, **budget}


def _environment(task: Task) -> dict[str, str]:
    """A variable that leads git elsewhere has no place where the folder says all."""
    kept = {name: value for name, value in task.env.items() if not name.startswith("GIT_")}
    ours = {"ORCHESTRATOR_CTX_WORKFLOW_RUN": task.header.run, "ORCHESTRATOR_CTX_WORKFLOW_STEP": task.unit}
    return {**kept, **ours}


def _filled(task: Task, template: str) -> str:
    filled = values.fill(template, task.known, f"{task.folder}/values")
    return _written(filled)


def _argument(task: Task, word: str) -> str:
    return _written(values.argument(word, task.known, f"{task.folder}/values")).replace("\0", "")


def _written(filled: values.Filled) -> str:
    for file in filled.files:
        files.folder(str(Path(file.path).parent))
        Path(file.path).write_text(file.text, "utf-8", "replace")
    return filled.text


def _name(task: Task, number: int) -> str:
    """Of an attempt: what carries it is swept, and no other carries it."""
    told = f"{task.header.run} {task.folder} {number}".encode()
    return f"{task.header.run}-{hashlib.blake2b(told, digest_size=6).hexdigest()}"


def _last_line(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    if not lines:
        return ""
    from state.redact import redact  # noqa: PLC0415  16 ms that a step without errors does not owe

    return f": {redact(lines[-1])[:300]}"
