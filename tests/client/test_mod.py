"""The mod in the real client: what the API was asked for is what the hooks decided, and nothing else has changed."""

import json

import pytest
from fake_api import AGENT_HEADER, Held, text_of
from rig import REPO

pytestmark = pytest.mark.client

EASY = "Fix typo in README.md"
HARD = "Find the race condition in the scheduler and prove that the fix is right"
SESSION = {"ORCHESTRATOR_ENFORCEMENT": "session"}
SESSION_HEADER = "x-claude-code-session-id"
OWN, ROUTED = "claude-opus-5-5", "claude-haiku-5-5"  # the session's model in these tests, and what EASY is decided for
LOOK = [{"name": "Bash", "input": {"command": "ls"}}]
SCRIPT = """export const meta = { name: 'both', description: 'two agents' }
return await parallel([() => agent(%s), () => agent(%s)])"""


def models(run):
    return [request["body"]["model"] for request in run.requests]


def spawns(prompt, agent=False, said=EASY, **more):
    """Whoever is told `said` answers by a call of the Agent tool, once."""
    asked = {"description": "a part", "prompt": prompt, "subagent_type": "general-purpose", **more}
    return {
        "agent": agent,
        "prompt": f"^(?!.*Agent).*{said}",
        "times": 1,
        "tool_use": [{"name": "Agent", "input": asked}],
    }


def decided(world):
    """The model decided for the main thread of each session, and for each agent."""
    main = {event["session"]: event["payload"]["main_model"] for event in world.events("prompt.decided")}
    asked = {_call(event): event["payload"]["model_set"] for event in world.events("spawn.requested")}
    return main | {event["payload"]["agent_id"]: asked.get(_call(event)) for event in world.events("spawn.launched")}


def _call(event):
    """The fake API numbers its calls anew for every cell."""
    return event["session"], event["entity"]["id"]


def amiss(world, run):
    """The requests that the API got for another model than the one decided; without a decision it is the session's."""
    wanted = decided(world)
    loops = [request["headers"].get(AGENT_HEADER) or request["headers"][SESSION_HEADER] for request in run.requests]
    return [
        (loop, wanted.get(loop), model)
        for loop, model in zip(loops, models(run), strict=True)
        if (wanted.get(loop) or "opus") not in model
    ]


