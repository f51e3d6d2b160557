import os
from pathlib import Path

import pytest

from orchestrate.doctor import storage
from state import compiled, paths, settings, trust
from state.store import open_store, statements


def found(check, scene):
    return [(finding.state, finding.fact) for finding in check(scene)]


def test_a_folder_that_is_not_there_yet(machine):
    assert found(storage.state, machine.look()) == [("ok", f"{machine.place.state} (made when it is needed)")]


def test_a_file_where_the_state_belongs(machine, home):
    (home / ".orchestrator").write_text("")
    fact = f"{machine.place.state}: {home}/.orchestrator is no folder"
    assert found(storage.state, machine.look()) == [("fail", fact)]
    assert found(storage.user, machine.look()) == [("fail", f"{home}/.orchestrator: {home}/.orchestrator is no folder")]


def test_a_state_folder_that_is_not_ours_to_write(machine):
    """Root may write everywhere, but can give a folder away; nobody else can."""
    state = Path(machine.place.state)
    state.mkdir(parents=True)
    if os.geteuid() == 0:
        os.chown(state, 12345, 12345)
        told = "belongs to another user"
    else:
        state.chmod(0o500)
        told = f"{state} cannot be written"
    assert found(storage.state, machine.look()) == [("fail", f"{state}: {told}")]


def test_what_others_can_read_is_named(machine):
    state = Path(machine.place.state)
    (state / "sessions").mkdir(parents=True)
    (state / "sessions").chmod(0o755)
    (state / "store.db").write_text("")
    (state / "store.db").chmod(0o600)
    state.chmod(0o700)
    (finding,) = storage.state(machine.look())
    assert (finding.state, finding.fact) == ("warn", f"others can read {state}/sessions")
    assert finding.remedy == f"chmod -R go= {state}"
    (state / "sessions").chmod(0o700)
    assert found(storage.state, machine.look()) == [("ok", str(state))]


def test_without_a_home_there_is_no_folder_of_the_user_s_own(machine, monkeypatch):
    monkeypatch.delenv("HOME")
    assert found(storage.user, machine.look()) == [("warn", "none: HOME is not set")]


@pytest.mark.parametrize(
    ("free_mb", "state", "shown"), [(19, "fail", "19"), (20, "warn", "20"), (499, "warn", "499"), (500, "ok", "500")]
)
def test_room_on_the_disk(free_mb, state, shown):
    finding = storage.room(free_mb * storage.MB, Path("/d"))
    assert (finding.state, finding.fact) == (state, f"{shown} MB free at /d")


def test_the_disk_is_that_of_the_nearest_folder(machine, home):
    ((_, fact),) = found(storage.disk, machine.look())
    assert fact.endswith(f" MB free at {home}")


def test_settings_that_cannot_be_read_are_named_by_file_line_and_key(machine, project):
    file = project / ".orchestrator/config.yaml"
    file.parent.mkdir()
    file.write_text("mode: directive\nenabeld: false\nmodes: 3\n")
    assert found(storage.config, machine.look()) == [
        ("fail", f"{file}:2: no key named 'enabeld' (did you mean enabled?)"),
        ("fail", f"{file}:3: no key named 'modes' (did you mean mode?)"),
    ]


def test_a_variable_that_sets_nothing_is_named(machine):
    known = found(storage.config, machine.look(ORCHESTRATOR_METRICS__RETENTION_DAY="3"))
    assert known == [
        (
            "warn",
            "environment: ORCHESTRATOR_METRICS__RETENTION_DAY is no setting "
            "(did you mean ORCHESTRATOR_METRICS__RETENTION_DAYS?)",
        ),
        ("ok", "valid (defaults only)"),
    ]


def test_a_snapshot_older_than_the_settings(machine, home):
    assert found(storage.compiled, machine.look()) == [("ok", "none yet, and no settings to compile")]
    (home / ".orchestrator").mkdir(mode=0o700)
    (home / ".orchestrator/config.yaml").write_text("mode: directive\n")
    stale = ("warn", "is older than the settings: the hooks go on with what it says")
    assert found(storage.compiled, machine.look()) == [stale]
    compiled.compile(machine.place)
    assert found(storage.compiled, machine.look()) == [("ok", "up to date")]


def test_what_waits_for_trust(machine, project):
    assert found(storage.trusted, machine.look()) == [("ok", "nothing here needs it")]
    file = project / ".orchestrator/config.yaml"
    file.parent.mkdir()
    file.write_text("enforcement: session\n")
    ignored = f"{file.parent}: enforcement: session is ignored until you trust this repository (`orchestrate trust`)"
    assert found(storage.trusted, machine.look()) == [("warn", ignored)]
    assert found(storage.config, machine.look())[0][0] == "ok"
    place = paths.locate(str(project), dict(os.environ))
    trust.grant(place, settings.load(place, {}).digest, 1)
    assert found(storage.trusted, machine.look()) == [("ok", "this repository is trusted")]


def test_the_store_is_named_and_nothing_is_made(machine):
    file = Path(machine.place.state, "store.db")
    assert found(storage.store, machine.look()) == [("ok", f"{file}: made when it is needed")]
    assert not file.exists()


def test_a_database_that_does_not_answer_is_told_without_its_password(machine):
    (finding,) = storage.store(machine.look(ORCHESTRATOR_STORE__URL="postgresql://me:s3cret@127.0.0.1:1/x"))
    fact = "postgresql://me@127.0.0.1:1/x: cannot connect: nothing listens there: check the host, the port and that"
    assert (finding.state, finding.fact) == ("fail", f"{fact} the server runs")


@pytest.mark.database
def test_a_database_that_answers_is_told(machine, cluster):
    look = machine.look(ORCHESTRATOR_STORE__URL=cluster.url)
    said = f"{cluster.shown}: answers"
    assert found(storage.store, look) == [("ok", f"{said}, and holds nothing of this project yet")]
    open_store(machine.place, env=look.env).close()
    assert found(storage.store, look) == [("ok", f"{said}, schema {len(statements.migrations('postgres'))}")]
