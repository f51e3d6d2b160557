"""The installed line, and the wrappers, after what they start has gone: the prompt goes on, in silence."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from copies import copy_of
from tiers import some

from orchestrate import hookline, payloads
from orchestrate.install import interpreter, shipped

HOOKS = shipped.folder(shipped.here().home)


class Copy:
    """An installation of its own, in a folder with a space in it, that a test may break."""

    def __init__(self, folder, home):
        self.home = folder / "a copy"
        copy_of(self.home)
        self.python = folder / "the python"
        self.python.symlink_to(os.path.realpath(sys.executable))
        self.line = hookline.command(str(self.python), str(self.home))
        self.record = home / ".orchestrator/install" / interpreter.NAME
        self.record.parent.mkdir(parents=True)
        self.record.write_bytes(interpreter.line(interpreter.Interpreter(str(self.python), str(self.home))))


@pytest.fixture
def installed(tmp_path, home):
    return Copy(tmp_path, home)


def send(argv, cwd, event="UserPromptSubmit", **env):
    stdin = json.dumps(payloads.fields(event, str(cwd))).encode()
    full = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **env}
    env = {name: value for name, value in full.items() if value is not None}
    done = subprocess.run(argv, input=stdin, capture_output=True, cwd=cwd, env=env, timeout=30, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def context(stdout):
    return json.loads(stdout)["hookSpecificOutput"]["additionalContext"]


WAYS = {
    "line": lambda copy: ["/bin/sh", "-c", copy.line],
    "hook.sh": lambda _: ["/bin/sh", str(HOOKS / "hook.sh")],
    "user-prompt-submit.sh": lambda _: [str(HOOKS / "user-prompt-submit.sh")],
    "hybrid-prompt.sh": lambda _: [str(HOOKS / "hybrid-prompt.sh")],
}


@pytest.mark.parametrize("way", WAYS)
def test_the_answer_comes_while_everything_is_there(way, installed, project):
    code, out, err = send(WAYS[way](installed), project)
    assert (code, err) == (0, "")
    assert "haiku-general" in context(out)


GONE = {
    "the interpreter": lambda copy: copy.python.unlink(),
    "the package": lambda copy: shutil.rmtree(copy.home / "orchestrate"),
    "the folder": lambda copy: copy.home.rename(copy.home.with_name("moved")),
    "the entry": lambda copy: (copy.home / "orchestrate/entry.py").unlink(),
    "a sibling": lambda copy: shutil.rmtree(copy.home / "state"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("gone", some(GONE, ("the interpreter",)))
def test_silence_when_something_is_gone(way, gone, installed, project):
    GONE[gone](installed)
    assert send(WAYS[way](installed), project) == (0, "", "")


def replaced_by(copy, script):
    copy.python.unlink()
    copy.python.write_text(script)
    copy.python.chmod(0o755)


BROKEN = {
    "it is a folder": lambda copy: (copy.python.unlink(), copy.python.mkdir()),
    "it ends with 2": lambda copy: replaced_by(copy, "#!/bin/sh\nexit 2\n"),
    "it is killed": lambda copy: replaced_by(copy, "#!/bin/sh\nkill -9 $$\n"),
    "its own interpreter is gone": lambda copy: replaced_by(copy, "#!/gone/python\n"),
    "it is no program": lambda copy: replaced_by(copy, "\x00\x01\x02"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("broken", some(BROKEN, 1))
def test_a_broken_interpreter_never_blocks_the_prompt(way, broken, installed, project):
    BROKEN[broken](installed)
    assert send(WAYS[way](installed), project)[:2] == (0, "")


WRAPPERS = [way for way in WAYS if way != "line"]
RECORDS = {
    "missing": lambda record: record.unlink(),
    "empty": lambda record: record.write_text(""),
    "one line": lambda record: record.write_text("/usr/bin/python3\n"),
    "a folder": lambda record: (record.unlink(), record.mkdir()),
    "a link to nowhere": lambda record: (record.unlink(), record.symlink_to("gone")),
    "not text": lambda record: record.write_bytes(b"\xff\xfe\n\x80\n"),
}


@pytest.mark.parametrize("way", some(WRAPPERS, 2))
@pytest.mark.parametrize("record", some(RECORDS, ("missing",)))
@pytest.mark.parametrize("batch", ["0", "1"])
def test_without_a_record_the_wrappers_are_silent(way, record, batch, installed, project):
    RECORDS[record](installed.record)
    code, out, err = send(WAYS[way](installed), project, CLAUDE_BATCH_MODE=batch)
    assert (code, out) == (0, "")
    # a shell may say that a NUL or a broken byte is in its way; nothing else may be said
    assert err == "" or record == "not text"


@pytest.mark.parametrize("value", [None, ""])
@pytest.mark.parametrize("way", some(WRAPPERS, 1))
def test_without_a_home_the_wrappers_are_silent(way, value, installed, project):
    assert send(WAYS[way](installed), project, HOME=value, CLAUDE_OVERNIGHT="1") == (0, "", "")
    assert send(WAYS[way](installed), project, HOME=value) == (0, "", "")


@pytest.mark.parametrize("event", some(payloads.EVENTS, 2))
def test_every_event_passes_the_generic_wrapper(event, installed, project):
    code, _, err = send(WAYS["hook.sh"](installed), project, event)
    assert (code, err) == (0, "")
    log = next((installed.record.parents[1] / "projects").glob("*/sessions/*/log.jsonl"))
    assert len(log.read_bytes().splitlines()) == 1


@pytest.mark.parametrize("way", some(WRAPPERS, 1))
def test_the_wrappers_work_from_any_folder_and_by_any_path(way, installed, project, tmp_path):
    moved = tmp_path / "with a space/$HOME"
    shutil.copytree(HOOKS, moved)
    for argv in (["/bin/sh", way], ["/bin/sh", f"./{way}"], [f"./{way}"]):
        code, out, err = send(argv, moved)
        assert (code, err) == (0, "")
        assert "haiku-general" in context(out)
    assert "haiku-general" in context(send(["/bin/sh", f"{moved}/{way}"], project)[1])


@pytest.mark.parametrize("way", ["user-prompt-submit.sh", "hybrid-prompt.sh"])
def test_a_wrapper_without_its_neighbours_is_silent(way, installed, project, tmp_path):
    alone = tmp_path / way
    shutil.copyfile(HOOKS / way, alone)
    assert send(["/bin/sh", str(alone)], project) == (0, "", "")


SWITCHES = ["CLAUDE_BATCH_MODE", "CLAUDE_OVERNIGHT"]


@pytest.mark.parametrize("switch", some(SWITCHES, 1))
def test_batch_and_overnight_go_to_orchestrate_request(switch, installed, project):
    echo = "import sys\ndef request():\n    print(sys.argv[1:], sys.stdin.read())\n"
    (installed.home / "orchestrate/cli.py").write_text(echo)
    way = WAYS["hybrid-prompt.sh"](installed)
    payload = json.dumps(payloads.fields("UserPromptSubmit", str(project)))
    assert send(way, project, **{switch: "1"}) == (0, f"['--interactive'] {payload}\n", "")
    for value in ("0", "", "yes"):
        assert "haiku-general" in context(send(way, project, **{switch: value})[1])


@pytest.mark.parametrize("switch", some(SWITCHES, 1))
def test_a_batch_prompt_is_answered(switch, installed, project):
    installed.record.write_bytes(interpreter.line(shipped.here()))  # the one with the packages of the cold side
    code, out, err = send(WAYS["hybrid-prompt.sh"](installed), project, **{switch: "1"})
    assert (code, err) == (0, "")
    assert "haiku-general" in context(out)


def test_a_failing_request_never_blocks_the_prompt(installed, project):
    (installed.home / "orchestrate/cli.py").write_text("def request():\n    raise SystemExit(2)\n")
    assert send(WAYS["hybrid-prompt.sh"](installed), project, CLAUDE_BATCH_MODE="1") == (0, "", "")


def test_the_wrapper_starts_what_an_install_writes_into_the_settings():
    """Both texts are the same program: after a change of `hookline.BOOT`, put it between the quotes of hook.sh."""
    wrapper = (HOOKS / "hook.sh").read_text()
    assert wrapper.split("'")[1:2] == [hookline.BOOT]
    assert f" -I -S -c '{hookline.BOOT}' " in hookline.command("/p", "/h")
