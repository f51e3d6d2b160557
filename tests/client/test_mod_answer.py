"""Orchestration inside the session: with the mod the agent's answer is the model's own, without it a block."""

import json
import subprocess

import pytest
from fake_api import Held

pytestmark = pytest.mark.client

PROMPT = "Fix typo in README.md"
ANSWER = "The typo is fixed.\n\nIt was in line 3."
BLOCKED = "UserPromptSubmit operation blocked by hook:\n"
ANSWERS = {"model": "haiku", "text": ANSWER}
BATCH = {"CLAUDE_BATCH_MODE": "1"}
WORKING = "esc to interrupt"


def models(run):
    return [request["body"]["model"] for request in run.requests]


@pytest.fixture
def world(new_world):
    return new_world("--scope", "plugin")


def test_the_answer_is_an_ordinary_one_of_one_turn_and_no_request(world, with_mod):
    run = world.claude(PROMPT, [ANSWERS], with_mod, **BATCH)
    assert (run.rc, run.stderr, models(run)) == (0, "", ["claude-haiku-5-5"])  # the agent's own
    told = {name: run.result[name] for name in ("result", "subtype", "is_error", "num_turns", "modelUsage")}
    assert told == {"result": ANSWER, "subtype": "success", "is_error": False, "num_turns": 1, "modelUsage": {}}


def test_the_ledger_takes_it_for_no_model_s(world, with_mod):
    world.claude(PROMPT, [ANSWERS], with_mod, **BATCH)
    ledger = json.loads(world.orchestrate("metrics", "ledger", "--json"))
    served = {row["part"]: row["served"] for row in ledger["rows"]}
    assert (served["main"], served["run"]) == ([], ["claude-haiku-5-5"])
    assert (ledger["summary"]["mismatches"], ledger["alarm"]) == (0, None)


def test_without_the_mod_it_is_a_block(world, plugin):
    run = world.claude(PROMPT, [ANSWERS], ["--plugin-dir", str(plugin / "classic")], **BATCH)
    assert (run.rc, models(run)) == (0, ["claude-haiku-5-5"])
    assert (run.result["result"], run.result["num_turns"]) == (BLOCKED + ANSWER, 0)


@pytest.mark.parametrize("folder", [".", "classic"])
def test_both_are_counted_as_followed(world, plugin, folder):
    world.claude(PROMPT, [ANSWERS], ["--plugin-dir", str(plugin / folder)], **BATCH)
    report = json.loads(world.orchestrate("metrics", "report", "--json"))
    assert [report[name] for name in ("decisions", "followed", "ignored", "unknown")] == [1, 1, 0, 0]


def test_the_conversation_goes_on_from_the_answer(world, with_mod):
    first = world.claude(PROMPT, [ANSWERS], with_mod, **BATCH)
    again = world.claude("And now?", args=[*with_mod, "--resume", first.init["session_id"]])
    assert (again.result["result"], models(again)) == ("ok", ["claude-opus-5-5"])
    said = [(message["role"], message["content"]) for message in again.requests[0]["body"]["messages"]]
    assert [content[0]["text"] for role, content in said if role == "assistant"] == [ANSWER]


def test_an_answer_that_is_kept_is_given_again(world, with_mod):
    author = ["-c", "user.name=n", "-c", "user.email=e"]
    for words in (["init", "--quiet"], [*author, "commit", "--quiet", "--allow-empty", "-mx"]):
        subprocess.run(["git", "-C", str(world.project), *words], check=True)
    kept = {**BATCH, "ORCHESTRATOR_RUN__CACHE": "true"}
    first = world.claude(PROMPT, [ANSWERS], with_mod, **kept)
    again = world.claude(PROMPT, [ANSWERS], [*with_mod, "--resume", first.init["session_id"]], **kept)
    assert [(run.result["result"], len(run.requests)) for run in (first, again)] == [(ANSWER, 1), (ANSWER, 0)]


