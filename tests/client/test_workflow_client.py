"""Workflows with the real client: what one agent has found is what the next is asked about, and what dies goes on."""

import json
import re
from pathlib import Path

import pytest
from fake_api import text_of
from workflow_example import RESEARCH

pytestmark = pytest.mark.client

GOES_SOON = {"ORCHESTRATOR_WORKFLOW__IDLE_S": "0.5", "ORCHESTRATOR_RUN__BACKOFF_S": "0.01"}
NOBODY_ASKS = {"ORCHESTRATOR_RUN__PERMISSION_MODE": "bypassPermissions"}
FOUND = {"model": "haiku", "text": "Three papers on graphene."}
AGREED = {"model": "sonnet", "prompt": "Analyze these papers", "text": "They agree."}
WRITTEN = {"model": "sonnet", "prompt": "Write summary", "text": "Graphene it is."}
CHAIN = [FOUND, AGREED, WRITTEN]
ASKS = (
    "Search for papers on graphene",
    "Analyze these papers: Three papers on graphene.",
    "Write summary based on: They agree.",
)
MODELS = ["claude-haiku-5-5", "claude-sonnet-5-5", "claude-sonnet-5-5"]
RUN = "orchestrate workflow run research.yaml --var topic=graphene"


def bash(command):
    """The model calls the Bash tool, once."""
    return {"tool_use": [{"name": "Bash", "input": {"command": command, "description": "do"}}], "times": 1}


def said(request):
    messages = request["body"]["messages"]
    return "\n".join(text_of(message["content"]) for message in messages if message["role"] == "user")


def models(asked):
    return [request["body"]["model"] for request in asked.requests]


def asked_of(asked):
    """For each request, which of the chain's prompts it is."""
    return [next(number for number, ask in enumerate(ASKS) if ask in said(request)) for request in asked.requests]


def shown(world):
    """The newest run, as `show --json` has it."""
    newest = json.loads(world.orchestrate("workflow", "runs", "--json"))[0]["run"]
    return json.loads(world.orchestrate("workflow", "show", newest, "--json"))


def statuses(world):
    return {step["step"]: step["status"] for step in shown(world)["steps"]}


@pytest.fixture
def world(new_world):
    made = new_world(installed=False)
    (made.project / "research.yaml").write_text(RESEARCH)
    return made


def put(world, text, name="own.yaml"):
    """Among the user's own, which may run commands."""
    path = world.home / ".orchestrator" / "workflows" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_results_flow_from_agent_to_agent(world):
    asked = world.request("graphene", "--workflow", "research.yaml", rules=CHAIN, **GOES_SOON)
    assert (asked.rc, asked.stdout) == (0, "Graphene it is.\n")
    assert (models(asked), asked_of(asked)) == (MODELS, [0, 1, 2])
    report = json.loads(world.orchestrate("metrics", "report", "--by-mode", "--json"))
    mode = report["by"]["mode"]["orchestration"]
    assert (mode["decisions"], mode["followed"], mode["ignored"]) == (3, 3, 0)


def test_the_progress_names_step_agent_model_and_tokens(world):
    asked = world.shell(f"{RUN} --progress", CHAIN, **GOES_SOON)
    assert (asked.rc, asked.stdout) == (0, "Graphene it is.\n")
    done = [re.sub(r" after \d+:\d\d", "", line) for line in asked.stderr.splitlines() if ": finished" in line]
    assert done == [
        "search: finished, haiku-general, claude-haiku-5-5, 15 tokens",
        "analyze: finished, sonnet-general, claude-sonnet-5-5, 15 tokens",
        "write: finished, sonnet-general, claude-sonnet-5-5, 15 tokens",
    ]


def test_the_record_has_the_served_models_and_the_outputs(world):
    world.shell(RUN, CHAIN, **GOES_SOON)
    told = shown(world)
    assert (told["status"], told["outputs"]) == ("finished", {"summary": "Graphene it is."})
    assert [(step["step"], step["agent"], step["model"]) for step in told["steps"]] == [
        ("search", "haiku-general", MODELS[0]),
        ("analyze", "sonnet-general", MODELS[1]),
        ("write", "sonnet-general", MODELS[2]),
    ]
    kept = [json.loads(path.read_text()) for path in sorted(Path(told["folder"]).glob("steps/*/1/result.json"))]
    records = [json.loads(Path(one["runs"][0], "run.json").read_text()) for one in kept]
    assert sorted(record["model_served"] for record in records) == sorted(MODELS)
    assert [record["mode"] for record in records] == ["orchestration"] * 3


def test_an_agent_finds_what_came_before_it_in_its_context_file(world):
    """The model reads the file that its system prompt names."""
    rules = [FOUND, {"prompt": "Analyze these", **bash("cat $ORCHESTRATOR_CONTEXT_FILE")}, {"text": "They agree."}]
    asked = world.shell(RUN, rules, **GOES_SOON, **NOBODY_ASKS)
    assert asked.rc == 0, asked.stderr
    looked = said(asked.requests[2])
    assert '"answer":"Three papers on graphene."' in looked.replace('": "', '":"')
    assert "/context.json; read it if you need it" in text_of(asked.requests[1]["body"]["system"])


