import json
import os
import shutil
import sys
import time
from pathlib import Path

import pytest
from tiers import some

from orchestrate import hookline
from orchestrate.doctor import hooking, rungs, standing
from orchestrate.install import shipped
from state import codec, files, journal, paths

HOME = shipped.here().home


def found(check, scene):
    return [(finding.state, finding.fact) for finding in check(scene)]


def foreign(command, event="PreToolUse", **group):
    return {event: [{**group, "hooks": [{"type": "command", "command": command}]}]}


def test_no_hooks(machine):
    (finding,) = hooking.installed(machine.look())
    assert (finding.state, finding.fact, finding.remedy) == (
        "fail",
        "no hooks are installed",
        "run `orchestrate install`",
    )


def test_an_install_is_whole(machine, home):
    machine.install()
    scene = machine.look()
    assert found(hooking.installed, scene) == [("ok", f"9 in {home}/.claude/settings.json")]
    ((state, fact),) = found(hooking.starts, scene)
    assert (state, fact.endswith(f": {sys.executable}, {HOME}")) == ("ok", True)
    assert found(hooking.versions, scene)[0][0] == "ok"


def test_hooks_with_another_interpreter_of_the_same_package_are_current(machine, home, tmp_path):
    python = tmp_path / "python"
    python.symlink_to(sys.executable)
    machine.settings({"hooks": foreign(hookline.command(str(python), HOME), "Stop")})
    ((state, fact),) = found(hooking.installed, machine.look())
    assert (state, fact.startswith(f"1 in {home}/.claude/settings.json, of another version or place, without")) == (
        "warn",
        True,
    )
    machine.install()
    text = (home / ".claude/settings.json").read_text()
    (home / ".claude/settings.json").write_text(text.replace(sys.executable, str(python)))
    assert found(hooking.installed, machine.look())[0][0] == "ok"


def test_hooks_whose_interpreter_is_gone(machine):
    machine.settings({"hooks": foreign(hookline.command("/gone/python", HOME), "Stop")})
    scene = machine.look()
    assert found(hooking.installed, scene)[0] == ("fail", f"/gone/python or {HOME} is gone, so the hooks are silent")
    assert found(hooking.starts, scene) == []
    assert standing.facts(scene).silent == "what the hooks start is gone"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("#!/bin/sh\nexit 1\n", "the hooks are silent: exit code 1"),
        ("#!/bin/sh\necho no such module >&2; exit 1\n", "the hooks are silent: no such module"),
        ("#!/bin/sh\n", "the hooks are silent: exit code 0"),
    ],
)
def test_an_interpreter_that_does_not_start(script, reason, machine, tmp_path):
    python = tmp_path / "python"
    python.write_text(script)
    python.chmod(0o755)
    machine.settings({"hooks": foreign(hookline.command(str(python), HOME), "Stop")})
    assert found(hooking.starts, machine.look()) == [("fail", f"{python}: {reason}")]


def test_an_interpreter_that_cannot_be_run_at_all(machine, tmp_path):
    python = tmp_path / "python"
    python.write_text("#!/no/such/thing\n")
    python.chmod(0o755)
    machine.settings({"hooks": foreign(hookline.command(str(python), HOME), "Stop")})
    ((state, fact),) = found(hooking.starts, machine.look())
    assert (state, fact.startswith(f"{python}: [Errno 2]")) == ("fail", True)


def test_an_interpreter_that_is_too_old(machine, tmp_path):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 3.10.2 0.1.0\n")
    python.chmod(0o755)
    machine.settings({"hooks": foreign(hookline.command(str(python), HOME), "Stop")})
    assert found(hooking.starts, machine.look()) == [("fail", f"Python 3.10.2, orchestrate 0.1.0: {python}, {HOME}")]


def test_a_package_that_no_longer_imports(machine, tmp_path):
    home = tmp_path / "half"
    (home / "orchestrate").mkdir(parents=True)
    (home / "orchestrate/entry.py").write_text("import nothing_of_the_kind\n")
    machine.settings({"hooks": foreign(hookline.command(sys.executable, str(home)), "Stop")})
    scene = machine.look()
    ((state, fact),) = found(hooking.starts, scene)
    assert (state, "nothing_of_the_kind" in fact) == ("fail", True)
    assert not (home / "orchestrate/__pycache__").exists()
    assert found(hooking.versions, scene) == [
        ("warn", f"the hooks run the orchestrate in {home}, and this is the one in {HOME}")
    ]