@pytest.mark.parametrize("letter", ["x", "\U0001f600", '"'])
def test_a_long_answer_is_cut_and_names_the_file_that_has_it_all(world, with_mod, letter):
    run = world.claude(PROMPT, [{"model": "haiku", "text": letter * 12_000}], with_mod, **BATCH)
    head, _, told = run.result["result"].partition("\n\n")
    (path,) = world.home.rglob("runs/*/answer.md")
    assert (head, told) == (letter * 9_500, f"[the whole answer, 12000 characters, is in {path}]")


def test_where_the_agent_fails_the_prompt_goes_on_with_a_directive(world, with_mod):
    run = world.claude(PROMPT, [{"model": "haiku", "status": 401}], with_mod, **BATCH)
    assert (run.rc, run.result["result"], models(run)) == (0, "ok", ["claude-haiku-5-5", "claude-opus-5-5"])
    assert "Route: orchestrate:haiku-general (auth)." in "\n".join(map(str, run.requests[1]["body"]["messages"]))


def test_two_prompts_at_once_are_answered_each_with_its_own(world, with_mod):
    prompts = [PROMPT, "Rename the variable foo to bar in a.py"]
    rules = [{"prompt": prompt, "text": f"done: {prompt}"} for prompt in prompts]
    runs = world.side_by_side(prompts, rules, with_mod, **BATCH)
    assert [run.result["result"] for run in runs] == [f"done: {prompt}" for prompt in prompts]


def test_a_blown_fuse_leaves_a_block(world, with_mod):
    first = world.claude(PROMPT, args=with_mod)
    (folder,) = world.home.glob(f".orchestrator/projects/*/sessions/{first.init['session_id']}")
    (folder / "fuse.json").write_text('{"mod":{"failures":3,"blown":true,"told":true}}')
    again = world.claude(PROMPT, [ANSWERS], [*with_mod, "--resume", first.init["session_id"]], **BATCH)
    assert again.result["result"] == BLOCKED + ANSWER


def test_a_disk_that_takes_nothing_leaves_a_block(world, with_mod):
    first = world.claude(PROMPT, args=with_mod)
    (folder,) = world.home.glob(f".orchestrator/projects/*/sessions/{first.init['session_id']}")
    (folder / "route.json").unlink(missing_ok=True)
    (folder / "route.json").mkdir()
    again = world.claude(PROMPT, [ANSWERS], [*with_mod, "--resume", first.init["session_id"]], **BATCH)
    assert again.result["result"] == BLOCKED + ANSWER


def test_at_a_terminal_it_reads_as_the_models_own_words(world, with_mod):
    world.orchestrate("mode", "set", "orchestration")
    with world.interactive([ANSWERS], with_mod) as tty:
        tty.type(PROMPT)
        tty.wait_for("● The typo is fixed.")
        tty.wait_gone(WORKING)
        assert "blocked" not in tty.text
        assert tty.box == ""  # and the prompt is not put back
        assert tty.leave() == 0
    assert models(tty) == ["claude-haiku-5-5"]


def test_a_prompt_that_joins_a_running_turn_is_answered_by_a_block(world, with_mod, tmp_path):
    """The running turn asks the model on; there is no turn that the answer could be."""
    held = Held(tmp_path / "held")
    rules = [{"model": "opus", "held": held.path, "times": 1}, {"model": "haiku", "text": "It is fixed."}]
    with world.interactive(rules, with_mod) as tty:
        tty.type("Find the race condition in the scheduler and prove that the fix is right")
        tty.wait_asked(1)
        world.orchestrate("mode", "set", "orchestration")
        tty.type(PROMPT)
        tty.wait_for("It is fixed.")  # the client shows it as a notice, and puts the prompt back
        held.let_go()
        tty.wait_for("● ok")
        tty.wait_gone(WORKING)
        tty.leave()
    assert models(tty) == ["claude-opus-5-5", "claude-haiku-5-5"]
    assert [event["payload"]["rung"] for event in world.events("prompt.decided")][1:] == ["orchestration"]
