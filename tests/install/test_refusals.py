"""Where a settings file cannot be edited safely, nothing at all is changed."""

import os
import tempfile
from pathlib import Path

import pytest

from orchestrate.install import userfile
from state.errors import UserError


def everything(folder):
    return {
        str(path.relative_to(folder)): os.readlink(path) if path.is_symlink() else path.is_file() and path.read_bytes()
        for path in folder.rglob("*")
        if "lock" not in path.name
    }


@pytest.mark.parametrize("command", ["install", "uninstall"])
@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        (b'{"model": "opus"', "is not JSON"),
        (b'{"model": "opus" /* mine */}', "is not JSON"),
        (b'{"model": "\xe4"}', "byte 11 is not UTF-8"),
        (b"[]", "holds no JSON object"),
    ],
)
def test_what_cannot_be_read_is_not_touched(command, raw, complaint, orchestrate, settings, home):
    settings.parent.mkdir()
    settings.write_bytes(raw)
    before = everything(settings.parent)
    code, out, err = orchestrate(command)
    assert (code, out) == (1, "")
    assert err.startswith(f"orchestrate: {settings}: {complaint}")
    assert err.count("\n") == 1
    assert everything(settings.parent) == before
    assert everything(home / ".orchestrator") == {"install": False}


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        (b'{"hooks": []}', "`hooks` is no object"),
        (b'{"hooks": {"Stop": "x"}}', "`hooks.Stop` is no list"),
        (b'{"hooks": {"SessionEnd": [{"hooks": "x"}]}}', "`hooks.SessionEnd[0]` is no matcher with a list of hooks"),
    ],
)
def test_hooks_of_another_shape_are_not_touched(raw, complaint, orchestrate, settings):
    settings.parent.mkdir()
    settings.write_bytes(raw)
    before = everything(settings.parent)
    assert orchestrate("install") == (
        1,
        "",
        f"orchestrate: {settings}: {complaint}: mend the file, then run this again\n",
    )
    assert everything(settings.parent) == before
    assert orchestrate("uninstall")[:2] == (0, f"nothing of ours in {settings}\n")
    assert everything(settings.parent) == before


@pytest.mark.parametrize("scope", ["local", "project"])
@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_a_path_that_is_not_utf8_is_refused_before_anything_is_done(scope, more, orchestrate, tmp_path, home):
    root = tmp_path / "caf\udce9"
    root.mkdir()
    words = ["--scope", scope, "--project-root", str(root)]
    code, out, err = orchestrate("install", *words, *more)
    assert (code, out) == (1, "")
    file = f"{root}/.claude/settings{'.local' if scope == 'local' else ''}.json"
    assert err == (
        f"orchestrate: {file!r}: is not UTF-8, and the way back could not be recorded: "
        "rename the folder, or install into another scope\n"
    )
    assert (everything(root), list(home.rglob("receipt.json"))) == ({}, [])
    code, out, _ = orchestrate("uninstall", *words)
    assert (code, out.startswith("nothing of ours in ")) == (0, True)


def test_in_a_folder_that_is_not_utf8_the_user_s_own_settings_are(orchestrate, tmp_path, settings, ours, monkeypatch):
    (tmp_path / "caf\udce9").mkdir()
    monkeypatch.chdir(tmp_path / "caf\udce9")
    assert orchestrate("install")[0] == 0
    assert ours(settings)["Stop"] != []
    assert orchestrate("uninstall")[0] == 0
    assert not settings.exists()


def test_a_link_to_nowhere_is_not_touched(orchestrate, settings):
    settings.parent.mkdir()
    settings.symlink_to("gone/settings.json")
    code, _, err = orchestrate("install")
    assert code == 1
    assert err == f"orchestrate: {settings}: is a link to nowhere (gone/settings.json): mend or remove the link\n"
    assert everything(settings.parent) == {"settings.json": "gone/settings.json"}


def test_a_folder_in_the_file_s_place_is_said_in_one_line(orchestrate, settings):
    settings.mkdir(parents=True)
    assert orchestrate("install") == (
        1,
        "",
        f"orchestrate: cannot read {settings}: is a directory: a folder stands where a file is needed\n",
    )


def test_a_file_in_the_folder_s_place_is_said_in_one_line(orchestrate, settings):
    settings.parent.write_text("a file")
    code, out, err = orchestrate("install")
    assert (code, out) == (1, "")
    assert err == f"orchestrate: cannot read {settings}: not a directory: a file stands where a folder is needed\n"


def test_without_a_home_there_is_nothing_to_install_into(orchestrate, monkeypatch):
    monkeypatch.delenv("HOME")
    code, out, err = orchestrate("install")
    assert (code, out) == (1, "")
    assert err == "orchestrate: ~/.orchestrator: HOME is not set or cannot be written: mend that first\n"


def test_the_plugin_and_the_settings_are_not_both_used(orchestrate, settings):
    settings.parent.mkdir()
    settings.write_text('{"enabledPlugins": {"other@x": true, "orchestrate@local": true}}')
    code, out, err = orchestrate("install", "--scope", "local")
    assert (code, out) == (1, "")
    assert err.startswith(
        f"orchestrate: {settings}: enables the plugin orchestrate@local, and every hook would run twice"
    )
    settings.write_text('{"enabledPlugins": {"orchestrate@local": false}}')
    assert orchestrate("install", "--scope", "local")[0] == 0
    code, _, err = orchestrate("install", "--scope", "plugin")
    assert code == 1
    assert err.endswith("every hook would run twice: `orchestrate uninstall --scope local` first\n")


def test_a_read_only_file_is_left_to_whoever_made_it():
    """As a user who is not root: root may write everything."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder, "settings.json")
        path.write_text("{}")
        path.chmod(0o444)
        receive, send = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(send, complaint_of(path).encode())
            os._exit(0)
        os.waitpid(child, 0)
        told = os.read(receive, 1000).decode()
    assert told == f"{path}: is read-only: change it where it is made, by what `orchestrate install --print` says"


def complaint_of(path):
    if os.getuid() == 0:
        os.setuid(65534)
    try:
        userfile.check_writable(path)
    except UserError as error:
        return str(error)
    return "nothing"
