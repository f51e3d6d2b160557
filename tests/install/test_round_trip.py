"""Install, then uninstall: the user's settings file is what it was, to the byte."""

import copy
import json
import os
import random

import pytest
from tiers import some

from orchestrate.hookline import EVENTS
from orchestrate.install import settings_file, shipped

HOOKS = shipped.groups(shipped.here())
FOREIGN = {"matcher": "Bash", "hooks": [{"type": "command", "command": "say 'ünïcode' \\ \"x\"", "timeout": 9}]}
BUSY = {
    "$schema": "https://json.schemastore.org/claude-code-settings.json",
    "model": "opus",
    "permissions": {"allow": ["Bash(git diff:*)"], "deny": []},
    "hooks": {
        "Notification": [FOREIGN],
        "Stop": [FOREIGN, FOREIGN],
        "PreToolUse": [FOREIGN],
        "UserPromptSubmit": [],
    },
    "env": {"A": "1", "Ü": "→ 漢字 🎈"},
}


def deep(levels):
    return {"x": deep(levels - 1)} if levels else [[], {}]


FILES = {
    "no hooks": b'{\n  "model": "opus"\n}\n',
    "empty object": b"{}",
    "empty object with a line end": b"{}\n",
    "empty object on two lines": b"{\n}\n",
    "empty file": b"",
    "only white space": b" \r\n\t\n",
    "two spaces": json.dumps(BUSY, indent=2, ensure_ascii=False).encode() + b"\n",
    "four spaces, escaped": json.dumps(BUSY, indent=4).encode() + b"\n",
    "tabs": json.dumps(BUSY, indent="\t").encode() + b"\n",
    "no indentation at all": json.dumps(BUSY, indent=0).encode(),
    "CRLF": json.dumps(BUSY, indent=2).replace("\n", "\r\n").encode() + b"\r\n",
    "old Mac line ends": json.dumps(BUSY, indent=2).replace("\n", "\r").encode(),
    "mixed line ends": b'{\r\n  "a": 1,\n  "hooks": {\r\n    "Stop": []\n  }\n}\r\n',
    "BOM": b"\xef\xbb\xbf" + json.dumps(BUSY, indent=2).encode() + b"\n",
    "BOM alone": b"\xef\xbb\xbf",
    "no line end at the end": json.dumps(BUSY, indent=2).encode(),
    "minified": json.dumps(BUSY, separators=(",", ":")).encode(),
    "one line": json.dumps(BUSY).encode() + b"\n",
    "one line, odd gaps": b'  {"a" :1 ,"hooks"\t: { "Stop" : [ ] } }  \n\n',
    "hand-made": b'{ "model": "opus",\n      "hooks": {"Stop": [{"hooks": []},\n   {"hooks": [ ]}]},\n\n  "z": [\n]}\n',
    "empty hooks": b'{\n    "hooks": {\n    }\n}\n',
    "deep": json.dumps({"deep": deep(200)}, indent=1).encode(),
    "repeated keys": b'{"hooks": {"Stop": []}, "a": 1, "a": 2, "hooks": {"Stop": [], "Stop": []}}\n',
    "numbers as written": b'{"a": 1.0, "b": 1E+2, "c": -0, "d": 12345678901234567890123, "e": 0.10}\n',
    "escapes": b'{"\\u0061": "\\/\\ud83d\\ude00 \\ud800", "hooks": {}}\n',
    "keys that look like ours": b'{"nooks": {"hooks": {}}, "x": "\\"hooks\\": {", "hooks": {"hooks": 1}}\n',
}


def expected(document):
    """The same by plain dictionaries: ours go last in each event."""
    document = copy.deepcopy(document)
    hooks = document.setdefault("hooks", {})
    for event, group in HOOKS.items():
        hooks.setdefault(event, []).append(group)
    return document


def in_order(document):
    return json.dumps(document)


def read(raw):
    return json.loads(raw.decode("utf-8-sig").strip() or "{}")