def test_resume_does_what_failed_and_nothing_that_had_finished(world):
    refused = {"prompt": "Analyze these", "status": 401, "times": 1}
    line = f"{RUN}; echo $?; orchestrate workflow resume $(orchestrate workflow runs | cut -d' ' -f1)"
    asked = world.shell(line, [refused, *CHAIN], **GOES_SOON)
    assert (asked.rc, asked.stdout) == (0, "1\nGraphene it is.\n"), asked.stderr
    assert asked_of(asked) == [0, 1, 1, 2]
    assert "analyze: auth" in asked.stderr
    assert statuses(world) == dict.fromkeys(("search", "analyze", "write"), "finished")


def test_a_killed_runner_costs_the_step_in_flight_alone(world):
    """The agent itself kills it; the command that watches starts the next one."""
    sign = world.home / ".orchestrator" / "engine" / "runner.json"
    kill = bash(f"kill -9 $(sed 's/.*\"pid\":\\([0-9]*\\).*/\\1/' {sign}); sleep 60")
    asked = world.shell(RUN, [{"prompt": "Analyze these", **kill}, *CHAIN], **GOES_SOON, **NOBODY_ASKS)
    assert (asked.rc, asked.stdout) == (0, "Graphene it is.\n"), asked.stderr
    assert asked_of(asked) == [0, 1, 1, 2]
    ends = [event["payload"]["step"] for event in world.events("step.finished")]
    assert ends == ["search", "analyze", "write"]


FORKED = """
{"workflow": {"name": "forked", "inputs": {"deep": false}, "steps": [
  {"id": "a", "command": ["echo", "one\\ntwo"], "output": "found"},
  {"id": "each", "agent": "haiku-general", "prompt": "Name {item}", "foreach": "found", "depends_on": ["a"],
   "output": "all"},
  {"id": "deep", "agent": "opus-general", "prompt": "Prove it", "when": "deep", "depends_on": ["a"]},
  {"id": "auto", "route": "auto", "prompt": "Fix typo in README.md", "depends_on": ["a"], "on_error": "continue"},
  {"id": "end", "agent": "sonnet-general", "prompt": "Join {all}", "depends_on": ["each", "auto"], "fallback": "spare"},
  {"id": "spare", "command": ["echo", "spare of {all}"]}
]}}
"""


def test_items_conditions_errors_and_a_fallback_as_json(world):
    put(world, FORKED, "forked.json")
    rules = [
        {"prompt": "Fix typo", "status": 401},
        {"prompt": "Join", "status": 401},
        {"prompt": "Name one", "text": "uno"},
        {"prompt": "Name two", "text": "dos"},
    ]
    asked = world.shell("orchestrate workflow run forked", rules, **GOES_SOON)
    assert (asked.rc, asked.stdout) == (0, 'spare of ["uno", "dos"]\n'), asked.stderr
    assert statuses(world) == {
        "a": "finished", "each": "finished", "deep": "skipped", "auto": "failed", "end": "failed", "spare": "finished",
    }  # fmt: skip
    assert sorted(models(asked)) == ["claude-haiku-5-5"] * 3 + ["claude-sonnet-5-5"]


SIDE_BY_SIDE = """
workflow:
  name: wide
  steps:
    - {id: a, agent: haiku-general, prompt: Begin}
    - {id: b, agent: haiku-general, prompt: Left, depends_on: a}
    - {id: c, agent: sonnet-general, prompt: Right, depends_on: a}
    - {id: d, agent: haiku-general, prompt: End, depends_on: [b, c]}
"""


def test_branches_work_at_the_same_time(world):
    put(world, SIDE_BY_SIDE)
    rules = [{"prompt": "Left|Right", "hang_s": 1, "text": "done"}]
    asked = world.shell("orchestrate workflow run own --json", rules, **GOES_SOON)
    events = [json.loads(line) for line in asked.stdout.splitlines()]
    when = {
        (event["type"].rpartition(".")[2], event["step"]): event["ts"]
        for event in events
        if event["type"] in ("orchestration.step.started", "orchestration.step.finished")
    }
    assert asked.rc == 0
    assert max(when["started", "b"], when["started", "c"]) < min(when["finished", "b"], when["finished", "c"])
    assert when["finished", "a"] <= when["started", "b"] and when["finished", "c"] <= when["started", "d"]


def test_cancel_ends_the_client(world):
    """The agent itself calls the run off that it works for."""
    cancel = bash("orchestrate workflow cancel $ORCHESTRATOR_CTX_WORKFLOW_RUN; sleep 60")
    asked = world.shell(RUN, [cancel], **GOES_SOON, **NOBODY_ASKS)
    assert (asked.rc, asked.stdout, asked_of(asked)) == (130, "", [0])
    assert statuses(world) == {"search": "cancelled", "analyze": "waiting", "write": "waiting"}
    assert world.ends_within(60)
