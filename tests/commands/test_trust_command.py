import json
import shutil

import pytest

from state import snapshot
from state.paths import locate

WANTED = "claude_binary: /tmp/evil\nlog:\n  level: info\n"


@pytest.fixture
def repo_file(project):
    (project / ".orchestrator").mkdir()
    path = project / ".orchestrator" / "config.yaml"
    path.write_text(WANTED)
    return path


@pytest.fixture
def place(repo_file, project, home):
    return locate(str(project), {"HOME": str(home)})


def ignored(place):
    return (
        f"orchestrate: {place.state}: claude_binary: /tmp/evil is ignored until you trust this repository "
        "(`orchestrate trust`)\n"
    )


def test_trust_shows_what_takes_effect_and_holds_for_this_content(cli, place, repo_file):
    assert cli("config", "get", "claude_binary") == (0, "claude\n", ignored(place))
    assert cli("trust") == (
        0,
        f"{place.root}: trusted until its settings change\n  claude_binary: /tmp/evil takes effect\n",
        "",
    )
    assert snapshot.read(place, {}).values["claude_binary"] == "/tmp/evil"
    assert cli("config", "get", "claude_binary") == (0, "/tmp/evil\n", "")
    repo_file.write_text(WANTED + "enabled: true\n")
    assert cli("config", "get", "claude_binary") == (0, "claude\n", ignored(place))


def test_trust_is_listed_and_revoked(cli, place):
    assert cli("trust", "--list") == (0, "", "no repository is trusted\n")
    cli("trust")
    [entry] = json.loads(cli("trust", "--list", "--json").out)
    assert (entry["root"], len(entry["sha256"])) == (place.root, 64)
    assert cli("trust", "--list").out == f"{place.root} (since {entry['at']})\n"
    assert cli("trust", "--revoke").out == f"{place.root}: no longer trusted\n"
    assert snapshot.read(place, {}).values["claude_binary"] == "claude"
    assert cli("trust", "--revoke").out == f"{place.root}: was not trusted\n"


def test_a_repository_that_is_gone_is_listed_and_revoked(cli, home, tmp_path):
    root = tmp_path / "other"
    (root / ".orchestrator").mkdir(parents=True)
    (root / ".orchestrator" / "config.yaml").write_text(WANTED)
    there = locate(str(root), {"HOME": str(home)})
    named = ("--project-root", str(root))
    assert cli("trust", *named).code == 0
    shutil.rmtree(root)
    assert cli("trust", "--list", *named).out.startswith(f"{root} (since ")
    assert snapshot.read(there, {}).values["claude_binary"] == "/tmp/evil"
    assert cli("trust", "--revoke", *named) == (0, f"{root}: no longer trusted\n", "")
    assert snapshot.read(there, {}).values["claude_binary"] == "claude"
    assert cli("trust", "--list", *named) == (0, "", "no repository is trusted\n")
    assert cli("trust", "--revoke", *named) == (0, f"{root}: was not trusted\n", "")
    assert cli("trust", *named).code == 3
    assert not root.exists()


def test_nothing_is_kept_of_a_folder_that_is_not_there_and_was_not_trusted(cli, home):
    assert cli("trust", "--revoke", "--project-root", "/nonexistent").out == "/nonexistent: was not trusted\n"
    assert list(home.iterdir()) == []


def test_both_at_once_is_a_wrong_call(cli, repo_file):
    assert cli("trust", "--list", "--revoke").code == 2


def test_without_settings_of_its_own_a_repository_needs_no_trust(cli, project):
    assert cli("trust") == (
        1,
        "",
        f"orchestrate: {project}: has no settings of its own: what you set here is yours and needs no trust\n",
    )
