"""`orchestrate metrics ledger`: from the files of the client and of the hooks to lines and JSON."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import sessions
from click.testing import CliRunner
from sessions import DELEGATED, HAIKU, OPUS, SONNET, STAYED

from orchestrate.commands.metrics_ledger import ledger

TEXT = """\
Served models for 2026-11-21 (UTC)

time   prompt    agent          asked       resolved     served          tokens  verdict
12:00  00000002  main           -           opus-5-5     opus-5-5            45  not decided
12:00  00000002  Explore        haiku       sonnet-5-5   sonnet-5-5          15  forced_env
12:00  00000014  main           -           opus-5-5     opus-5-5          120k  not decided
12:00  00000014  haiku-general  haiku       haiku-5-5    haiku-4-5-20..      15  ok

4 rows: 1 ok, 1 mismatches, 2 not decided, 0 unknown
ALARM: 1 of 1 enforced were served otherwise, worst: forced_env
"""


@pytest.fixture
def call(project):
    def invoke(*arguments, code=0):
        done = CliRunner().invoke(ledger, [*arguments, "--project-root", str(project)])
        assert done.exit_code == code, done.output
        return done.stdout if code == 0 else done.stderr

    return invoke


@pytest.fixture
def day(machine):
    """A session with a spawn that the environment took away, and a delegation that was followed."""
    session = machine.session()
    session.prompt(STAYED)
    session.main.answer(OPUS)
    forced = {"env_model": "sonnet", "env_forced": True, "resolved": SONNET, "served": [SONNET]}
    session.spawn("Explore", rung="rewrite", model_set="haiku", **forced)
    session.main.answer(OPUS)
    session.stop()
    session.prompt(DELEGATED)
    session.spawn("haiku-general", served=["claude-haiku-4-5-20251001"], background=True)
    session.main.answer(OPUS, tokens=(1000, 300, 118_000, 700))
    session.stop()
    return session


def test_it_reads_what_is_new_and_lists_it(call, day):
    assert call("--date", "2026-11-21") == TEXT


def test_mismatch_lists_only_those_and_counts_all(call, day):
    lines = call("--date", "2026-11-21", "--mismatch").splitlines()
    assert [line.split()[-1] for line in lines[3:-3]] == ["forced_env"]
    assert lines[-2] == "4 rows: 1 ok, 1 mismatches, 2 not decided, 0 unknown"


def test_json_holds_every_figure(call, day):
    told = json.loads(call("--since", "2026-11-20", "--until", "2026-11-22", "--json"))
    assert told["summary"] == {"rows": 4, "ok": 1, "mismatches": 1, "not_decided": 2, "unknown": 0}
    assert told["alarm"] == {"mismatches": 1, "worst": "forced_env", "rows": 1}
    row = told["rows"][1]
    assert row.pop("at").startswith("2026-11-21T12:00:")
    assert row.pop("tool_use_id").startswith("toolu_")
    assert row.pop("agent_id").startswith("a")
    assert row == {
        "session": day.name,
        "prompt_id": "00000002-prompt",
        "part": "agent",
        "agent_type": "Explore",
        "rung": "rewrite",
        "requested": "haiku",
        "resolved": SONNET,
        "served": [SONNET],
        "messages": 1,
        "input_tokens": 10,
        "output_tokens": 5,
        "cache_read_tokens": 0,
        "cache_write_tokens": 0,
        "verdict": "mismatch",
        "kind": "forced_env",
    }


def test_one_prompt_whatever_its_day(call, day):
    told = json.loads(call("--prompt", day.prompt_id, "--json"))
    assert told["since"] == "2026-11-21"
    assert [(row["part"], row["verdict"]) for row in told["rows"]] == [("main", "not_decided"), ("agent", "ok")]
    assert told["alarm"] is None


def test_a_prompt_belongs_to_the_day_it_was_decided(machine, call, monkeypatch):
    monkeypatch.setattr(sessions, "NOON", datetime(2026, 11, 21, 23, 59, 59, 500_000, tzinfo=UTC))
    session = machine.session()
    session.prompt(STAYED)
    for _ in range(8):
        session.main.answer(HAIKU)
    assert json.loads(call("--date", "2026-11-21", "--json"))["rows"][0]["messages"] == 8
    assert json.loads(call("--date", "2026-11-22", "--json"))["rows"] == []


def test_a_day_without_data_says_so(call):
    assert call("--date", "2026-11-20") == "no data for 2026-11-20 (UTC)\n"
    told = json.loads(call("--date", "2026-11-20", "--json"))
    assert (told["summary"]["rows"], told["alarm"], told["rows"]) == (0, None, [])


def test_long_names_stay_within_a_hundred_columns(machine, call):
    session = machine.session()
    session.prompt({**STAYED, "rung": "mod", "main_model": "claude-opus-4-5-20251101-with-more"})
    session.main.answer("gateway/a-model-with-a-very-long-name\x1b[31m", tokens=(10**9, 1, 1, 1))
    session.spawn("an-agent-with-a-very-long-name", rung="mod", model_set="haiku", resolved=OPUS, served=[OPUS])
    told = call("--date", "2026-11-21")
    assert max(map(len, told.splitlines())) <= 100
    assert "\x1b" not in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--date", "today", "--since", "today"], "--date is one day: give it, or --since and --until"),
        (
            ["--prompt", "p", "--date", "today"],
            "--prompt tells its own day: give it without --date, --since and --until",
        ),
    ],
)
def test_options_that_contradict_are_refused(call, arguments, told):
    assert call(*arguments, code=2).endswith(f"Error: {told}\n")


def test_an_unknown_prompt_is_not_found(project):
    done = CliRunner().invoke(ledger, ["--prompt", "nope", "--project-root", str(project)])
    assert str(done.exception) == "nope: no such prompt here, see `orchestrate metrics ledger`"
    assert done.exception.code == 3


def test_a_transcript_that_may_not_be_opened_is_told(machine, project):
    session = machine.session()
    session.main.path.symlink_to(session.main.path)  # leads nowhere, whoever asks
    done = CliRunner().invoke(ledger, ["--project-root", str(project)])
    assert "could not open 1 transcripts: check their owner and permissions" in done.stderr


def test_it_hangs_in_the_tree(project):
    from orchestrate.cli import root

    done = CliRunner().invoke(root, ["metrics", "ledger", "--help"])
    assert done.exit_code == 0
    assert "--mismatch" in done.stdout


def test_days_are_local(call, day, monkeypatch):
    import time

    monkeypatch.setenv("TZ", "Etc/GMT-14")  # fourteen hours ahead
    time.tzset()
    assert json.loads(call("--date", "2026-11-22", "--json"))["summary"]["rows"] == 4
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    assert timedelta(0) == datetime.now().astimezone().utcoffset()
