"""The status line: ours around the user's own, and the settings file back to the byte."""

import json
import subprocess

import pytest
from tiers import some

from orchestrate.install import shipped, status_line
from orchestrate.install.interpreter import Interpreter

OWN = "~/bin/line.sh --colour='yes \"ünï\"' | head -1"
RUNS = shipped.here()
LINE = {"type": "command", "command": OWN, "padding": 0}

FILES = {
    "no file": None,
    "empty": b"",
    "none": b'{\n  "model": "opus"\n}\n',
    "one": json.dumps({"statusLine": LINE, "model": "opus"}, indent=2, ensure_ascii=False).encode() + b"\n",
    "escaped": json.dumps({"model": "opus", "statusLine": LINE}, indent=4).encode(),
    "minified": json.dumps({"statusLine": LINE}, separators=(",", ":")).encode(),
    "CRLF and BOM": b"\xef\xbb\xbf" + json.dumps({"statusLine": LINE}, indent=2).replace("\n", "\r\n").encode(),
    "odd escapes": b'{"statusLine": {"command" : "\\u0064ate \\/x", "type":"command"}}\n',
    "an empty command": b'{"statusLine": {"type": "command", "command": ""}}\n',
    "repeated": b'{"statusLine": {"command": "one"}, "statusLine": {"command": "two", "command": "three"}}',
}


def line_of(path):
    return json.loads(path.read_bytes().decode("utf-8-sig"))["statusLine"]


@pytest.fixture
def put(settings):
    """Write a settings file; None: there is none."""

    def write(content):
        if content is not None:
            settings.parent.mkdir(exist_ok=True)
            settings.write_bytes(content)

    return write


@pytest.mark.parametrize("name", some(FILES, ("no file", "one", "CRLF and BOM")))
def test_a_file_is_given_back_to_the_byte(name, put, orchestrate, settings):
    put(FILES[name])
    own = json.loads(FILES[name].decode("utf-8-sig") or "{}").get("statusLine", {}) if FILES[name] else {}
    assert orchestrate("install", "--statusline")[0] == 0
    once = settings.read_bytes()
    ours = status_line.command(RUNS, own.get("command", ""))
    assert line_of(settings) == {**(own or {"type": "command"}), "command": ours}
    assert orchestrate("install", "--statusline")[0] == orchestrate("install")[0] == 0
    assert settings.read_bytes() == once
    assert orchestrate("uninstall")[0] == 0
    assert (settings.read_bytes() if settings.exists() else None) == FILES[name]


@pytest.mark.parametrize("name", some(FILES, ("no file", "one")))
def test_it_can_be_taken_out_alone(name, put, orchestrate, settings):
    put(FILES[name])
    orchestrate("install")
    with_hooks = settings.read_bytes()
    orchestrate("install", "--statusline")
    assert orchestrate("install", "--no-statusline")[0] == 0
    assert settings.read_bytes() == with_hooks
    orchestrate("uninstall")
    assert (settings.read_bytes() if settings.exists() else None) == FILES[name]


def test_a_plain_install_brings_none(orchestrate, settings):
    orchestrate("install")
    assert "statusLine" not in json.loads(settings.read_bytes())


@pytest.mark.parametrize("name", ["none", "one", "escaped", "minified"])
def test_a_file_that_others_changed_gets_the_own_line_back(name, put, orchestrate, settings):
    put(FILES[name])
    orchestrate("install", "--statusline")
    changed = [(b'"model": "opus"', b'"model":   "haiku"'), (b'"padding":0', b'"padding" : 3')]
    for was, becomes in changed:
        settings.write_bytes(settings.read_bytes().replace(was, becomes))
    orchestrate("uninstall")
    expected = FILES[name]
    for was, becomes in changed:
        expected = expected.replace(was, becomes)
    assert settings.read_bytes() == expected != FILES[name]


OF_A_LINE = [name for name in FILES if name not in ("no file", "an empty command", "repeated")]


@pytest.mark.parametrize("name", some(OF_A_LINE, 3))
def test_without_the_receipt_the_line_itself_knows_the_own_one(name, put, orchestrate, settings, home):
    put(FILES[name])
    orchestrate("install", "--statusline")
    for path in sorted((home / ".orchestrator/install").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    orchestrate("uninstall")
    assert json.loads(settings.read_bytes().decode("utf-8-sig")) == json.loads(FILES[name].decode("utf-8-sig") or "{}")


def test_an_older_line_of_ours_is_replaced_and_keeps_the_own_one(put, orchestrate, settings):
    older = status_line.command(Interpreter("/gone/python", "/gone"), OWN)
    put(json.dumps({"statusLine": {**LINE, "command": older}}).encode())
    orchestrate("install")
    assert line_of(settings) == {**LINE, "command": status_line.command(RUNS, OWN)}


def test_what_the_user_puts_in_its_place_stays(put, orchestrate, settings):
    put(FILES["one"])
    orchestrate("install", "--statusline")
    theirs = {"type": "command", "command": "date"}
    settings.write_text(json.dumps({**json.loads(settings.read_bytes()), "statusLine": theirs}))
    orchestrate("install")
    assert line_of(settings) == theirs
    orchestrate("uninstall")
    assert line_of(settings) == theirs


@pytest.mark.parametrize("odd", some([None, "date", [], {}, {"type": "command"}, {"command": 3}], 2))
def test_a_line_without_a_command_is_refused(odd, put, orchestrate, settings):
    put(json.dumps({"statusLine": odd}).encode())
    before = settings.read_bytes()
    code, _, err = orchestrate("install", "--statusline")
    assert (code, err) == (
        1,
        f"orchestrate: {settings}: `statusLine` has no command: mend the file, then run this again\n",
    )
    assert settings.read_bytes() == before
    assert orchestrate("install")[0] == 0
    orchestrate("uninstall")
    assert settings.read_bytes() == before


def test_it_can_be_printed(orchestrate):
    code, out, _ = orchestrate("install", "--print", "--statusline")
    assert (code, json.loads(out)["statusLine"]) == (0, status_line.snippet(RUNS))


def test_a_plugin_brings_none(orchestrate):
    code, _, err = orchestrate("install", "--scope", "plugin", "--statusline")
    assert (code, err) == (
        1,
        "orchestrate: --statusline: a plugin brings none: add what `orchestrate install --statusline --print` says\n",
    )


def test_a_dry_run_changes_nothing(put, orchestrate, settings):
    put(FILES["one"])
    code, out, _ = orchestrate("install", "--statusline", "--dry-run")
    assert (code, "orchestrate.statusline" in out) == (0, True)
    assert settings.read_bytes() == FILES["one"]


@pytest.mark.parametrize("own", ["", "date", OWN, "a\nb", "it's; c=3", "x=1; printf '%s' \"$x\"", " lead"])
def test_a_line_tells_which_command_it_is_around(own):
    assert status_line.own_of(status_line.command(RUNS, own)) == own


@pytest.mark.parametrize("foreign", ["date", "c=1", "it's broken", ""])
def test_a_foreign_line_is_around_none(foreign):
    assert status_line.own_of(foreign) in ("", foreign[2:-1])


@pytest.mark.parametrize("runs", [Interpreter("/gone/python", "/gone"), RUNS._replace(home="/gone")])
def test_where_the_package_is_gone_the_own_line_goes_on(runs, tmp_path):
    line = status_line.command(runs, "printf own:; cat")
    done = subprocess.run(["/bin/sh", "-c", line], input=b"{}", capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"own:{}", b"")
    line = status_line.command(runs, "")
    done = subprocess.run(["/bin/sh", "-c", line], input=b"{}", capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
