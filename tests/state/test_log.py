import json
import subprocess
import sys

import pytest

from state import log


@pytest.fixture(autouse=True)
def quiet_again():
    yield
    log.want("text", "warning")


def test_json_lines_on_stderr(capsys):
    log.want("json", "info")
    log.get().info("step.finished", run=7)
    out, err = capsys.readouterr()
    line = json.loads(err)
    assert out == ""
    assert (line["event"], line["level"], line["run"]) == ("step.finished", "info", 7)


@pytest.mark.parametrize(("level", "told"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_the_level_holds_back_what_is_below(capsys, level, told):
    log.want("json", level)
    story = log.get()
    for name in ("debug", "info", "warning", "error"):
        getattr(story, name)("step.finished")
    assert len(capsys.readouterr().err.splitlines()) == told


def test_text_is_one_line_for_people(capsys):
    log.want("text", "info")
    log.get().info("step.finished", run=7)
    err = capsys.readouterr().err
    assert "step.finished" in err
    assert "run=7" in err
    assert err.count("\n") == 1


def test_errors_are_json_too_where_the_story_is(project):
    code = "from orchestrate.cli import main; main()"
    words = ["--log-format", "json", "state", "show", "nope"]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, cwd=project, check=False)
    assert done.returncode == 3
    assert [json.loads(line)["level"] for line in done.stderr.splitlines()] == ["error"]


def test_the_settings_choose_form_and_level(project, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_LOG__FORMAT", "json")
    monkeypatch.setenv("ORCHESTRATOR_LOG__LEVEL", "info")
    code = "from orchestrate.cli import main; main()"
    words = [sys.executable, "-c", code, "metrics", "report"]
    done = subprocess.run(words, capture_output=True, cwd=project, check=False)
    assert json.loads(done.stderr.splitlines()[0])["event"] == "ingest.finished"
