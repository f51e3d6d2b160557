import json
import re
from pathlib import Path

import pytest

from state import snapshot
from state.paths import locate
from state.snapshot import DEFAULTS

REPO = Path(__file__).resolve().parents[2]


@pytest.fixture
def repo_file(project):
    (project / ".orchestrator").mkdir()
    return project / ".orchestrator" / "config.yaml"


def test_show_says_where_each_value_comes_from(cli, repo_file, home, monkeypatch):
    (home / ".orchestrator").mkdir()
    (home / ".orchestrator" / "config.yaml").write_text("session:\n  keep_days: 9\n")
    repo_file.write_text("log:\n  format: json\nenforcement: off\n")
    monkeypatch.setenv("ORCHESTRATOR_ENABLED", "0")
    assert cli("config", "show") == (
        0,
        "enabled: false (from: env)\nenforcement: off (from: repo)\nsession.keep_days: 9 (from: global)\n"
        "log.format: json (from: repo)\n",
        "",
    )
    lines = cli("config", "show", "--effective").out.splitlines()
    assert len(lines) == len(DEFAULTS)
    assert lines[:3] == ["enabled: false (from: env)", "mode: auto (from: default)", "enforcement: off (from: repo)"]
    told = json.loads(cli("config", "show", "--effective", "--json").out)
    assert (told["log.format"], told["mode"]) == (
        {"value": "json", "from": "repo"},
        {"value": "auto", "from": "default"},
    )


def test_show_of_nothing_set_says_so(cli):
    assert cli("config", "show") == (
        0,
        "",
        "nothing is set: every key has its default (--effective lists them)\n",
    )


def test_get_prints_the_value_alone(cli, repo_file):
    repo_file.write_text("rollout:\n  stage: batch\n  enabled: no\n")
    assert cli("config", "get", "rollout.stage") == (0, "batch\n", "")
    assert cli("config", "get", "rollout.enabled") == (0, "false\n", "")
    assert json.loads(cli("config", "get", "rollout.stage", "--json").out) == {
        "key": "rollout.stage",
        "value": "batch",
        "from": "repo",
    }


def test_an_unknown_key_is_named(cli):
    wrong = "orchestrate: no key named 'rolout.stage' (did you mean rollout.stage?)\n"
    assert cli("config", "get", "rolout.stage") == (1, "", wrong)
    assert cli("config", "set", "rolout.stage", "full") == (1, "", wrong)


def test_a_typo_in_a_file_names_file_key_and_line(cli, repo_file):
    repo_file.write_text("# mine\nrolout:\n  stage: full\n")
    told = f"{repo_file}:3: no key named 'rolout.stage' (did you mean rollout.stage?)"
    assert cli("config", "show") == (1, "", f"orchestrate: {told}\n")
    assert cli("config", "compile") == (1, "", f"orchestrate: {told}\n(the hooks keep the last good settings)\n")


def test_set_and_unset_reach_the_hooks(cli, repo_file, project, home):
    repo_file.write_text("# mine\nlog:\n  level: info # loud\n")
    place = locate(str(project), {"HOME": str(home)})
    assert cli("config", "set", "log.level", "error") == (0, "log.level: error\n", "")
    assert repo_file.read_text() == "# mine\nlog:\n  level: error # loud\n"
    assert snapshot.read(place, {}).values["log.level"] == "error"
    assert cli("config", "set", "log.level", "debug", "--global") == (
        0,
        "log.level: debug\n",
        "orchestrate: log.level stays error here (from: repo)\n",
    )
    assert cli("config", "unset", "log.level") == (0, "", "")
    assert repo_file.read_text() == "# mine\nlog:\n"
    assert snapshot.read(place, {}).values["log.level"] == "debug"
    assert cli("config", "unset", "log.level") == (
        3,
        "",
        f"orchestrate: {repo_file.parent}: log.level is not set there\n",
    )


def test_a_wrong_value_is_refused(cli):
    assert cli("config", "set", "overnight.start_hour", "24") == (
        1,
        "",
        "orchestrate: overnight.start_hour: input should be less than or equal to 23, got '24'\n",
    )


