"""Sessions that fail, and sessions that run side by side."""

import pytest

pytestmark = pytest.mark.client


def test_an_api_error_ends_the_turn_as_failed(new_world):
    """With -p the client ends without waiting for this hook, and takes it along: the first that got through tells."""
    for _ in range(15):
        world = new_world()
        run = world.claude("Fix typo in README.md", rules=[{"status": 429}])
        assert run.rc == 1
        (decided,) = [event for event in world.events() if event["type"] == "orchestration.prompt.decided"]
        if ends := [event for event in world.events() if event["type"].startswith("orchestration.turn.")]:
            break
    assert [(end["type"], end["payload"]["error"]) for end in ends] == [("orchestration.turn.failed", "rate_limit")]
    assert ends[0]["prompt_id"] == decided["prompt_id"]


def test_two_sessions_at_once_keep_their_own_records(new_world):
    world = new_world()
    runs = world.side_by_side(["Fix typo in README.md", "Rename the variable foo to bar in a.py"])
    assert [(run.rc, run.result["result"]) for run in runs] == [(0, "ok"), (0, "ok")]
    sessions = {run.init["session_id"] for run in runs}
    assert len(sessions) == 2
    kinds = {session: [] for session in sessions}
    for event in world.events():
        kinds[event["session"]].append(event["type"].partition(".")[2])
    assert list(kinds.values()) == [["session.start", "prompt.decided", "turn.end", "session.end"]] * 2


def test_a_slash_command_is_recorded_and_not_routed(new_world):
    world = new_world()
    commands = world.config / "commands"
    commands.mkdir()
    (commands / "tidy.md").write_text("Tidy up: $ARGUMENTS\n")
    run = world.claude("/tidy the shed")
    assert (run.rc, run.result["result"]) == (0, "ok")
    assert "haiku-general" not in run.heard.partition("additional context")[2]
    prompts = [event for event in world.events() if event["type"].startswith("orchestration.prompt.")]
    assert [(prompt["type"], prompt["payload"]["kind"]) for prompt in prompts] == [
        ("orchestration.prompt.skipped", "slash_command")
    ]
