"""A session with somebody at the terminal: what the screen shows, what the models are told, and what Escape ends."""

import pytest
from fake_api import text_of

pytestmark = pytest.mark.client

PROMPT = "Fix typo in README.md"
ANSWER = "The typo is fixed."
BLOCKED = "UserPromptSubmit operation blocked by hook:"
HANGS = {"model": "haiku", "hang_s": 60}
WORKING = "esc to interrupt"
INTERRUPTS = ["escape", "ctrl-c"]
# What is told of the agent's run. The client ends its hook and the agent at the same time, so where the machine is busy
# the agent may be gone before its runner has heard of it; and it kills the runner a second or so later.
ENDED = [["aborted"], ["killed"], []]


def models(tty):
    return [request["body"]["model"] for request in tty.requests]


def heard(request):
    return "\n".join(text_of(message["content"]) for message in request["body"]["messages"])


@pytest.fixture
def orchestrating(world):
    """Somebody who has said that he prefers orchestration."""
    world.orchestrate("mode", "set", "orchestration")
    return world


def asked_once(tty):
    """Type the prompt and leave when it is answered."""
    tty.type(PROMPT)
    tty.wait_for("● ok")
    tty.wait_gone(WORKING)
    assert tty.leave() == 0


def test_a_typed_prompt_goes_to_the_model_with_a_directive(world):
    with world.interactive() as tty:
        asked_once(tty)
    assert models(tty) == ["claude-opus-5-5"]
    assert heard(tty.requests[0]).count('subagent_type "haiku-general"') == 1
    (decided,) = world.events("prompt.decided")
    said = {name: decided["payload"][name] for name in ("context", "mode", "mode_chosen", "rung", "degraded")}
    assert said == {
        "context": "interactive",
        "mode": "directive",
        "mode_chosen": "directive",
        "rung": "directive",
        "degraded": None,
    }
    assert decided["payload"]["signals"]["is_interactive"] is True
    assert world.kinds() == ["session.start", "prompt.decided", "turn.end", "session.end"]


def test_who_prefers_orchestration_reads_the_agents_answer_on_the_screen(orchestrating):
    with orchestrating.interactive(rules=[{"model": "haiku", "text": ANSWER}]) as tty:
        tty.type(PROMPT)
        tty.wait_for(f"● {BLOCKED} {ANSWER}")
        tty.wait_gone(WORKING)
        assert tty.leave() == 0
    assert models(tty) == ["claude-haiku-5-5"]
    (decided,) = orchestrating.events("prompt.decided")
    said = {name: decided["payload"][name] for name in ("context", "mode", "mode_source", "rung")}
    assert said == {
        "context": "interactive",
        "mode": "orchestration",
        "mode_source": "preference",
        "rung": "orchestration",
    }
    assert [event["payload"]["outcome"] for event in orchestrating.events("run.finished")] == ["ok"]


def test_an_agent_that_fails_leaves_the_prompt_to_the_model_and_a_directive(orchestrating):
    with orchestrating.interactive(rules=[{"model": "haiku", "status": 401}]) as tty:
        asked_once(tty)
    assert models(tty) == ["claude-haiku-5-5", "claude-opus-5-5"]
    assert heard(tty.requests[1]).count("Route: haiku-general (auth).") == 1
    assert BLOCKED not in tty.text
    assert [event["payload"]["outcome"] for event in orchestrating.events("run.finished")] == ["auth"]


def test_switched_off_it_says_and_records_nothing(orchestrating):
    with orchestrating.interactive(ORCHESTRATOR_DISABLED="1") as tty:
        asked_once(tty)
    assert models(tty) == ["claude-opus-5-5"]
    assert "[orchestrate" not in heard(tty.requests[0])
    assert orchestrating.events() == []


@pytest.mark.parametrize("key", INTERRUPTS)
def test_an_interrupted_prompt_takes_its_agent_along(orchestrating, key):
    """The session goes on and the next prompt is answered; nothing of the first one is left."""
    with orchestrating.interactive(rules=[{**HANGS, "times": 1}, {"model": "haiku", "text": ANSWER}]) as tty:
        tty.type(PROMPT)
        tty.wait_asked(1)
        agents = [pid for pid in orchestrating.processes() if pid != tty.pid]
        assert len(agents) >= 2  # the agent and what runs it
        tty.press(key)
        tty.wait_gone(WORKING)
        assert orchestrating.ends_within(60, agents)
        assert len(tty.requests) == 1
        tty.until(lambda: tty.box == PROMPT, "the prompt in the box again")
        tty.press("enter")
        tty.wait_for(ANSWER)
        assert tty.leave() == 0
    assert models(tty) == ["claude-haiku-5-5"] * 2
    *first, last = [event["payload"]["outcome"] for event in orchestrating.events("run.finished")]
    assert (first in ENDED, last) == (True, "ok")
    assert orchestrating.ends_within(30)


def test_a_terminal_that_is_closed_takes_the_agent_along(orchestrating):
    with orchestrating.interactive(rules=[HANGS]) as tty:
        tty.type(PROMPT)
        tty.wait_asked(1)
        tty.close()
    assert orchestrating.ends_within(60)
    assert len(tty.requests) == 1
    assert [event["payload"]["outcome"] for event in orchestrating.events("run.finished")] in ENDED
