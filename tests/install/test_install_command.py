import json
import os
import sys
from pathlib import Path

import pytest

from orchestrate import bundle, hookline
from orchestrate.install import scopes, shipped
from orchestrate.install.scopes import Target

HOOKS = shipped.groups(shipped.here())
LISTS = {event: [group] for event, group in HOOKS.items()}


def read(path):
    return json.loads(path.read_bytes())


def test_print_gives_a_settings_file_and_changes_nothing(orchestrate, home):
    code, out, err = orchestrate("install", "--print")
    assert (code, json.loads(out), err) == (0, {"hooks": LISTS}, "")
    assert list(home.iterdir()) == []


def test_the_printed_line_is_the_one_that_starts_this_package(orchestrate):
    _, out, _ = orchestrate("install", "--print")
    handler = json.loads(out)["hooks"]["UserPromptSubmit"][0]["hooks"][0]
    line = hookline.command(sys.executable, str(Path(__file__).resolve().parents[2]))
    assert handler == {"type": "command", "command": line, "timeout": 600}


def test_every_hook_has_a_timeout_of_its_own():
    """A prompt may wait for an agent that answers it; a directive has a limit of its own."""
    seconds = {event: group["hooks"][0]["timeout"] for event, group in HOOKS.items()}
    assert seconds == {**dict.fromkeys(HOOKS, 5), "UserPromptSubmit": 600}


def test_a_printed_settings_file_is_recognised(orchestrate, settings):
    settings.parent.mkdir()
    settings.write_text(orchestrate("install", "--print")[1])
    before = settings.read_bytes()
    code, out, _ = orchestrate("install")
    assert (code, f"changed {settings}" in out) == (0, False)
    assert settings.read_bytes() == before
    orchestrate("uninstall")
    assert read(settings) == {}


def test_a_dry_run_shows_a_diff_and_changes_nothing(orchestrate, settings, home):
    settings.parent.mkdir()
    settings.write_bytes(b'{"model":"opus"}')
    code, out, err = orchestrate("install", "--dry-run")
    assert (code, err) == (0, "")
    assert out.startswith(
        f'--- {settings}\n+++ {settings}\n@@ -1 +1 @@\n-{{"model":"opus"}}\n\\ No newline at end of file\n+{{'
    )
    agent = (shipped.folder(shipped.here().home) / "agents/haiku-general.md").read_text().splitlines(keepends=True)
    added = "".join(f"+{line}" for line in agent)
    assert f"--- /dev/null\n+++ {home}/.claude/agents/haiku-general.md\n@@ -0,0 +1,{len(agent)} @@\n{added}" in out
    assert [path.name for path in home.rglob("*")] == [".claude", "settings.json"]
    assert settings.read_bytes() == b'{"model":"opus"}'
    orchestrate("install")
    assert orchestrate("install", "--dry-run") == (0, "", "nothing would change\n")
    code, out, _ = orchestrate("uninstall", "--dry-run")
    assert code == 0
    assert f"--- {home}/.claude/agents/haiku-general.md\n+++ /dev/null\n" in out
    assert read(settings) == {"model": "opus", "hooks": LISTS}


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        ("user", "home/.claude/settings.json"),
        ("project", "project/.claude/settings.json"),
        ("local", "project/.claude/settings.local.json"),
    ],
)
def test_each_scope_has_its_file(scope, path, orchestrate, tmp_path):
    code, out, _ = orchestrate("install", "--scope", scope)
    assert (code, out.splitlines()[0]) == (0, f"wrote {tmp_path / path}")
    assert read(tmp_path / path) == {"hooks": LISTS}
    assert orchestrate("uninstall", "--scope", scope)[1].splitlines()[0] == f"removed {tmp_path / path}"
    assert not (tmp_path / path).parent.exists()


def test_the_client_s_own_folder_may_be_elsewhere(orchestrate, tmp_path, home, monkeypatch):
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "elsewhere"))
    orchestrate("install")
    assert sorted(path.name for path in (tmp_path / "elsewhere").iterdir()) == ["agents", "settings.json"]
    assert not (home / ".claude").exists()