def test_two_commands_in_the_path(machine, tmp_path, monkeypatch):
    other = tmp_path / "other"
    other.mkdir()
    for folder in (machine.bin, other):
        (folder / "orchestrate").write_text(f"#!/bin/sh\n# {folder}\n")
        (folder / "orchestrate").chmod(0o755)
    link = tmp_path / "link"
    link.mkdir()
    (link / "orchestrate").symlink_to(other / "orchestrate")
    monkeypatch.setenv("PATH", f"{machine.bin}:{other}:{link}")
    assert found(hooking.versions, machine.look()) == [
        ("warn", f"2 in PATH: {machine.bin}/orchestrate, {other}/orchestrate")
    ]


@pytest.mark.parametrize(
    ("hooks", "hook", "tools"),
    some(
        [
            (foreign("/opt/tool rewrite", matcher="Agent"), "/opt/tool rewrite", "Agent"),
            (foreign("tool", matcher="Task"), "tool", "Task"),
            (foreign("tool", matcher="Ag.*"), "tool", "Ag.*"),
            (foreign("tool", matcher="Bash|Workflow"), "tool", "Bash|Workflow"),
            (foreign("tool"), "tool", "every tool"),
            (foreign("tool", matcher="*"), "tool", "every tool"),
            (foreign("tool sk-ant-abcdefgh12345678", matcher=""), "tool [redacted:anthropic-key]", "every tool"),
            (
                {"PreToolUse": [{"hooks": [{"type": "http", "url": "http://127.0.0.1:1"}]}]},
                "http://127.0.0.1:1",
                "every tool",
            ),
            (foreign("tool", matcher="agent"), None, None),
            (foreign("tool", matcher="Bash"), None, None),
            (foreign("tool", matcher="("), None, None),
            (foreign("tool", event="Stop"), None, None),
            ({"PreToolUse": "odd"}, None, None),
            ({"PreToolUse": [{"hooks": "odd"}, 3, {"hooks": [4]}]}, None, None),
        ],
        4,
    ),
)
def test_a_hook_that_could_rewrite_a_spawn_too_is_named(hooks, hook, tools, machine):
    file = machine.settings({"hooks": hooks}, "project")
    machine.install()
    expected = ("ok", "none that could change a spawn")
    if hook:
        expected = ("warn", f"`{hook}` in {file} also runs before {tools}")
    assert found(hooking.foreign, machine.look()) == [expected]


def test_hooks_and_mods_of_other_plugins_are_seen(machine, tmp_path):
    market = tmp_path / "market"
    plugin = market / "rival"
    (market / ".claude-plugin").mkdir(parents=True)
    (market / ".claude-plugin/marketplace.json").write_text('{"plugins": [{"name": "rival", "source": "./rival"}]}')
    (plugin / "hooks").mkdir(parents=True)
    (plugin / "hooks/hooks.json").write_text(
        json.dumps({"hooks": foreign("rival.sh", matcher="Agent"), "modules": ["./mod.ts", "./absent.ts"]})
    )
    (plugin / "hooks/mod.ts").write_text("")
    machine.plug(market, name="rival")
    assert found(hooking.foreign, machine.look()) == [
        ("warn", "`rival.sh` in the plugin rival@here also runs before Agent"),
        ("warn", "the plugin rival@here brings a mod"),
    ]
    (plugin / "hooks/mod.ts").unlink()
    assert len(found(hooking.foreign, machine.look())) == 1


def test_a_plugin_that_the_client_copied_is_found_where_it_lies(machine, home, tmp_path):
    copy = tmp_path / "copy"
    (copy / "hooks").mkdir(parents=True)
    (copy / "hooks/hooks.json").write_text(json.dumps({"modules": ["./mod.ts"]}))
    (copy / "hooks/mod.ts").write_text("")
    machine.settings({"enabledPlugins": {"rival@far": True, "off@far": False}})
    kept = home / ".claude/plugins/installed_plugins.json"
    kept.parent.mkdir()
    kept.write_text(json.dumps({"plugins": {"rival@far": [{"installPath": "/gone"}, {"installPath": str(copy)}]}}))
    assert [plugin.name for plugin in machine.look().plugins] == ["rival@far"]
    assert found(hooking.foreign, machine.look()) == [("warn", "the plugin rival@far brings a mod")]


