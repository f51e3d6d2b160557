import json

import pytest


@pytest.fixture
def user_file(home):
    (home / ".orchestrator").mkdir()
    return home / ".orchestrator" / "routing.yaml"


RULES = """\
paths: [{match: "payments/**", at_least: sonnet, why: money}]
domains: {billing: {words: [iban], agents: {sonnet: billing-hand}}}
floors: {default: haiku}
"""


def test_rules_are_shown_with_where_they_came_from(cli, user_file):
    user_file.write_text(RULES)
    ran = cli("route", "rules")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        f'billing: sonnet by billing-hand  ["iban"]  (global, {user_file}:2)',
        f"payments/**: at least sonnet (money)  [payments/**]  (global, {user_file}:1)",
        f"floors.default: at least haiku  [always]  (global, {user_file}:3)",
    ]


def test_json_has_every_part(cli, user_file):
    user_file.write_text(RULES)
    assert json.loads(cli("route", "rules", "--json").out)[1] == {
        "name": "payments/**",
        "effect": {"at_least": "sonnet"},
        "agents": {},
        "paths": ["payments/**"],
        "words": [],
        "why": "money",
        "from": "global",
        "file": str(user_file),
        "line": 1,
    }


def test_a_file_in_error_is_named_and_the_last_good_rules_shown(cli, user_file):
    user_file.write_text("floors: {default: opus}\n")
    cli("route", "rules")
    user_file.write_text("floors: {default: gpt}\n")
    ran = cli("route", "rules", "--json")
    assert (ran.code, [rule["name"] for rule in json.loads(ran.out)]) == (1, ["floors.default"])
    assert ran.err == (
        f"orchestrate: {user_file}:1: floors.default: no tier (have: haiku, sonnet, opus), got 'gpt'\n"
        "(the hooks keep the last good rules)\n"
    )


def test_no_rules_are_said_to_be_none(cli):
    assert cli("route", "rules") == (0, "", "no rules of your own: they stand in .orchestrator/routing.yaml\n")
    assert cli("route", "rules", "--json")[:2] == (0, "[]\n")


def test_what_waits_for_trust_is_told_until_it_is_given(cli, project):
    (project / ".orchestrator").mkdir()
    (project / ".orchestrator" / "routing.yaml").write_text(RULES)
    ran = cli("route", "rules")
    assert [line.partition(":")[0] for line in ran.out.splitlines()] == ["routing.yaml", "routing.yaml"]
    assert "is ignored until you trust this repository" in ran.err
    assert "  routing.yaml: what is no floor (billing) takes effect" in cli("trust").out
    assert [line.partition(":")[0] for line in cli("route", "rules").out.splitlines()] == [
        "billing",
        "payments/**",
        "floors.default",
    ]


def test_route_decides_by_them(cli, user_file):
    user_file.write_text(RULES)
    plain = json.loads(cli("route", "Fix typo in payments/README.md", "--json").out)
    assert (plain["tier"], plain["agent"], plain["rules"]) == ("sonnet", "sonnet-general", ["payments/**"])
    assert json.loads(cli("route", "iban in payments/README.md", "--json").out)["agent"] == "billing-hand"


def test_a_broken_file_is_told_by_route(cli, user_file):
    user_file.write_text("floors: 7\n")
    ran = cli("route", "Fix typo in README.md")
    assert ran.out.startswith("haiku-general")
    assert ran.err.startswith(f"orchestrate: {user_file}:1: floors: ")