@pytest.mark.parametrize("name", some(FILES, 3))
def test_a_file_is_given_back_to_the_byte(name, orchestrate, settings):
    settings.parent.mkdir()
    settings.write_bytes(FILES[name])
    assert orchestrate("install")[0] == 0
    once = settings.read_bytes()
    assert in_order(read(once)) == in_order(expected(read(FILES[name])))
    assert orchestrate("install")[0] == 0
    assert settings.read_bytes() == once
    assert orchestrate("uninstall")[0] == 0
    assert settings.read_bytes() == FILES[name]


@pytest.mark.parametrize("name", some(FILES, ("two spaces", "minified", "hand-made")))
def test_without_the_receipt_every_foreign_value_is_still_given_back(name, orchestrate, settings, home):
    settings.parent.mkdir()
    settings.write_bytes(FILES[name])
    orchestrate("install")
    for path in sorted((home / ".orchestrator/install").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    assert orchestrate("uninstall")[0] == 0
    assert pruned(read(settings.read_bytes())) == pruned(read(FILES[name]))


def pruned(document):
    """Nobody knows any more whether the empty lists of our events were there before us."""
    hooks = {event: groups for event, groups in document.get("hooks", {}).items() if event not in EVENTS or groups}
    rest = {key: value for key, value in document.items() if key != "hooks"}
    return in_order({**rest, "hooks": hooks})


def test_a_file_that_others_changed_loses_only_our_lines(orchestrate, settings):
    settings.parent.mkdir()
    settings.write_bytes(FILES["two spaces"])
    orchestrate("install")
    was, became = b'"model": "opus"', b'"model": "haiku",\n  "added":    [ 1 ]'
    settings.write_bytes(settings.read_bytes().replace(was, became))
    assert orchestrate("uninstall")[0] == 0
    assert settings.read_bytes() == FILES["two spaces"].replace(was, became)


def test_what_others_add_between_two_installs_is_theirs(orchestrate, settings):
    settings.parent.mkdir()
    settings.write_bytes(b'{\n  "a": 1\n}\n')
    orchestrate("install")
    settings.write_bytes(settings.read_bytes().replace(b'"a": 1', b'"a": 2'))
    orchestrate("install")
    orchestrate("uninstall")
    assert settings.read_bytes() == b'{\n  "a": 2\n}\n'


def test_an_older_install_is_replaced_and_leaves_no_trace(orchestrate, settings, ours):
    settings.parent.mkdir()
    older = json.loads(json.dumps(HOOKS["Stop"]).replace(" -I ", " -E "))
    settings.write_text(json.dumps({"hooks": {"Stop": [older, FOREIGN], "Notification": [older]}}, indent=2))
    orchestrate("install")
    assert ours(settings) == {"Stop": [HOOKS["Stop"]], **{event: [group] for event, group in HOOKS.items()}}
    orchestrate("uninstall")
    assert read(settings.read_bytes()) == {"hooks": {"Stop": [FOREIGN]}}


def test_a_file_and_folders_that_we_made_are_removed_again(orchestrate, home):
    assert orchestrate("install")[0] == 0
    assert sorted(path.name for path in (home / ".claude").rglob("*.*")) == [
        "haiku-general.md",
        "opus-general.md",
        "settings.json",
        "sonnet-general.md",
    ]
    orchestrate("install")
    assert orchestrate("uninstall")[0] == 0
    assert not (home / ".claude").exists()
    assert [path.name for path in (home / ".orchestrator/install").iterdir()] == ["lock"]


def test_a_folder_that_somebody_uses_by_now_stays(orchestrate, home):
    orchestrate("install")
    (home / ".claude/agents/mine.md").write_text("mine")
    orchestrate("uninstall")
    assert [path.name for path in (home / ".claude").rglob("*")] == ["agents", "mine.md"]


def test_a_file_that_we_made_stays_once_it_holds_something_else(orchestrate, settings):
    orchestrate("install")
    settings.write_bytes(settings.read_bytes().replace(b"{\n", b'{\n  "model": "opus",\n', 1))
    orchestrate("install")
    orchestrate("uninstall")
    assert settings.read_bytes() == b'{\n  "model": "opus"\n}\n'


def test_a_file_that_we_made_goes_also_when_it_was_only_reformatted(orchestrate, settings):
    orchestrate("install")
    settings.write_text(json.dumps(json.loads(settings.read_bytes())))
    orchestrate("uninstall")
    assert not settings.exists()


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o640])
def test_mode_and_owner_stay(mode, orchestrate, settings):
    settings.parent.mkdir()
    settings.write_bytes(b"{}")
    settings.chmod(mode)
    if os.geteuid() == 0:
        os.chown(settings, 12345, 54321)
    before = settings.stat()
    orchestrate("install")
    installed = settings.stat()
    orchestrate("uninstall")
    for after in (installed, settings.stat()):
        assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)


