"""A project that is named has to be there: a name that is mistyped makes no project of its own."""

import os
import shutil
import sys

import pytest
from tiers import some

from orchestrate import cli as program
from orchestrate.commands import here
from state.errors import NOT_FOUND, UserError

COMMANDS = [
    "workflow run flow.yaml",
    "workflow runs",
    "wave plan flow.yaml",
    "work list",
    "work add x",
    "init",
    "install --scope local",
    "hooks status",
    "config show",
    "events list",
    "knowledge list",
    "metrics report",
    "session list",
    "task list",
    "search x",
    "state show",
    "doctor",
]


def told(root):
    return f"{root}: no such folder: name the root of a project with --project-root"


@pytest.mark.parametrize("words", some(COMMANDS, 4))
def test_a_folder_that_is_not_there_is_refused(words, cli, home):
    assert cli(*words.split(), "--project-root", "/nonexistent") == (3, "", f"orchestrate: {told('/nonexistent')}\n")
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("words", [["a request"], ["a request", "--dry-run"]])
def test_a_request_for_it_is_refused_too(words, cli, home, monkeypatch, capfd):
    monkeypatch.setattr(sys, "argv", ["orchestrate-request", *words, "--project-root", "/nonexistent"])
    with pytest.raises(SystemExit) as left:
        program.request()
    assert (left.value.code, *capfd.readouterr()) == (3, "", f"orchestrate-request: {told('/nonexistent')}\n")
    assert list(home.iterdir()) == []


def test_what_is_gone_is_taken_leave_of(cli, home, tmp_path):
    root = str(tmp_path / "other")
    os.mkdir(root)
    assert cli("install", "--scope", "project", "--project-root", root).code == 0
    shutil.rmtree(root)
    assert cli("uninstall", "--scope", "project", "--project-root", root).code == 0
    assert [path.name for path in home.glob(".orchestrator/install/*")] == ["lock"]


@pytest.mark.parametrize("root", ["gone", "file", "file/below", "n" * 300, "a\0b", "loop"])
def test_what_is_no_folder_is_said_as_it_was_given(root, project, monkeypatch):
    monkeypatch.chdir(project)
    (project / "file").touch()
    (project / "loop").symlink_to("loop")
    with pytest.raises(UserError) as refused:
        here.place(root)
    assert (str(refused.value), refused.value.code) == (told(root), NOT_FOUND)


@pytest.mark.parametrize("root", [".", "deep", "link", "caf\udce9"])
def test_any_folder_may_be_named(root, project, monkeypatch):
    monkeypatch.chdir(project)
    (project / "deep").mkdir()
    (project / "caf\udce9").mkdir()
    (project / "link").symlink_to("deep")
    assert here.place(root).root == str(project / root).removesuffix("/.")


def test_a_hook_in_a_folder_that_is_gone_goes_on(hook, project):
    gone = str(project / "gone")
    code, _, err = hook({"session_id": "s", "hook_event_name": "Stop", "cwd": gone}, ORCHESTRATOR_ROOT=gone)
    assert (code, err) == (0, "")


@pytest.mark.parametrize("words", ["config compile", "events sinks deliver --detached"])
def test_what_a_hook_or_a_command_starts_for_a_folder_that_is_gone_is_done(words, cli, project):
    assert cli(*words.split(), "--project-root", str(project / "gone")) == (0, "", "")
