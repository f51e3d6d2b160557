import json
import os
import subprocess
import sys

import pytest

from orchestrate import __version__, hookline, payloads
from orchestrate.install import interpreter, shipped
from state.errors import UserError

FOLDER = shipped.folder(shipped.here().home)
PLUGIN = json.loads((FOLDER / ".claude-plugin/plugin.json").read_bytes())
MARKET = json.loads((FOLDER / ".claude-plugin/marketplace.json").read_bytes())
HOOKS = json.loads((FOLDER / "hooks.json").read_bytes())["hooks"]
LINE = 'wrapper="${CLAUDE_PLUGIN_ROOT}/hook.sh"; [ -r "$wrapper" ] && exec sh "$wrapper"; exit 0'


def test_the_plugin_has_the_version_of_the_package():
    assert (PLUGIN["name"], PLUGIN["version"]) == ("orchestrate", __version__)


def test_the_marketplace_offers_the_plugin_beside_it_and_the_one_without_the_mod():
    offered = [(entry["name"], entry["source"]) for entry in MARKET["plugins"]]
    assert offered == [(PLUGIN["name"], "./"), ("orchestrate-classic", "./classic")]
    assert (FOLDER / PLUGIN["hooks"]).is_file()


def test_the_plugin_has_the_hooks_that_an_install_writes():
    assert {name: [shipped.group(event, LINE)] for name, event in hookline.EVENTS.items()} == HOOKS


def test_there_is_a_sample_of_every_handled_event():
    assert sorted(payloads.EVENTS) == sorted(hookline.EVENTS)


def run(line, project, root):
    env = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "CLAUDE_PLUGIN_ROOT": str(root)}
    stdin = json.dumps(payloads.fields("UserPromptSubmit", str(project))).encode()
    done = subprocess.run(["/bin/sh", "-c", line], input=stdin, capture_output=True, cwd=project, env=env, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_its_hooks_are_silent_until_an_interpreter_is_recorded(orchestrate, project, home):
    assert run(LINE, project, FOLDER) == (0, "", "")
    code, out, _ = orchestrate("install", "--scope", "plugin")
    assert (code, out.splitlines()[0]) == (0, "recorded the interpreter that the plugin's hooks start")
    record = home / ".orchestrator/install" / interpreter.NAME
    assert record.read_text() == f"{sys.executable}\n{shipped.here().home}\n"
    assert not (home / ".claude").exists()
    code, out, err = run(LINE, project, FOLDER)
    assert (code, err) == (0, "")
    assert '\\"orchestrate:haiku-general\\"' in out
    assert orchestrate("uninstall", "--scope", "plugin")[0] == 0
    assert not record.exists()


def test_its_hooks_are_silent_when_the_plugin_s_folder_is_gone(project, tmp_path):
    assert run(LINE, project, tmp_path / "gone") == (0, "", "")


def test_the_record_stays_as_long_as_one_scope_needs_it(orchestrate, home):
    orchestrate("install", "--scope", "plugin")
    orchestrate("install", "--scope", "plugin")
    record = home / ".orchestrator/install" / interpreter.NAME
    orchestrate("uninstall", "--scope", "local")
    assert record.is_file()
    orchestrate("uninstall", "--scope", "plugin")
    assert not record.exists()


PLUGGED = {"enabledPlugins": {"orchestrate@here": True}}
KEPT = {
    "in the user's settings": (".claude/settings.json", PLUGGED),
    "in the project's settings": ("../project/.claude/settings.json", PLUGGED),
    "without the mod": (".claude/settings.json", {"enabledPlugins": {"orchestrate-classic@here": True}}),
    "for another project": (".claude/plugins/installed_plugins.json", {"plugins": {"orchestrate@here": [{}]}}),
}


@pytest.mark.parametrize("where", KEPT)
def test_the_record_stays_for_a_plugin_that_came_after_the_hooks(where, orchestrate, home):
    orchestrate("install")
    file, more = KEPT[where]
    path = home / file
    path.parent.mkdir(parents=True, exist_ok=True)
    before = json.loads(path.read_bytes()) if path.exists() else {}
    path.write_text(json.dumps({**before, **more}))
    code, _, err = orchestrate("uninstall")
    record = home / ".orchestrator/install" / interpreter.NAME
    assert (code, record.is_file()) == (0, True)
    assert err == f"note: {record} stays for the plugin: `orchestrate uninstall --scope plugin` removes it\n"
    assert orchestrate("uninstall", "--scope", "plugin")[:2] == (0, f"removed {record}\n")
    assert not record.exists()


@pytest.mark.parametrize("garbage", ["", "[]", '{"plugins": []}', '{"plugins": {"orchestrate-other@x": [{}]}}'])
def test_no_plugin_of_ours_keeps_the_record(garbage, orchestrate, home):
    orchestrate("install")
    kept = home / ".claude/plugins/installed_plugins.json"
    kept.parent.mkdir(parents=True)
    kept.write_text(garbage)
    assert orchestrate("uninstall")[2] == ""
    assert not (home / ".orchestrator/install" / interpreter.NAME).exists()


def test_the_record_stays_for_a_scope_whose_receipt_cannot_be_read(orchestrate, home):
    orchestrate("install", "--scope", "plugin")
    next((home / ".orchestrator/install").glob("*/receipt.json")).write_bytes(b'{"torn')
    orchestrate("install")
    orchestrate("uninstall")
    assert (home / ".orchestrator/install" / interpreter.NAME).is_file()


@pytest.mark.parametrize("name", ["hook.sh", "user-prompt-submit.sh", "hybrid-prompt.sh"])
def test_wrappers_can_be_run_and_are_posix_sh(name):
    assert os.access(FOLDER / name, os.X_OK)
    assert (FOLDER / name).read_text().startswith("#!/bin/sh\n# ")
    assert subprocess.run(["/bin/sh", "-n", FOLDER / name], capture_output=True, check=True).stderr == b""


@pytest.mark.parametrize(
    ("python", "home"),
    [("python3", "/h"), ("/p", "relative"), ("/p\n/q", "/h"), ("", "/h"), ("/p", "/h\udc80")],
)
def test_what_a_wrapper_cannot_start_is_not_recorded(python, home):
    with pytest.raises(UserError, match="install into another folder"):
        interpreter.line(interpreter.Interpreter(python, home))


def test_a_command_line_tells_what_it_starts():
    runs = interpreter.Interpreter("/a b/python", "/c $d'e")
    assert interpreter.of_command(hookline.command(*runs)) == runs
    assert interpreter.of_command("python3 -m orchestrate.entry") is None
    assert interpreter.of_command("echo 'open") is None
