import json
import os
from pathlib import Path

import pytest

from state import compiled, config_keys, settings, snapshot
from state.errors import NOT_FOUND, UserError
from state.paths import locate
from state.snapshot import DEFAULTS


@pytest.fixture
def ours(project, home):
    (project / ".orchestrator").mkdir()
    return locate(str(project), {"HOME": str(home)})


@pytest.fixture
def config(ours):
    return Path(ours.state, "config.yaml")


def stored(place):
    return json.loads(Path(compiled.path(place)).read_bytes())


def test_the_snapshot_is_what_hooks_read(ours, config, home):
    (home / ".orchestrator").mkdir()
    (home / ".orchestrator" / "config.yaml").write_text("log: {level: info}\n")
    config.write_text("rollout:\n  stage: batch\n")
    assert compiled.compile(ours) is None
    values = DEFAULTS | {"log.level": "info", "rollout.stage": "batch"}
    assert stored(ours) == {
        "v": 1,
        "values": values,
        "sources": [snapshot.stamp(path) for path in snapshot.source_paths(ours)],
        "error": None,
        "origins": dict.fromkeys(DEFAULTS, "default") | {"log.level": "global", "rollout.stage": "repo"},
        "warnings": [],
    }
    found = snapshot.read(ours, {})
    assert (found.values, found.stale, found.error) == (values, False, None)
    assert Path(compiled.path(ours)).stat().st_mode & 0o777 == 0o600


def test_the_environment_is_not_compiled_in(ours, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_MODE", "directive")
    compiled.compile(ours)
    assert stored(ours)["values"] == DEFAULTS


def test_a_typo_keeps_the_last_good_values_and_is_told_once(ours, config):
    config.write_text("rollout:\n  stage: batch\n")
    compiled.compile(ours)
    config.write_text("rolout:\n  stage: full\n")
    problem = f"{config}:2: no key named 'rolout.stage' (did you mean rollout.stage?)"
    assert snapshot.read(ours, {}).stale
    assert compiled.compile(ours) == problem
    found = snapshot.read(ours, {})
    assert (found.values["rollout.stage"], found.stale, found.error) == ("batch", False, problem)
    assert stored(ours)["origins"]["rollout.stage"] == "repo"


def test_a_typo_from_the_start_leaves_the_defaults(ours, config):
    config.write_text("mode: [")
    compiled.compile(ours)
    assert (stored(ours)["values"], stored(ours)["origins"]) == (DEFAULTS, dict.fromkeys(DEFAULTS, "default"))


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"v":1,"values":7,"sources":7}'])
def test_a_damaged_snapshot_is_made_again(ours, config, damage):
    config.write_text("log.level: info\n")
    compiled.compile(ours)
    Path(compiled.path(ours)).write_bytes(damage)
    assert compiled.ensure_fresh(ours) is None
    assert stored(ours)["values"] == DEFAULTS | {"log.level": "info"}


def test_a_damaged_snapshot_and_a_typo_leave_the_defaults(ours, config):
    config.write_text("mode: [")
    compiled.compile(ours)
    Path(compiled.path(ours)).write_bytes(b"{")
    compiled.compile(ours)
    assert (stored(ours)["values"], compiled.warnings(ours)) == (DEFAULTS, [])


def test_only_a_change_of_the_sources_compiles_again(ours, config):
    config.write_text("log.level: info\n")
    compiled.ensure_fresh(ours)
    before = Path(compiled.path(ours)).stat().st_ino, os.stat(compiled.path(ours)).st_mtime_ns
    compiled.ensure_fresh(ours)
    assert (Path(compiled.path(ours)).stat().st_ino, os.stat(compiled.path(ours)).st_mtime_ns) == before
    config.unlink()
    compiled.ensure_fresh(ours)
    assert stored(ours)["values"] == DEFAULTS


def test_an_error_is_looked_at_again_by_every_command(ours, config):
    config.write_text("mode: fast\n")
    problem = f"{config}:1: mode: input should be 'auto', 'directive' or 'orchestration', got 'fast'"
    assert [compiled.ensure_fresh(ours), compiled.ensure_fresh(ours)] == [problem, problem]


def test_nothing_set_needs_no_snapshot(ours):
    assert compiled.ensure_fresh(ours) is None
    assert not Path(compiled.path(ours)).exists()


def test_warnings_reach_the_snapshot(ours, config):
    config.write_text("claude_binary: /tmp/evil\n")
    compiled.compile(ours)
    assert compiled.warnings(ours) == [
        f"{ours.state}: claude_binary: /tmp/evil is ignored until you trust this repository (`orchestrate trust`)"
    ]


def test_a_key_set_here_needs_no_further_trust(ours):
    assert config_keys.set_key(ours, "mode", "orchestration") == "orchestration"
    assert (snapshot.read(ours, {}).values["mode"], compiled.warnings(ours)) == ("orchestration", [])


def test_setting_a_key_does_not_vouch_for_what_the_repository_wants(ours, config):
    config.write_text("claude_binary: /tmp/evil\n")
    config_keys.set_key(ours, "log.level", "info")
    found = snapshot.read(ours, {}).values
    assert (found["claude_binary"], found["log.level"]) == ("claude", "info")


def test_a_key_is_set_where_it_is_set_already(ours, config):
    config.write_text("log:\n  level: info\n")
    beside = config.with_suffix(".json")
    beside.write_text('{"enabled": true}')
    config_keys.set_key(ours, "log.level", "error")
    config_keys.set_key(ours, "log.format", "json")
    assert config.read_text() == "log:\n  level: error\n"
    assert json.loads(beside.read_text()) == {"enabled": True, "log": {"format": "json"}}


def test_each_scope_has_its_file(ours, config, home):
    config_keys.set_key(ours, "mode", "directive", "global")
    config_keys.set_key(ours, "mode", "auto", "repo")
    assert (home / ".orchestrator" / "config.yaml").read_text() == "mode: directive\n"
    assert config.read_text() == "mode: auto\n"
    config_keys.unset_key(ours, "mode", "repo")
    assert snapshot.read(ours, {}).values["mode"] == "directive"


def test_a_key_that_is_not_there_cannot_be_removed(ours):
    with pytest.raises(UserError) as caught:
        config_keys.unset_key(ours, "mode")
    assert (str(caught.value), caught.value.code) == (f"{ours.state}: mode is not set there", NOT_FOUND)


def test_a_misspelt_key_can_be_removed(ours, config):
    config.write_text("# mine\nmodus: auto\n")
    config_keys.unset_key(ours, "modus")
    assert (config.read_text(), snapshot.read(ours, {}).error) == ("# mine\n", None)


def test_a_wrong_value_changes_nothing(ours, config):
    config.write_text("mode: auto\n")
    with pytest.raises(UserError, match=r"^mode: input should be 'auto', 'directive' or 'orchestration', got 'fast'$"):
        config_keys.set_key(ours, "mode", "fast")
    assert config.read_text() == "mode: auto\n"


def test_without_a_home_there_is_no_file_of_ones_own(ours):
    place = locate(ours.root, {})
    with pytest.raises(UserError, match="no writable home folder"):
        config_keys.set_key(place, "mode", "auto", "global")
    config_keys.set_key(place, "log.level", "info", "repo")
    assert settings.load(place, {}).settings.log.level == "info"
