import json
import os

import pytest

from orchestrate.doctor import checks
from orchestrate.doctor.diagnosis import diagnose

PLAIN = ("claude", "python", "clock", "disk", "versions", "interpreter")  # they tell what only this machine is


def test_the_whole_table(machine, home):
    machine.install()
    path = machine.client()
    code, out, err = machine.orchestrate("doctor")
    rows = [row.split(None, 2) for row in out.splitlines()[: out.splitlines().index("")]]
    assert (code, err) == (0, "")
    assert [(state, name) for state, name, _ in rows if name == "claude"] == [("ok", "claude")]
    assert [row for row in rows if row[1] not in PLAIN and row[1] != "git"] == [
        ["ok", "sh", "/bin/sh"],
        ["ok", "bash", "not needed: the hooks' lines are for /bin/sh"],
        ["ok", "jq", "not needed: the hooks read JSON by themselves"],
        ["ok", "flock", "not needed: the logs are locked by the system call"],
        ["ok", "node", "not needed: a client that needs it finds it by itself"],
        ["ok", "state", f"{machine.place.state} (made when it is needed)"],
        ["ok", "user", f"folder  {home}/.orchestrator"],
        ["ok", "config", "valid (defaults only)"],
        ["ok", "snapshot", "none yet, and no settings to compile"],
        ["ok", "trust", "nothing here needs it"],
        ["ok", "store", f"{machine.place.state}/store.db: made when it is needed"],
        ["ok", "hooks", f"9 in {home}/.claude/settings.json"],
        ["ok", "other", "hooks  none that could change a spawn"],
        ["ok", "switches", "none that silences the hooks"],
        ["ok", "managed", "no managed settings"],
        ["ok", "hook", "errors  none recorded"],
        ["ok", "fuse", "no session yet"],
        ["ok", "models", "nothing stands above the rungs"],
    ]
    assert f"ok      claude       2.1.329, {path}\n" in out


def test_what_is_wrong_comes_with_a_way_out(machine):
    code, out, _ = machine.orchestrate("doctor", "--no-client")
    assert code == 1
    told = "fail    hooks        no hooks are installed\n                     -> run `orchestrate install`\n"
    assert told in out
    assert "unknown claude       not asked (--no-client)\n" in out
    assert out.splitlines()[-1].startswith("1 failed")


def test_doctor_and_status_tell_the_same_rungs(machine):
    machine.install()
    machine.client()
    for env in ({}, {"ORCHESTRATOR_ENFORCEMENT": "advise"}, {"ORCHESTRATOR_DISABLED": "1"}):
        with pytest.MonkeyPatch.context() as patch:
            for name, value in env.items():
                patch.setenv(name, value)
            doctor = json.loads(machine.orchestrate("doctor", "--json")[1])
            status = json.loads(machine.orchestrate("hooks", "status", "--json")[1])
            assert doctor["rungs"] == status["rungs"]
            assert doctor["self_check"] is status["self_check"] is None


def test_json_has_every_check_and_what_failed(machine):
    code, out, _ = machine.orchestrate("doctor", "--no-client", "--json")
    found = json.loads(out)
    assert (code, found["failures"]) == (1, ["hooks"])
    assert found["checks"][0].keys() == {"name", "state", "fact", "remedy"}
    assert found["rungs"]["live"] == "none"


@pytest.mark.parametrize("arguments", [("doctor",), ("doctor", "--json"), ("hooks", "status")])
def test_nothing_is_written(arguments, machine, files, tmp_path, monkeypatch):
    machine.install()
    machine.client("#!/bin/sh\ntouch $HOME/trace $TMPDIR/trace ./trace\necho 2.1.329\n")
    machine.orchestrate("hooks", "run", "Stop")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    before = files(tmp_path)
    assert machine.orchestrate(*arguments)[0] == 0
    assert files(tmp_path) == before


def test_a_home_where_everything_is_in_the_way_is_still_told(machine, home, project):
    (home / ".orchestrator").write_text("")
    (home / ".claude").write_text("")
    (project / ".claude").write_text("")
    code, out, _ = machine.orchestrate("doctor", "--no-client", "--json")
    found = json.loads(out)
    assert code == 1
    assert {"state", "user folder"} <= set(found["failures"])
    assert len(found["checks"]) >= len(checks.CHECKS)


def test_managed_settings_are_read_where_they_are_said_to_be(machine):
    machine.install()
    file = machine.settings({"disableAllHooks": True}, "managed")
    found = diagnose(machine.place, os.environ, with_client=False, managed=machine.managed)
    assert found.rungs.live == "none"
    assert [step.why for step in found.rungs.steps] == [f"disableAllHooks in {file}"] * 3
    assert found.failures == []


def test_a_self_check_needs_the_client(machine):
    assert machine.orchestrate("doctor", "--no-client", "--self-check")[0] == 2


@pytest.mark.parametrize("words", [("doctor",), ("hooks", "status")])
def test_a_self_check_that_proves_nothing_fails(words, machine, tmp_path, monkeypatch):
    machine.install()
    machine.client('#!/bin/sh\n[ "$1" = --version ] && echo 2.1.329; exit 0\n')
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    code, out, _ = machine.orchestrate(*words, "--self-check")
    assert code == 1
    assert "proven   none (runs of the client: 1, " in out
    assert "  rewrite    not proven the client asked for no message: it said nothing\n" in out
    assert list((tmp_path / "temporary").iterdir()) == []
