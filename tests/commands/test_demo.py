import os

import pytest

from orchestrate import hookline


@pytest.mark.usefixtures("noon")
def test_demo_shows_five_prompts_and_todays_report_and_leaves_nothing(cli, home, project):
    code, out, err = cli("demo")
    assert (code, err) == (0, "")
    assert out.count("  decision  ") == 5
    assert "degraded: cli_missing" in out
    assert "Routing report for" in out
    assert "orchestrate install" in out
    assert os.listdir(home) == []
    assert os.listdir(project) == [".git"]


@pytest.mark.parametrize(("failing", "code"), [(2, 0), (15, 1)])
def test_a_prompt_whose_hook_gave_up_is_sent_again(cli, tmp_path, monkeypatch, failing, code):
    line, tried = hookline.command(*hookline.here()), tmp_path / "tried"
    gives_up = f'echo >> {tried}; [ "$(wc -l < {tried})" -gt {failing} ] || exit 0; {line}'
    monkeypatch.setattr(hookline, "command", lambda *_: gives_up)
    ran = cli("demo")
    assert (ran.code, ran.out.count("  decision  ")) == (code, 5 * (1 - code))
    assert ran.err == (
        ""
        if code == 0
        else "orchestrate: the hook left no record 3 times: try again when the machine is less busy, or see "
        "`orchestrate doctor`\n"
    )


def test_demo_starts_no_client_of_the_users(cli, tmp_path, monkeypatch):
    folder, started = tmp_path / "bin", tmp_path / "started"
    folder.mkdir()
    (folder / "claude").write_text(f"#!/bin/sh\n: > {started}\n")
    (folder / "claude").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    code, out, _ = cli("demo")
    assert (code, "Connect it to Claude Code:  orchestrate install" in out) == (0, True)
    assert not started.exists()