def steps(world, session="*"):
    files = sorted(world.home.glob(f".orchestrator/projects/*/sessions/{session}/steps.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


@pytest.fixture
def world(new_world):
    return new_world("--scope", "plugin")


@pytest.mark.parametrize("folder", [".", "classic"])
def test_the_client_finds_nothing_wrong_with_the_plugins(world, plugin, folder):
    """It checks the types of the mod and of its tests too, and passes what is wrong there with warnings."""
    done = world.client("plugin", "validate", str(plugin / folder / ".claude-plugin/plugin.json"))
    assert (done.rc, done.lines[0]["text"].strip().splitlines()[-1]) == (0, "✔ Validation passed")


def test_the_mods_own_tests_pass(world):
    done = world.client("plugin", "test", str(REPO / "hooks"))
    assert done.rc == 0, done.lines[0]["text"] + done.stderr
    assert "\n 0 fail\n" in done.lines[0]["text"]


def test_of_two_hundred_steps_99_in_100_are_served_as_decided(world, with_mod):
    """Four times two sessions at once, of one project; 24 tool calls and an answer each, one with agents in between.
    An agent whose decision a starved machine reads too late runs on its parent's model."""
    wrong = []
    count = 0
    for prompt in (EASY, "Rename the variable foo to bar in a.py", HARD, "Format a.py"):
        nested = spawns(HARD, agent=True, said="Format b.py")
        rules = [spawns("Format b.py", said=EASY), nested, {"agent": False, "times": 48, "tool_use": LOOK}]
        runs = world.side_by_side([prompt, EASY], rules, with_mod, **SESSION)
        assert [run.result["result"] for run in runs] == ["ok", "ok"]
        wrong += amiss(world, runs[0])
        count += len(runs[0].requests)
    assert count >= 200
    assert len(wrong) * 100 <= count, wrong
    assert set(decided(world).values()) >= {"haiku", "opus"}
    assert len(steps(world)) == count


def test_a_step_is_written_down_as_it_was_asked_and_served(world, with_mod):
    run = world.claude(EASY, [{"times": 1, "tool_use": LOOK}], with_mod, **SESSION)
    lines = steps(world, run.init["session_id"])
    assert [line.pop("at") > 0 and bool(line.pop("turn")) for line in lines] == [True, True]
    told = {"agent": None, "engine": OWN, "asked": "haiku", "served": ROUTED, "error": None}
    usage = {"input": 10, "output": 5, "cache_read": 0, "cache_write": 0}
    assert lines == [{"index": index, **told, **usage} for index in (0, 1)]


def test_what_the_client_accounts_for_is_the_model_that_served(world, with_mod):
    run = world.claude(EASY, args=with_mod, **SESSION)
    assert (run.rc, run.stderr, list(run.result["modelUsage"])) == (0, "", [ROUTED])
    (decision,) = world.events("prompt.decided")
    assert (decision["payload"]["rung"], decision["payload"]["main_model"]) == ("mod", "haiku")


@pytest.mark.parametrize(
    ("word", "value"), [("ORCHESTRATOR_ENFORCEMENT", "advise"), ("ORCHESTRATOR_ENFORCEMENT", "subagents"),
                        ("ORCHESTRATOR_DISABLED", "1"), ("ORCHESTRATOR_DEPTH", "1")]
)  # fmt: skip
def test_nobody_who_did_not_ask_for_it_gets_another_model(world, with_mod, word, value):
    run = world.claude(EASY, args=with_mod, **{**SESSION, word: value})
    assert (run.result["result"], models(run)) == ("ok", [OWN])


@pytest.mark.parametrize("word", ["ORCHESTRATOR_DISABLED", "ORCHESTRATOR_DEPTH"])
def test_switched_off_the_mod_writes_nothing(world, with_mod, word):
    world.claude(EASY, args=with_mod, **SESSION, **{word: "1"})
    assert [*world.home.glob("**/mod.json"), *world.home.glob("**/steps.jsonl")] == []


def test_where_the_hooks_are_silent_the_mod_does_nothing(world, with_mod):
    world.orchestrate("uninstall", "--scope", "plugin")
    run = world.claude(EASY, args=with_mod, **SESSION)
    assert (run.result["result"], models(run), run.stderr) == ("ok", [OWN], "")
    assert [*world.home.glob("**/mod.json"), *world.home.glob("**/steps.jsonl")] == []


def test_nothing_is_left_running(world, with_mod):
    world.claude(EASY, [spawns(HARD)], with_mod, **SESSION)
    assert world.ends_within(30)


def test_a_plan_is_made_by_the_model_decided(world, with_mod):
    run = world.claude(EASY, [{"times": 2, "tool_use": LOOK}], [*with_mod, "--permission-mode", "plan"], **SESSION)
    assert (len(run.requests), amiss(world, run)) == (3, [])


def test_a_resumed_session_goes_by_the_decision_for_its_new_prompt(world, with_mod):
    first = world.claude(EASY, [{"times": 1, "tool_use": LOOK}], with_mod, **SESSION)
    session = first.init["session_id"]
    again = world.claude(HARD, args=[*with_mod, "--resume", session], **SESSION)
    assert (again.init["session_id"], models(first)) == (session, [ROUTED, ROUTED])
    *_, last = world.events("prompt.decided", session)
    assert [(last["payload"]["main_model"] or "opus") in model for model in models(again)] == [True]
    assert [line["served"] for line in steps(world, session)] == models(first) + models(again)


def test_what_was_decided_for_an_earlier_prompt_does_not_count(world, with_mod):
    """A slash command is not routed: nothing was decided for it."""
    (world.config / "commands").mkdir()
    (world.config / "commands" / "tidy.md").write_text("Tidy up $ARGUMENTS")
    with world.interactive(args=with_mod, **SESSION) as tty:
        tty.type(EASY)
        tty.wait_for("● ok")
        tty.wait_gone("esc to interrupt")
        tty.type("/tidy here")
        tty.wait_asked(2)
        tty.wait_gone("esc to interrupt")
        assert tty.leave() == 0
    assert models(tty) == [ROUTED, OWN]


class TestAgents:
    def test_in_the_background_is_served_as_decided_and_so_is_the_turn_that_its_end_begins(self, world, with_mod):
        late = {"agent": True, "after": 2}  # an agent that ended sooner would be told of within the same turn
        run = world.claude(EASY, [spawns(HARD), late], with_mod, **SESSION)
        assert amiss(world, run) == []
        agents = [model for model, request in zip(models(run), run.requests, strict=True) if _is_agent(request)]
        assert (agents, models(run).count(ROUTED)) == ([OWN], 3)

    def test_in_the_foreground_is_served_as_decided(self, world, with_mod):
        run = world.claude(EASY, [spawns(HARD, run_in_background=False)], with_mod, **SESSION)
        assert (models(run), amiss(world, run)) == ([ROUTED, OWN, ROUTED], [])

    def test_that_an_agent_starts_is_served_as_decided(self, world, with_mod):
        rules = [spawns("Format b.py"), spawns(HARD, agent=True, said="Format b.py")]
        run = world.claude(EASY, rules, with_mod, **SESSION)
        agents = {
            request["headers"][AGENT_HEADER]: model
            for request, model in zip(run.requests, models(run), strict=True)
            if _is_agent(request)
        }
        assert (sorted(agents.values()), amiss(world, run)) == ([ROUTED, OWN], [])
        nested = [request for request in run.requests if "x-claude-code-parent-agent-id" in request["headers"]]
        assert [text_of(request["body"]["messages"][0]["content"]).count(HARD) for request in nested] == [1]

    def test_is_served_as_decided_where_the_main_thread_is_left_alone(self, world, with_mod):
        run = world.claude(HARD, [spawns("Format b.py", said=HARD, run_in_background=False)], with_mod)
        assert (models(run), amiss(world, run)) == ([OWN, ROUTED, OWN], [])
        (spawn,) = world.events("spawn.requested")
        assert (spawn["payload"]["rung"], spawn["payload"]["model_set"]) == ("mod", "haiku")

    def test_gets_a_concrete_model_too(self, world, with_mod):
        rules = [spawns("Format b.py", said=HARD, run_in_background=False)]
        run = world.claude(HARD, rules, with_mod, ORCHESTRATOR_MODELS__HAIKU="claude-haiku-4-5-20251001")
        assert models(run) == [OWN, "claude-haiku-4-5-20251001", OWN]

    def test_of_a_workflow_is_served_as_decided(self, world, with_mod):
        script = SCRIPT % (json.dumps("Format b.py"), json.dumps(HARD))
        uses = [{"name": "Workflow", "input": {"script": script}}]
        rules = [{"agent": False, "times": 1, "prompt": "workflow", "tool_use": uses}]
        args = [*with_mod, "--permission-mode", "bypassPermissions"]
        run = world.claude("Run a workflow on b.py", rules, args)
        agents = [model for model, request in zip(models(run), run.requests, strict=True) if _is_agent(request)]
        asked = [
            event["payload"]["model_set"] for event in world.events("spawn.requested") if event["payload"]["model_set"]
        ]
        assert (sorted(agents), sorted(asked)) == ([ROUTED, OWN], ["haiku", "opus"])


def _is_agent(request):
    return AGENT_HEADER in request["headers"]


class TestFailure:
    """The engine's own ways out stay open: with a model of ours that fails, it is as if the mod were not there."""

    @pytest.mark.parametrize("status", [400, 401, 404, 529])
    def test_of_the_model_decided_leads_back_to_the_sessions_own(self, world, with_mod, status):
        rules = [{"model": "haiku", "status": status}, {"times": 1, "tool_use": LOOK}]
        run = world.claude(EASY, rules, with_mod, **SESSION)
        assert (run.rc, run.result["result"], run.result["is_error"]) == (0, "ok", False)
        assert models(run)[-2:] == [OWN, OWN]
        told = [(line["asked"], line["served"], line["error"]) for line in steps(world)]
        assert told == [("haiku", None, "no response"), (None, OWN, None), (None, OWN, None)]

    def test_of_both_leads_to_the_users_fallback(self, world, with_mod):
        rules = [{"model": "haiku|opus", "status": 529}]
        args = [*with_mod, "--fallback-model", "sonnet"]
        run = world.claude(EASY, rules, args, **SESSION, CLAUDE_CODE_MAX_RETRIES="3")
        assert (run.rc, run.result["result"], models(run)[-1]) == (0, "ok", "claude-sonnet-5-5")

    def test_of_the_sessions_own_model_leads_to_the_users_fallback(self, world, with_mod):
        args = [*with_mod, "--fallback-model", "sonnet"]
        run = world.claude(HARD, [{"model": "opus", "status": 529}], args, CLAUDE_CODE_MAX_RETRIES="3")
        assert (run.rc, run.result["result"]) == (0, "ok")
        assert models(run) == [OWN, OWN, OWN, "claude-sonnet-5-5"]

    def test_that_breaks_a_stream_off_is_the_engines_to_mend(self, world, with_mod):
        run = world.claude(EASY, [{"model": "haiku", "cut": 2, "times": 1}], with_mod, **SESSION)
        assert (run.result["result"], set(models(run))) == ("ok", {ROUTED})

    def test_by_interruption_is_none(self, world, with_mod):
        with world.interactive([{"hang_s": 30, "times": 1}], with_mod, **SESSION) as tty:
            tty.type(EASY)
            tty.wait_asked(1)
            tty.press("escape")
            tty.wait_gone("esc to interrupt")
            tty.type("/exit")
            tty.wait_end()
        assert models(tty) == [ROUTED]
        assert [line["error"] for line in steps(world)] == [None]


def test_the_screen_shows_what_was_chosen(world, with_mod):
    with world.interactive(args=with_mod, **SESSION) as tty:
        tty.type(EASY)
        tty.wait_for("orchestrate: haiku")
        tty.wait_for("● ok")
        tty.wait_gone("esc to interrupt")
        assert tty.leave() == 0


def test_a_prompt_that_joins_a_running_turn_changes_nothing_in_it(world, with_mod, tmp_path):
    held = Held(tmp_path / "held")
    rules = [{"prompt": EASY, "held": held.path, "times": 1, "tool_use": LOOK}]
    with world.interactive(rules, [*with_mod, "--permission-mode", "acceptEdits"], **SESSION) as tty:
        tty.type(EASY)
        tty.wait_asked(1)
        tty.type(HARD)
        tty.until(lambda: len(world.events("prompt.decided")) == 2, "a second decision")
        tty.wait_for("Queued")
        held.let_go()
        tty.wait_for("● ok")
        tty.wait_gone("esc to interrupt")
        assert tty.leave() == 0
    assert models(tty) == [ROUTED, ROUTED]
    first, second = world.events("prompt.decided")
    assert (first["payload"]["rung"], second["payload"]["main_model"]) == ("mod", None)
