"""Sessions that fail, and sessions that run side by side."""

import pytest

pytestmark = pytest.mark.client


def test_an_api_error_ends_the_turn_as_failed(new_world):
    """At a terminal: with -p the client ends without waiting for this hook, and takes it along."""
    world = new_world()
    with world.interactive(rules=[{"status": 429}]) as tty:
        tty.type("Fix typo in README.md")
        tty.until(lambda: world.events("turn.failed"), "the end of the turn in the log")
        assert tty.leave() == 0
    assert world.kinds() == ["session.start", "prompt.decided", "turn.failed", "session.end"]
    _, decided, failed, _ = world.events()
    assert (failed["payload"]["error"], failed["prompt_id"]) == ("rate_limit", decided["prompt_id"])


def test_an_api_error_ends_a_headless_run_with_1(new_world):
    world = new_world()
    run = world.claude("Fix typo in README.md", rules=[{"status": 429}])
    assert (run.rc, run.result["api_error_status"], len(world.events("prompt.decided"))) == (1, 429, 1)


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