@pytest.mark.parametrize("is_relative", [True, False])
def test_of_a_linked_file_the_target_changes_and_the_link_stays(is_relative, orchestrate, settings, home):
    target = home / "dotfiles/claude.json"
    target.parent.mkdir()
    target.write_bytes(FILES["tabs"])
    settings.parent.mkdir()
    pointer = "../dotfiles/claude.json" if is_relative else str(target)
    settings.symlink_to(pointer)
    orchestrate("install")
    assert os.readlink(settings) == pointer
    assert in_order(read(target.read_bytes())) == in_order(expected(BUSY))
    orchestrate("uninstall")
    assert os.readlink(settings) == pointer
    assert target.read_bytes() == FILES["tabs"]
    assert [path.name for path in target.parent.iterdir()] == ["claude.json"]


def generated(rng, levels=4):
    """Any JSON value, of the kinds that break careless editors."""
    kind = rng.randrange(9 if levels else 6)
    if kind < 6:
        return rng.choice([None, True, 0, -1.5e-7, 10**20, "", '}{][,:"\\', "hooks", "ünï\u2028\n", "\ud800", "// no"])
    if kind < 8:
        keys = ["hooks", "Stop", "", "a", "ü", '"', "b:", "{"]
        return {rng.choice(keys): generated(rng, levels - 1) for _ in range(rng.randrange(4))}
    return [generated(rng, levels - 1) for _ in range(rng.randrange(4))]


def generated_settings(rng):
    document = {f"k{number}": generated(rng) for number in range(rng.randrange(4))}
    if rng.random() < 0.8:
        events = rng.sample([*EVENTS, "Notification", "Later"], rng.randrange(5))
        document["hooks"] = {
            event: [{"matcher": "x", "hooks": [{"type": "command", "command": "c", "x": generated(rng)}]}]
            * rng.randrange(3)
            for event in events
        }
    keys = list(document)
    rng.shuffle(keys)
    return {key: document[key] for key in keys}


@pytest.mark.parametrize("seed", some(range(100), 8))
def test_any_document_keeps_its_values_and_their_order(seed):
    rng = random.Random(seed)
    document = generated_settings(rng)
    indent = rng.choice([None, 0, 1, 2, 4, "\t"])
    separators = rng.choice([None, (",", ":"), (" ,", " : ")])
    text = json.dumps(document, indent=indent, separators=separators, ensure_ascii=rng.random() < 0.5)
    text = rng.choice(["", "\ufeff", " \n"]) + text.replace("\n", rng.choice(["\n", "\r\n"])) + rng.choice(["", "\n"])
    longer = settings_file.with_hooks(text, HOOKS)
    assert in_order(json.loads(longer.removeprefix("\ufeff"))) == in_order(expected(document))
    assert settings_file.with_hooks(longer, HOOKS) == longer
    assert without_gaps(settings_file.without_hooks(longer, settings_file.kept(text))) == without_gaps(text)


def without_gaps(text):
    """An emptied list is written `[]`, however wide it was before; nothing else may differ."""
    return "".join(text.split())