def test_the_project_s_root_takes_the_hooks_wherever_one_stands(orchestrate, project, tmp_path, monkeypatch):
    (project / "deep/down").mkdir(parents=True)
    monkeypatch.chdir(project / "deep/down")
    orchestrate("install", "--scope", "local")
    assert (project / ".claude/settings.local.json").is_file()
    other = tmp_path / "other"
    other.mkdir()
    orchestrate("install", "--scope", "local", "--project-root", str(other))
    assert (other / ".claude/settings.local.json").is_file()


def test_the_shared_scope_is_warned_about(orchestrate, project):
    _, _, err = orchestrate("install", "--scope", "project")
    assert err == (
        f"note: {project}/.claude/settings.json is shared, and the hooks in it name paths of this machine: "
        "elsewhere they stay silent; `--scope local` keeps them to yourself\n"
    )


@pytest.mark.parametrize("switch", ["disableAllHooks", "allowManagedHooksOnly"])
def test_a_switch_that_makes_the_install_useless_is_named(switch, orchestrate, settings, project):
    (project / ".claude").mkdir()
    path = project / ".claude/settings.json"
    path.write_text(json.dumps({switch: True}))
    code, _, err = orchestrate("install")
    assert (code, err) == (0, f"note: {switch} is set in {path}: the client will not run these hooks\n")
    path.write_text(json.dumps({switch: False}))
    assert orchestrate("install")[2] == ""


def test_an_install_makes_the_bundle(orchestrate):
    target = Path(bundle.build(shipped.here().home))
    target.unlink()
    orchestrate("install")
    assert target.is_file()


def test_an_install_says_what_comes_next(orchestrate):
    _, out, _ = orchestrate("install")
    assert out.splitlines()[-1] == (
        "start a new session of Claude Code to use them; `orchestrate hooks status` and `hooks test` check them"
    )


def test_nothing_to_uninstall_is_no_failure(orchestrate, settings):
    assert orchestrate("uninstall") == (0, f"nothing of ours in {settings}\n", "")
    assert orchestrate("uninstall", "--scope", "plugin") == (0, "nothing of ours in the plugin scope\n", "")


def test_an_uninstall_names_the_other_places(orchestrate, settings):
    orchestrate("install")
    orchestrate("install", "--scope", "project")
    code, _, err = orchestrate("uninstall", "--scope", "project")
    assert (code, err) == (0, f"note: hooks of ours are in {settings} too: orchestrate uninstall --scope user\n")
    assert orchestrate("uninstall")[2] == ""


def test_an_uninstall_of_the_plugin_names_what_it_removed(orchestrate):
    orchestrate("install", "--scope", "plugin")
    code, out, _ = orchestrate("uninstall", "--scope", "plugin")
    assert (code, out.startswith("removed "), out.endswith("interpreter\n")) == (0, True, True)


def test_the_plugin_scope_has_no_files_of_the_client():
    assert scopes.target("plugin", "/p", os.environ) == Target("plugin", None, None)


def test_an_organisation_s_settings_are_found_in_order(tmp_path):
    (tmp_path / "managed-settings.d").mkdir()
    for name in ("20.json", "10.json", "x.txt"):
        (tmp_path / "managed-settings.d" / name).touch()
    assert [str(path.relative_to(tmp_path)) for path in scopes.managed(tmp_path)] == [
        "managed-settings.json",
        "managed-settings.d/10.json",
        "managed-settings.d/20.json",
    ]


def test_the_files_of_a_wheel_are_found_beside_its_packages(tmp_path):
    assert shipped.folder(str(tmp_path)) == tmp_path / "hooks"
    (tmp_path / "orchestrate/_lib/hooks").mkdir(parents=True)
    assert shipped.folder(str(tmp_path)) == tmp_path / "orchestrate/_lib/hooks"