def test_checks_that_cannot_be_run_are_refused(cli):
    assert cli("config", "set", "overnight.checks", "a &&") == (
        1,
        "",
        "orchestrate: overnight.checks: a command is missing beside a &&, got 'a &&'\n",
    )
    told = cli("config", "set", "overnight.checks", "make > log")
    assert (told.code, told.err.split(":")[1:3]) == (1, [" overnight.checks", " no shell runs this, and > needs one"])
    assert cli("config", "get", "overnight.checks").out == "\n"


NIGHTS = {
    "overnight.start": "21:00",
    "overnight.until": "05:00",
    "overnight.floor_percent": "25",
    "overnight.window_cap_percent": "50",
    "overnight.weekly_pace": "no",
    "overnight.max_concurrent": "2",
    "overnight.blind_jobs": "4",
    "overnight.stop_on_activity": "yes",
}


@pytest.mark.parametrize(("key", "value"), NIGHTS.items())
def test_what_the_night_reads_of_its_user_alone_is_told_with_the_way_there(cli, key, value):
    told = cli("config", "set", key, value)
    stored = told.out.removeprefix(f"{key}: ").strip()
    assert told[::2] == (
        0,
        f"orchestrate: {key}: the night goes by your own settings, and by no project's: "
        f"`orchestrate config set {key} {stored} --global`\n",
    )
    assert cli("config", "set", key, value, "--global") == (0, f"{key}: {stored}\n", "")


@pytest.mark.parametrize("key", sorted(key for key in DEFAULTS if key.startswith(("overnight.", "resume."))))
def test_only_what_no_project_changes_for_the_night_is_told_so(cli, project, home, key):
    """By what the night would do, and not by a second list."""
    from orchestrate.overnight import limits

    place = locate(str(project), {"HOME": str(home)})
    values = {**NIGHTS, "resume.quiet_hours": "22:00-07:00", "resume.enabled": "no", "overnight.checks": "make"}
    told = cli("config", "set", key, values.get(key, "3"))
    assert told.code == 0, told.err
    users = snapshot.read(limits.users(place), {}).values
    assert (limits.of(users), limits.night(users)) == (limits.of(DEFAULTS), limits.night(DEFAULTS))
    one = {**DEFAULTS, key: snapshot.read(place, {}).values[key]}
    is_of_the_night = (limits.of(one), limits.night(one)) != (limits.of(DEFAULTS), limits.night(DEFAULTS))
    assert is_of_the_night == ("the night goes by your own settings" in told.err)


def test_a_key_can_be_set_before_init(cli, project, home):
    place = locate(str(project), {"HOME": str(home)})
    assert cli("config", "set", "claude_binary", "/opt/claude").code == 0
    assert snapshot.read(place, {}).values["claude_binary"] == "/opt/claude"
    assert not (project / ".orchestrator").exists()


def test_a_held_lock_ends_in_75_with_the_holder(cli, repo_file):
    import os

    from state import locks

    repo_file.write_text("lock_timeout_s: 0.05\n")
    assert cli("config", "compile").code == 0
    lock = repo_file.parent / "lock"
    with locks.hold(str(lock), 1):
        ran = cli("config", "set", "mode", "auto")
    assert ran.code == 75
    assert ran.err.startswith(f"orchestrate: {lock}: still locked after 0.05 s by pid {os.getpid()} (")


def test_the_schema_is_that_of_the_file(cli):
    schema = json.loads(cli("config", "schema").out)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["additionalProperties"] is False
    assert sorted(schema["properties"]) == sorted({key.partition(".")[0] for key in DEFAULTS})
    assert schema["$defs"]["Rollout"]["properties"]["stage"]["enum"] == [
        "overnight",
        "batch",
        "optin",
        "hybrid",
        "full",
    ]


def test_the_reference_page_is_the_generated_one(cli):
    page = (REPO / "docs" / "configuration.md").read_text()
    written = re.search(r"^\| Key \|.*?(?=^[^|]|\Z)", page, re.M | re.S)
    assert written[0].rstrip("\n") + "\n" == cli("config", "reference").out


def test_another_project_can_be_named(cli, tmp_path):
    other = tmp_path / "other"
    (other / ".orchestrator").mkdir(parents=True)
    assert cli("config", "set", "mode", "directive", "--project-root", str(other)).code == 0
    assert (other / ".orchestrator" / "config.yaml").read_text() == "mode: directive\n"
