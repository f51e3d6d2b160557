import json

import pytest

CLASS = "sonnet/test"


@pytest.mark.parametrize(
    ("words", "code", "out", "err"),
    [
        (["status"], 0, "", "no prompts of this project can be tried out yet\n"),
        (["status", "--json"], 0, "[]\n", ""),
        (["run"], 2, "", "orchestrate: shadow.check: name the command that tests this project"),
        (["apply", CLASS], 4, "", "orchestrate: sonnet/test may not step down: 0 pairs, 50 are needed\n"),
        (["apply", "sonnet"], 3, "", "orchestrate: class 'sonnet': there is none: it is opus or sonnet, a slash"),
        (["forget"], 0, "no class back up; 0 pairs removed\n", ""),
        (["forget", CLASS, "--pairs", "--json"], 0, None, ""),
        (["run", "--pairs", "0"], 2, "", None),
    ],
)
def test_before_anything_was_tried_out(cli, words, code, out, err):
    found = cli("route", "shadow", *words)
    assert found.code == code
    assert out is None or found.out == out
    assert err is None or found.err.startswith(err)


def test_without_anything_spare_nothing_is_run(cli, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_SHADOW__CHECK", "true")
    found = cli("route", "shadow", "run")
    assert (found.code, found.out) == (4, "")
    assert "nothing to spare: nothing is known of your limits" in found.err
    monkeypatch.setenv("ORCHESTRATOR_SHADOW__MAX_BUDGET_USD", "1")
    done = cli("route", "shadow", "run", "--json")
    assert json.loads(done.out) == {"class": None, "pairs": [], "ended": "no class has prompts left to try out"}


def test_a_repository_cannot_name_the_check(cli, project):
    (project / ".orchestrator").mkdir()
    (project / ".orchestrator" / "config.yaml").write_text("shadow: {check: ./evil.sh, spare: 1.0}\n")
    found = cli("route", "shadow", "run")
    assert found.code == 2
    assert "shadow.check: ./evil.sh is ignored until you trust this repository" in found.err
    assert "shadow.spare: 1.0 is ignored until you trust this repository" in found.err