@pytest.mark.parametrize("garbage", ["", "{", "[]", '{"here": 3}', '{"here": {"source": 3, "installLocation": 4}}'])
def test_garbage_in_the_client_s_own_files_costs_the_plugin_alone(garbage, machine, home):
    machine.plug()
    (home / ".claude/plugins/known_marketplaces.json").write_text(garbage)
    (home / ".claude/plugins/installed_plugins.json").write_text(garbage)
    assert machine.look().plugins == []


def test_our_plugin_and_its_mod(machine):
    folder = shipped.folder(HOME)
    machine.plug()
    assert found(hooking.installed, machine.look()) == [("fail", "the plugin finds no interpreter and stays silent")]
    machine.install("--scope", "plugin")
    scene = machine.look()
    assert found(hooking.installed, scene) == [("ok", f"plugin orchestrate@here, with the mod, in {folder}")]
    assert found(hooking.starts, scene)[0][0] == "ok"
    facts = standing.facts(scene)
    assert (facts.form, facts.has_mod, facts.silent) == (rungs.PLUGIN, True, "")


def test_our_plugin_without_a_mod(machine, tmp_path):
    folder = tmp_path / "hooks"
    shutil.copytree(shipped.folder(HOME), folder)
    declared = json.loads((folder / "hooks.json").read_bytes())
    del declared["modules"]
    (folder / "hooks.json").write_text(json.dumps(declared))
    machine.plug(folder)
    machine.install("--scope", "plugin")
    assert found(hooking.installed, machine.look()) == [("ok", f"plugin orchestrate@here, without a mod, in {folder}")]


@pytest.mark.parametrize("scope", ["user", "project", "local", "managed", "drop-in", "server"])
def test_a_switch_that_silences_all_hooks(scope, machine):
    file = machine.settings({"disableAllHooks": True}, scope)
    scene = machine.look()
    assert found(hooking.silenced, scene) == [("warn", f"disableAllHooks in {file}: the hooks are silent")]
    assert standing.facts(scene).silent == f"disableAllHooks in {file}"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("ORCHESTRATOR_DISABLED", "ORCHESTRATOR_DISABLED=1 in the environment"),
        ("CLAUDE_CODE_SIMPLE", "CLAUDE_CODE_SIMPLE=1 in the environment"),
        ("CLAUDE_CODE_SAFE_MODE", "CLAUDE_CODE_SAFE_MODE=1 in the environment"),
        ("ORCHESTRATOR_ENABLED", None),
    ],
)
def test_a_variable_that_silences_the_hooks(name, told, machine):
    machine.install()
    scene = machine.look(**{name: "1"})
    expected = ("warn", f"{told}: the hooks are silent") if told else ("ok", "none that silences the hooks")
    assert found(hooking.silenced, scene) == [expected]
    assert standing.facts(scene).silent == (told or "")


def test_settings_of_ours_that_silence_the_hooks(machine, project):
    (project / ".orchestrator").mkdir()
    (project / ".orchestrator/config.yaml").write_text("enabled: false\n")
    assert found(hooking.silenced, machine.look()) == [("warn", "enabled: false (from: repo): the hooks are silent")]


def test_an_organisation_that_allows_its_own_hooks_only(machine):
    machine.install()
    file = machine.settings({"allowManagedHooksOnly": True}, "managed")
    assert standing.facts(machine.look()).silent == f"allowManagedHooksOnly in {file}"
    ours = {"hooks": {event: [group] for event, group in shipped.groups(shipped.here()).items()}}
    machine.settings({"allowManagedHooksOnly": True, **ours}, "managed")
    assert standing.facts(machine.look()).silent == ""


@pytest.mark.parametrize("guard", ["cc-plugin-sec-default@builtin", "sec-default@builtin"])
@pytest.mark.parametrize("scope", ["managed", "drop-in", "server"])
def test_an_organisation_that_allows_its_own_mods_only(scope, guard, machine):
    values = {"pluginConfigs": {guard: {"options": {"allowManagedModsOnly": True}}}}
    file = machine.settings({"settings": values} if scope == "server" else values, scope)
    machine.plug()
    scene = machine.look()
    assert found(hooking.managed, scene) == [("warn", f"allowManagedModsOnly in {file}: the mod is kept out")]
    assert standing.facts(scene).barred == f"allowManagedModsOnly in {file}"


