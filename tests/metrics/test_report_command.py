"""`orchestrate metrics report` over both sources: what the hooks' events tell, and what the transcripts do."""

import json

import pytest
from click.testing import CliRunner
from sessions import DELEGATED, HAIKU, OPUS, STAYED, Machine

from orchestrate.commands.metrics import command

SET = {**STAYED, "rung": "mod", "main_model": "haiku", "agent": "haiku-general", "tier": "haiku"}


@pytest.fixture
def session(place, tmp_path):
    return Machine(place, tmp_path / "projects").session()


@pytest.fixture
def report(project):
    def call(*arguments):
        done = CliRunner().invoke(
            command, ["report", "--date", "2026-11-21", *arguments, "--project-root", str(project)]
        )
        assert done.exit_code == 0, done.output
        return done.stdout

    return call


def spawn(session, resolved, served):
    session.spawn("haiku-general", resolved=resolved, served=(served,), rung="rewrite", model_set="haiku", tier="haiku")


def test_transcripts_are_read_with_the_logs(session, report):
    session.prompt(SET)
    session.main.answer(HAIKU)
    session.stop()
    found = json.loads(report("--by-rung", "--json"))
    assert (found["main_followed"], found["main_rate"], found["served_as_decided"]) == (1, 1.0, 1.0)
    assert found["by"]["rung"]["mod"]["rate"] == 1.0
    assert (found["compared"], found["disagreements"], found["alarm"]) == (0, None, None)


def test_where_the_sources_differ_the_transcripts_count_and_the_report_says_so(session, report):
    session.prompt(DELEGATED)
    spawn(session, HAIKU, OPUS)
    session.stop()
    session.prompt(DELEGATED)
    spawn(session, HAIKU, HAIKU)
    session.stop()
    found = json.loads(report("--json"))
    assert [found[name] for name in ("followed", "ignored", "spawn_followed", "spawn_ignored")] == [1, 1, 1, 1]
    assert (found["compared"], found["disagreements"]) == (4, 2)
    assert (found["alarm"]["mismatches"], found["alarm"]["rows"]) == (1, 2)
    told = report()
    assert "2 of 4 judged by the hooks' events are otherwise in the transcripts:\n" in told
    assert "ALARM: 1 of 2 parts that were enforced were not served so" in told


def test_without_transcripts_the_events_alone_tell(session, report):
    session.prompt(DELEGATED)
    spawn(session, HAIKU, OPUS)
    session.stop()
    for path in session.machine.files():
        path.unlink()
    found = json.loads(report("--json"))
    assert (found["followed"], found["spawn_followed"], found["compared"]) == (1, 1, 0)
    assert (found["disagreements"], found["net_savings_usd"]) == (None, None)


def test_what_a_main_thread_on_a_cheaper_model_saved_is_net(session, report):
    session.prompt({**SET, "switch": {"base": "opus", "switch": True}})
    session.main.answer(HAIKU, tokens=(1_000_000, 0, 0, 0))
    session.stop()
    found = json.loads(report("--json"))
    assert (found["main_switches"], found["net_savings_usd"] > 0, found["cache_loss_usd"]) == (1, True, 0.0)


@pytest.mark.parametrize("form", ["text", "md", "csv", "json"])
def test_every_form_prints_what_was_enforced(session, report, form):
    session.prompt(DELEGATED)
    spawn(session, HAIKU, HAIKU)
    session.stop()
    told = report("--by-rung", "--by-mode", "--format", form)
    assert "spawn rewrite" in told
    assert "spawn directive" in told
