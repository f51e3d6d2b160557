import json

import pytest

from state.paths import exists

MODEL = "claude-haiku-5-5"
LINES = (
    {"type": "assistant", "message": {"id": "m", "model": MODEL, "content": [], "usage": {}}},
    {
        "type": "result",
        "is_error": False,
        "result": '{"tier": "opus", "reason": "so it is"}',
        "modelUsage": {MODEL: {}},
    },
)
SAYS = "\n".join(["#!/bin/sh", "cat > /dev/null", *(f"printf '%s\\n' '{json.dumps(line)}'" for line in LINES)])


@pytest.fixture
def client(tmp_path, monkeypatch):
    program = tmp_path / "judge"
    program.write_text(SAYS)
    program.chmod(0o755)
    monkeypatch.setenv("ORCHESTRATOR_CLAUDE_BINARY", str(program))


def test_a_sure_decision_stays_and_the_judge_is_told_beside_it(cli, client):
    code, out, err = cli("route", "Fix typo in README.md", "--judge")
    first, second = out.splitlines()
    assert (code, err, first.split()[0]) == (0, "", "haiku-general")
    assert second.startswith("judge: opus (claude-haiku-5-5, ")
    assert second.endswith(" s): so it is")
    assert cli("route", "Fix typo in README.md", "--judge").out.splitlines()[1] == "judge: opus (kept from before)"


def test_json_has_the_verdict(cli, client):
    told = json.loads(cli("route", "Fix typo in README.md", "--judge", "--json").out)
    assert (told["tier"], told["judged"]["tier"], told["judged"]["reason"]) == ("haiku", "opus", "so it is")
    assert "judged" not in json.loads(cli("route", "Fix typo in README.md", "--json").out)


def test_without_a_client_the_decision_is_told_all_the_same(cli, place, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_CLAUDE_BINARY", "no-such-client")
    code, out, _ = cli("route", "Fix typo in README.md", "--judge")
    assert (code, out.splitlines()[1]) == (0, "judge: failed: cli_missing: the client is not found")
    assert not exists(f"{place.user}/cache/judged.json")


def test_without_the_switch_nobody_is_asked(cli, client, place):
    cli("route", "Fix typo in README.md")
    assert not exists(f"{place.user}/cache/ask")