def test_what_only_an_organisation_may_say_counts_from_nobody_else(machine):
    machine.settings({"pluginConfigs": {"sec-default@builtin": {"options": {"allowManagedModsOnly": True}}}}, "project")
    assert standing.facts(machine.look()).barred == ""
    assert found(hooking.managed, machine.look()) == [("ok", "no managed settings")]


def test_managed_settings_that_cannot_be_read_are_named(machine):
    file = machine.settings("{", "managed")
    ((state, fact),) = found(hooking.managed, machine.look())
    assert (state, fact.startswith(f"{file}: is not JSON")) == ("warn", True)
    machine.settings({"cleanupPeriodDays": 30}, "managed")
    assert found(hooking.managed, machine.look()) == [("ok", f"nothing against hooks or mods in {file}")]


@pytest.mark.parametrize(
    ("age_s", "expected"),
    [
        (60, ("warn", "Stop: ValueError: odd at {at}")),
        (2 * 86_400, ("ok", "none in the last day; the last at {at}")),
    ],
)
def test_the_last_failure_of_a_hook(age_s, expected, machine):
    assert found(hooking.errors, machine.look()) == [("ok", "none recorded")]
    at = journal.stamp(time.time() - age_s)
    files.folder(machine.place.state)
    entry = codec.dumps({"ts": at, "event": "Stop", "error": "ValueError: odd"})
    Path(machine.place.state, "hook-errors.log").write_bytes(b"garbage\n" + entry + b"\n\xff\n[]\n")
    assert found(hooking.errors, machine.look()) == [(expected[0], expected[1].format(at=at))]


@pytest.mark.parametrize(
    ("kept", "blown"),
    [
        (b'{"mod": {"failures": 3, "blown": true, "told": true}}', ["mod"]),
        (b'{"mod": {"failures": 2, "blown": false}, "rewrite": {"blown": true}}', ["rewrite"]),
        (b'{"mod": {"failures": 2}}', []),
        (b"{", []),
        (b"[]", []),
        (b'{"mod": 3}', []),
    ],
)
def test_a_fuse_that_blew_in_the_current_session(kept, blown, machine):
    place = machine.place
    assert found(hooking.fuses, machine.look()) == [("ok", "no session yet")]
    folder = paths.session_dir(place, "s-1")
    files.replace(f"{folder}/fuse.json", kept)
    files.replace(f"{place.state}/current", b"s-1\n")
    expected = [("warn", f"{rung} was switched off in session s-1: it failed 3 times in a row") for rung in blown]
    assert found(hooking.fuses, machine.look()) == (expected or [("ok", "none blown")])
    assert standing.blown(machine.look()) == frozenset(blown)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ""),
        ({"user": "plan"}, "plan"),
        ({"user": "manual"}, "default"),
        ({"user": "plan", "local": "acceptEdits"}, "acceptEdits"),
        ({"user": "auto"}, "auto"),
        ({"user": "plan", "project": "auto", "local": "auto"}, "plan"),
        ({"user": "auto", "managed": "default"}, "default"),
    ],
)
def test_the_permission_mode_of_the_settings(settings, expected, machine):
    for scope, mode in settings.items():
        machine.settings({"permissions": {"defaultMode": mode}}, scope)
    assert standing.permission_mode(machine.look()) == expected


def test_the_permission_mode_of_what_was_typed_last(machine):
    place = machine.place
    files.replace(f"{place.state}/current", b"s-1\n")
    for context, mode in (("interactive", "default"), ("interactive", "auto"), ("batch", "plan")):
        payload = {"context": context, "permission_mode": mode}
        entry = journal.event(place, "orchestration.prompt.decided", "s-1", None, ("prompt", ""), payload, time.time())
        journal.record(place, entry)
    assert standing.permission_mode(machine.look()) == "auto"


def test_the_ceiling_is_that_of_the_settings(machine):
    assert standing.facts(machine.look()).ceiling == "subagents"
    assert standing.facts(machine.look(ORCHESTRATOR_ENFORCEMENT="advise")).ceiling == "advise"
    assert standing.facts(machine.look(ORCHESTRATOR_ROLLOUT__STAGE="full")).ceiling == "session"


def test_nothing_is_asked_of_a_home_that_is_not_there(machine, monkeypatch):
    monkeypatch.delenv("HOME")
    scene = machine.look()
    assert found(hooking.installed, scene) == [("fail", "HOME: is not set")]
    assert os.environ.get("HOME") is None
