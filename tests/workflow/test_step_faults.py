"""Each way in which an agent can end, within a step: what is tried again, what stands in, what the run comes to."""

import shutil
from typing import NamedTuple

import pytest

from orchestrate.agents.outcome import KINDS
from state.errors import AGENT_TIMEOUT, FAILED, REFUSED

ONE_TRY = {"ORCHESTRATOR_RUN__ATTEMPTS": "1"}


class Fault(NamedTuple):
    fake: str
    calls: int  # of the client, where each is given one try
    exit_code: int = FAILED
    is_final: bool = False  # no use in another attempt of the step
    env: dict = {}  # noqa: RUF012  read alone


FAULTS = {
    "rate_limited": Fault("limited_bare", 1),
    "overloaded": Fault("overloaded", 3),  # each model once
    "api_error": Fault("server_error", 1),
    "auth": Fault("auth", 1),
    "model_not_found": Fault("no_model", 3),
    "budget": Fault("budget", 1, REFUSED, True),
    "max_turns": Fault("max_turns", 1),  # who names an agent gets that one
    "permission_denied": Fault("denied", 1, REFUSED, True),
    "blocked": Fault("blocked", 1, REFUSED, True),
    # As long as an agent that works may well stand still on a busy machine.
    "timeout": Fault("talks", 1, AGENT_TIMEOUT, env={"ORCHESTRATOR_RUN__TIMEOUT_S": "4"}),
    "stalled": Fault("talks", 1, AGENT_TIMEOUT, env={"ORCHESTRATOR_RUN__STALL_S": "4"}),
    "killed": Fault("killed", 2),  # that somebody else ended it is no attempt, the first time
    "crashed": Fault("crash", 1),
    "no_json": Fault("garbage", 1),
    "empty": Fault("nothing", 1),
    "lying_success": Fault("error_inside", 1),
    "cli_missing": Fault("ok", 0),
}
_ELSEWHERE = ("ok", "aborted")  # `aborted`: what `cancel` does
STEP = """
workflow:
  name: w
  steps:
    - {{id: a, agent: haiku-general, prompt: a, output: made{more}}}
    - {{id: b, command: [echo, "got {{made}}"], depends_on: a}}
"""


@pytest.fixture
def faulty(desk):
    def made(kind, words=None):
        fault = FAULTS[kind]
        found = desk(words or fault.fake, **ONE_TRY, **fault.env)
        if kind == "cli_missing":
            path = [folder for folder in found.env["PATH"].split(":") if not shutil.which("claude", path=folder)]
            found.env["PATH"] = ":".join(path)
        return found, fault

    return made


def test_every_kind_of_end_is_in_the_table():
    assert {*FAULTS, *_ELSEWHERE} == set(KINDS)


@pytest.mark.slow
@pytest.mark.parametrize("kind", FAULTS)
def test_the_step_fails_with_the_word_and_the_code_of_its_fault(faulty, kind):
    at, fault = faulty(kind)
    header = at.done(STEP.format(more=""))
    assert (header.status, header.exit_code, len(at.calls())) == ("failed", fault.exit_code, fault.calls)
    rows = at.rows(header)
    assert (rows["a"].status, rows["b"].status) == ("failed", "waiting")
    said = {"cli_missing": "no agent is run: the client is not on PATH"}.get(kind, kind)
    assert rows["a"].detail.startswith(said)
    assert header.detail == f"a: {rows['a'].detail}"


@pytest.mark.slow
@pytest.mark.parametrize("kind", FAULTS)
def test_retry_is_one_more_attempt_unless_it_was_refused(faulty, kind):
    at, fault = faulty(kind)
    at.done(STEP.format(more=", retry: 1"))
    killed_once = 1 if kind == "killed" else 0
    assert len(at.calls()) == (fault.calls if fault.is_final else 2 * fault.calls - killed_once)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind, fault in FAULTS.items() if not fault.is_final and fault.calls])
def test_what_passes_costs_an_attempt_and_not_the_run(faulty, kind):
    fault = FAULTS[kind]
    at, _ = faulty(kind, " ".join([fault.fake] * fault.calls + ["ok"]))
    header = at.done(STEP.format(more=", retry: 1"))
    assert (header.status, at.calls()[-1]) == ("finished", ("ok", "haiku"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", FAULTS)
def test_the_run_goes_on_without_its_result(faulty, kind):
    at, _ = faulty(kind)
    header = at.done(STEP.format(more=", on_error: continue"))
    assert (header.status, at.statuses(header)) == ("finished", {"a": "failed", "b": "finished"})


@pytest.mark.slow
@pytest.mark.parametrize("kind", FAULTS)
def test_another_step_stands_in(faulty, kind):
    from orchestrate.commands.workflow_run import outputs

    at, _ = faulty(kind)
    spare = "    - {id: spare, command: [echo, spare]}\n"
    header = at.done(STEP.format(more=", fallback: spare") + spare)
    assert (header.status, outputs(header)) == ("finished", {"b": "got spare"})
    assert at.statuses(header) == {"a": "failed", "spare": "finished", "b": "finished"}
