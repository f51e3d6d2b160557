"""`orchestrate metrics ab`, from the files of the client and of the hooks to arms side by side."""

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner
from sessions import DELEGATED, HAIKU, NOON, OPUS, STAYED

from orchestrate.commands.metrics_ab import ab
from state import codec
from state.files import replace

DAY = ("--date", "2026-11-21")


@pytest.fixture
def call(project):
    def invoke(*arguments, code=0):
        done = CliRunner().invoke(ab, [*arguments, "--project-root", str(project)])
        assert done.exit_code == code, done.output
        return done.stdout if code == 0 else done.output

    return invoke


def assigned(machine, arm, *prompts):
    """A session of an arm; each prompt as what was decided and the models of its main thread and of its agent."""
    session = machine.session()
    for decided, main, agent in prompts:
        session.prompt({**decided, "arm": arm, "overhead_ms": 20.0})
        session.main.answer(main, tokens=(100, 50, 4000, 10))
        if agent:
            session.spawn(
                "haiku-general", resolved=agent, served=(agent,), rung="rewrite", model_set="haiku", tier="haiku"
            )
        session.stop()
    return session


SET = {**STAYED, "rung": "mod", "main_model": "haiku", "agent": "haiku-general", "tier": "haiku"}


def test_arms_are_read_from_logs_and_transcripts(machine, call):
    for _ in range(2):
        assigned(machine, "directive", (DELEGATED, OPUS, HAIKU), (DELEGATED, OPUS, None))
        assigned(machine, "session", (SET, HAIKU, None), (SET, HAIKU, OPUS))
    assigned(machine, None, (DELEGATED, OPUS, HAIKU))
    found = json.loads(call(*DAY, "--json"))
    assert list(found["arms"]) == ["directive", "session"]
    arms = found["arms"].values()
    assert [(arm["sessions"], arm["prompts"], arm["rungs"]) for arm in arms] == [
        (2, 4, {"directive": 4}),
        (2, 4, {"mod": 4}),
    ]
    assert [(arm["compliance"]["value"], arm["compliance"]["size"]) for arm in arms] == [(0.5, 4), (1.0, 4)]
    assert [(arm["spawn_compliance"]["value"], arm["spawn_compliance"]["size"]) for arm in arms] == [(1.0, 2), (0.0, 2)]
    assert [arm["completion"]["value"] for arm in arms] == [1.0, 1.0]
    assert [arm["overhead_mean_ms"]["value"] for arm in arms] == [20.0, 20.0]
    assert [arm["good_feedback"]["value"] for arm in arms] == [None, None]
    assert [arm["quota_points"]["value"] for arm in arms] == [None, None]
    # The main thread's 160 for each prompt, and 15 more for each call of an agent and for the agent itself.
    assert [arm["opus_tokens"]["value"] for arm in arms] == [167.5, 7.5]
    assert found["arms"]["session"]["compliance"]["against"]["value"] == 0.5
    assert [arm["enough"] for arm in arms] == [False, False]


def test_the_text_says_what_is_too_few(machine, call):
    assigned(machine, "directive", (DELEGATED, OPUS, HAIKU))
    told = call(*DAY)
    assert told.startswith("Arms compared for 2026-11-21 (UTC)\n\narm        sessions  prompts  by rung\n")
    assert "directive: 1 session is too few to say anything: one alone has no interval" in told


def test_points_are_known_once_readings_tell_what_tokens_weigh(machine, call, place):
    session = machine.session()
    lines = []
    for number in range(40):
        session.prompt({**STAYED, "arm": "directive"})
        session.main.answer(OPUS, tokens=(0, 1000, 0, 0))
        session.stop()
        read_at = machine.now()
        window = {"used": float(number + 1), "resets_at": (NOON + timedelta(hours=4)).timestamp()}
        lines.append({"v": 1, "at": read_at.timestamp(), "source": "statusline", "windows": {"five_hour": window}})
    replace(f"{place.user}/quota.jsonl", b"".join(codec.dumps(line) + b"\n" for line in lines))
    found = json.loads(call(*DAY, "--json"))["arms"]["directive"]["quota_points"]
    assert (found["value"], found["size"]) == (pytest.approx(1.0, abs=0.05), 40)


def test_without_an_experiment_there_is_nothing_to_compare(machine, call):
    assigned(machine, None, (DELEGATED, OPUS, HAIKU))
    told = call(*DAY)
    assert told.startswith("no data for 2026-11-21 (UTC)\n\nno session of this period is in an arm: ")
    assert call("--days", "7").startswith("no data for ")


@pytest.mark.parametrize("arguments", [("--days", "0"), ("--days", "soon"), ("--date", "2026-02-30")])
def test_a_period_that_is_none_is_refused(call, arguments):
    assert "Error" in call(*arguments, code=2)


def test_sessions_that_the_hooks_assigned_are_compared(hook, project, call):
    for number in range(12):
        ids = {"session_id": f"session-{number}", "prompt_id": f"prompt-{number}", "cwd": str(project)}
        prompt = {"hook_event_name": "UserPromptSubmit", "prompt": "Fix typo in README.md", **ids}
        env = {"ORCHESTRATOR_AB__ENABLED": "true", "ORCHESTRATOR_AB__ARMS": "directive,session"}
        assert hook(prompt, **env)[0] == 0
        assert hook({"hook_event_name": "Stop", **ids}, **env)[0] == 0
    found = json.loads(call("--days", "2", "--json"))
    assert list(found["arms"]) == ["directive", "session"]
    assert sum(arm["sessions"] for arm in found["arms"].values()) == 12
    assert {arm["completion"]["value"] for arm in found["arms"].values()} == {1.0}
    assert found["sessions_left_out"] == 0
