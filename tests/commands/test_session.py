import json
import os
import time
from pathlib import Path

import pytest

from state import journal, session_folders, snapshot
from state.paths import locate, session_dir
from state.store import open_store

DAY_S = 86400


@pytest.fixture
def place(project, home):
    return locate(str(project), {"HOME": str(home)})


def decide(place, session, days_ago=0.0, prompt="p"):
    """A session whose log was written last so many days ago."""
    payload = {"hash": "h", "agent": "haiku-general", "overhead_ms": 0.0}
    kind, entity = "orchestration.prompt.decided", ("prompt", prompt)
    now = time.time() - days_ago * DAY_S
    journal.record(place, journal.event(place, kind, session, prompt, entity, payload, now))
    os.utime(f"{session_dir(place, session)}/log.jsonl", (now, now))


def names(place):
    return sorted(os.listdir(f"{place.state}/sessions"))


def test_sessions_are_listed_newest_first_with_the_current_one_marked(cli, place):
    assert cli("session", "list") == (0, "", "no sessions yet\n")
    decide(place, "old", 2)
    decide(place, "new", 1)
    assert cli("session", "switch", "old") == (0, "old\n", "")
    listed = json.loads(cli("session", "list", "--json").out)
    assert [(entry["session_id"], entry["current"]) for entry in listed] == [("new", False), ("old", True)]
    sizes = {entry["session_id"]: f"{entry['updated_at']}  {entry['size_bytes']} bytes" for entry in listed}
    assert cli("session", "list").out == f"  new  {sizes['new']}\n* old  {sizes['old']}\n"


def test_current_is_a_plain_private_file(cli, place):
    decide(place, "9e401858-cd5a-4d55-ae9d-331d16fe93d0")
    cli("session", "switch", "9e40")
    current = Path(place.state, "current")
    assert (current.read_text(), current.is_symlink(), current.stat().st_mode & 0o777) == (
        "9e401858-cd5a-4d55-ae9d-331d16fe93d0\n",
        False,
        0o600,
    )


def test_a_current_without_an_end_names_nobody(cli, place):
    decide(place, "9e401858-cd5a-4d55-ae9d-331d16fe93d0")
    os.mkfifo(f"{place.state}/current")
    assert cli("session", "list").out.startswith("  9e401858-cd5a-4d55-ae9d-331d16fe93d0  ")


def test_a_session_is_named_by_its_unique_beginning(cli, place):
    for session in ("abc-1", "abc-2", "abd"):
        decide(place, session)
    assert cli("session", "switch", "abd").out == "abd\n"
    assert cli("session", "switch", "abc-2").out == "abc-2\n"
    assert cli("session", "switch", "abc").code == 3
    assert cli("session", "switch", "zzz") == (
        3,
        "",
        "orchestrate: session 'zzz': there is none: see `orchestrate session list`\n",
    )


def test_show_summarises(cli, place):
    decide(place, "s", prompt="a")
    decide(place, "s", prompt="b")
    journal.record(place, journal.event(place, "orchestration.turn.end", "s", "a", ("prompt", "a"), {}, time.time()))
    summary = json.loads(cli("session", "show", "s", "--json").out)
    del summary["created_at"], summary["updated_at"]
    assert summary == {
        "session_id": "s",
        "current": False,
        "requests": 2,
        "agents": {"haiku-general": 2},
        "results": {"success": 1, "pending": 1},
        "queued": 0,
        "active_files": [],
        "folder": session_dir(place, "s"),
    }
    lines = cli("session", "show", "s").out.splitlines()
    assert lines[4:7] == ["requests: 2", "agents: haiku-general 2", "results: success 1, pending 1"]


def test_cleanup_spares_the_current_the_named_and_the_young(cli, place, monkeypatch):
    for session, days in (("old", 40), ("older", 50), ("current", 60), ("named", 60), ("young", 10)):
        decide(place, session, days)
    cli("session", "switch", "current")
    monkeypatch.setenv("ORCHESTRATOR_SESSION", "named")
    dry = cli("session", "cleanup", "--older-than", "30d", "--dry-run")
    assert (dry.code, dry.out, dry.err.split(" unused")[0]) == (0, "old\nolder\n", "would remove 2 sessions and 0 runs")
    assert names(place) == ["current", "named", "old", "older", "young"]
    done = json.loads(cli("session", "cleanup", "--json").out)
    assert (done["sessions"], done["dry_run"]) == (["old", "older"], False)
    assert names(place) == ["current", "named", "young"]


def test_old_runs_go_with_the_sessions_and_young_ones_stay(cli, place):
    for name, days in (("r-old", 40), ("r-young", 1)):
        folder = Path(place.state, "runs", name)
        folder.mkdir(parents=True)
        for path in (folder / "run.json", folder):
            path.touch()
            os.utime(path, (time.time() - days * 86400,) * 2)
    assert cli("session", "cleanup", "--dry-run").out == "r-old\n"
    assert json.loads(cli("session", "cleanup", "--json").out)["runs"] == ["r-old"]
    assert os.listdir(f"{place.state}/runs") == ["r-young"]


def test_what_is_cleaned_up_was_counted_before(cli, place):
    decide(place, "old", 40)
    cli("session", "cleanup")
    with open_store(place) as store:
        assert store.count_before("9999").events == 1


def test_the_age_is_the_settings_unless_given(cli, place):
    decide(place, "s", 9)
    assert cli("session", "cleanup").out == ""
    assert cli("session", "cleanup", "--older-than", "2w").out == ""
    cli("config", "set", "session.keep_days", "8")
    assert snapshot.read(place, {}).values["session.keep_days"] == 8
    assert cli("session", "cleanup").out == "s\n"
    decide(place, "s", 1)
    assert cli("session", "cleanup", "--older-than", "12h").out == "s\n"
    assert cli("session", "cleanup", "--older-than", "soon").code == 2


def test_a_session_used_meanwhile_stays(place):
    decide(place, "s", 40)
    since = time.time() - 30 * DAY_S
    assert session_folders.idle(place, since, ()) == ["s"]
    decide(place, "s")
    assert session_folders.remove(place, "s", since) is False
    assert names(place) == ["s"]


def test_a_linked_sessions_folder_is_left_alone(cli, project, tmp_path):
    (tmp_path / "victims/photos").mkdir(parents=True)
    (project / ".orchestrator").mkdir()
    (project / ".orchestrator/sessions").symlink_to(tmp_path / "victims")
    assert cli("session", "cleanup", "--older-than", "0d").out == ""
    assert (tmp_path / "victims/photos").is_dir()


def test_a_folder_without_what_a_session_leaves_is_none(cli, place):
    os.makedirs(f"{place.state}/sessions/thesis")
    assert cli("session", "cleanup", "--older-than", "0d").out == ""
    assert os.path.isdir(f"{place.state}/sessions/thesis")


def test_without_a_current_one_the_session_used_last_is_meant(cli, place):
    decide(place, "older", 3)
    decide(place, "newer", 1)
    assert cli("session", "show").out.splitlines()[0] == "session_id: newer"
