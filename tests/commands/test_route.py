import io
import json
import sys

import pytest


def test_route_in_words(cli):
    out = cli("route", "Fix typo in README.md").out
    assert out.startswith("haiku-general  (direct, delegate, confidence 0.")


def test_explain_shows_what_spoke(cli):
    lines = cli("route", "Fix typo in README.md", "--explain").out.splitlines()
    assert len(lines) > 1
    assert all(line.startswith(("  +", "  -")) for line in lines[1:])


def test_json_has_the_features_only_when_asked(cli):
    plain = json.loads(cli("route", "Fix typo in README.md", "--json").out)
    assert sorted(plain) == [
        "abstained",
        "action",
        "agent",
        "confidence",
        "decision",
        "override",
        "reason",
        "tier",
    ]
    explained = json.loads(cli("route", "Fix typo in README.md", "--json", "--explain").out)
    assert {**plain, "features": explained["features"]} == explained


def test_a_dash_reads_stdin(cli, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"Fix typo in README.md\xff")))
    assert cli("route", "-").out.startswith("haiku-general")


def test_ten_times_the_same(cli):
    assert len({cli("route", "Why do these two workers deadlock?", "--json", "--explain").out for _ in range(10)}) == 1


def test_the_tier_of_the_main_thread_counts(cli):
    assert json.loads(cli("route", "Fix typo in README.md", "--main-tier", "haiku", "--json").out)["action"] == "stay"


def test_the_projects_own_agent_is_named(cli):
    cli("config", "set", "agents.haiku", "my-agent")
    assert json.loads(cli("route", "Fix typo in README.md", "--json").out)["agent"] == "my-agent"


@pytest.mark.parametrize(
    "words",
    [
        ["--", "learn"],
        ["--", "explain"],
        ["--json", "learn"],
        ["learn how the parser works and explain it"],
        ["explain what this module does"],
        ["Learn"],
        ["text"],
        [""],
    ],
)
def test_a_text_that_begins_as_a_command_can_be_routed(cli, words):
    assert cli("route", *words).code == 0


@pytest.mark.parametrize("words", [[], ["explain"], ["learn", "rust"], ["two", "texts"], ["--bogus", "x"]])
def test_anything_else_is_a_mistake_in_usage(cli, words):
    assert cli("route", *words).code == 2


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["Fix typo", "--help"], ["-h", "Fix typo"]])
def test_one_page_tells_of_the_text_and_of_the_commands(cli, words):
    code, out, _ = cli("route", *words)
    assert code == 0
    assert out.startswith("Usage: orchestrate route TEXT [OPTIONS] | COMMAND\n")
    assert "--main-tier" in out
    assert "  explain  " in out
