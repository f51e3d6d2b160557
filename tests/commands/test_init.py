import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from orchestrate import __version__, layout
from state import adoption, config_keys, journal, session_file, snapshot
from state.paths import locate


@pytest.fixture
def own(project):
    return project / ".orchestrator"


def here(project, home):
    return locate(str(project), {"HOME": str(home)})


def initialise(project, home):
    env = {"HOME": str(home), "PATH": os.environ["PATH"]}
    return layout.initialise(locate(str(project), env), env, stragglers_s=0)


def decide(place, session, prompt, now=1e9):
    payload = {"hash": f"h-{prompt}", "agent": "a", "overhead_ms": 0.0}
    kind, entity = "orchestration.prompt.decided", ("prompt", prompt)
    journal.record(place, journal.event(place, kind, session, prompt, entity, payload, now))


def hashes(place, session):
    return [row["request_hash"] for row in session_file.load(place, session)["routing_history"]]


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_init_makes_a_private_folder_that_git_does_not_see(cli, project, own):
    subprocess.run(["git", "init", "-q", project], check=True)
    remote = ["git", "-C", str(project), "remote", "add", "origin", "https://me:secret@example.com/a/b.git"]
    subprocess.run(remote, check=True)
    assert cli("init") == (0, f"{own}: ready\n", "")
    assert (own / ".gitignore").read_text().splitlines() == ["*"]
    status = subprocess.run(["git", "-C", project, "status", "--porcelain"], capture_output=True, check=True)
    assert status.stdout == b""
    meta = json.loads((own / "meta.json").read_text())
    created = meta.pop("created_at")
    assert (len(created), created[-1]) == (24, "Z")
    assert meta == {
        "git_remote": "https://example.com/a/b.git",
        "version": __version__,
        "project": locate(str(project), dict(os.environ)).project,
    }
    modes = {path.name: path.stat().st_mode & 0o777 for path in [own, *own.iterdir()] if path.name != "cache"}
    files = (".gitignore", "meta.json", "config.yaml", "workflow.yaml", "commands.jsonl")  # the last tells of it
    assert modes == {".orchestrator": 0o700, **dict.fromkeys(files, 0o600)}


def test_the_template_sets_nothing_and_names_every_key(cli, project, own, home):
    cli("init")
    assert snapshot.read(here(project, home), {}).values == snapshot.DEFAULTS
    assert json.loads(cli("config", "show", "--json").out) == {}
    commented = (own / "config.yaml").read_text().splitlines()[2:]
    (own / "config.yaml").write_text("\n".join(line.removeprefix("# ") for line in commented))
    assert {
        key: told["from"] for key, told in json.loads(cli("config", "show", "--json").out).items()
    } == dict.fromkeys(snapshot.DEFAULTS, "repo")


def test_init_without_git_tells_what_it_did(cli, own, monkeypatch):
    monkeypatch.setenv("PATH", "")
    done = cli("init", "--json")
    assert json.loads(done.out) == {
        "state": str(own),
        "created": True,
        "sessions": 0,
        "config": False,
        "kept_aside": [],
    }
    assert json.loads((own / "meta.json").read_text())["git_remote"] is None


def test_init_names_what_moved_and_what_was_kept_aside(cli, project, home, own):
    place = here(project, home)
    Path(place.state).mkdir(parents=True)
    Path(place.state, "current").write_text("old\n")
    own.mkdir()
    (own / "current").write_text("new\n")
    told = f"kept beside the project's own: {own}/backups/adopted/current\n"
    assert cli("init") == (0, f"{own}: ready\n", told)
    assert (own / "current").read_text() == "new\n"


def test_running_it_again_changes_nothing(cli, project, own):
    cli("init")
    (own / "config.yaml").write_text("log.level: info\n")
    (own / ".gitignore").unlink()
    before = contents(own)
    assert cli("init") == (0, f"{own}: was there already\n", "")
    after = contents(own)
    assert after.pop(".gitignore") == b"*\n"
    assert after == before


def test_a_repositorys_own_config_stays(cli, own):
    own.mkdir()
    (own / "config.json").write_text('{"log": {"level": "info"}}')
    cli("init")
    assert not (own / "config.yaml").exists()
    assert cli("config", "get", "log.level").out == "info\n"


def test_what_was_recorded_before_moves_along(project, home, own):
    place = here(project, home)
    for prompt in "ab":
        decide(place, "s", prompt)
    session_file.refresh(place, "s")
    config_keys.set_key(place, "mode", "orchestration")
    Path(place.state, "current").write_text("s\n")
    done = initialise(project, home)
    assert (done.created, done.adopted) == (True, adoption.Adopted(1, True, []))
    assert not Path(place.state).exists()
    assert hashes(done.place, "s") == ["h-a", "h-b"]
    assert (own / "current").read_text() == "s\n"
    assert snapshot.read(done.place, {}).values["mode"] == "orchestration"


def test_what_both_places_have_is_united_and_the_projects_own_holds(project, home, own):
    place = here(project, home)
    decide(place, "s", "a", 1e9)
    config_keys.set_key(place, "log.level", "info")
    own.mkdir()
    new = here(project, home)
    decide(new, "s", "b", 1e9 + 5)
    session_file.refresh(new, "s")
    config_keys.set_key(new, "log.level", "error")
    done = initialise(project, home)
    kept = f"{own}/backups/adopted/config.yaml"
    assert done.adopted == adoption.Adopted(1, False, [kept])
    assert sorted(hashes(new, "s")) == ["h-a", "h-b"]
    assert snapshot.read(new, {}).values["log.level"] == "error"
    assert Path(kept).read_text() == "log:\n  level: info\n"


def test_adopting_twice_adopts_once(tmp_path, project, home):
    place = here(project, home)
    decide(place, "s", "a")
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", place.state, copy], check=True)
    done = initialise(project, home)
    subprocess.run(["cp", "-r", copy, place.state], check=True)
    again = initialise(project, home)
    assert (done.adopted.sessions, again.adopted.sessions) == (1, 1)
    assert hashes(done.place, "s") == ["h-a"]


def test_a_line_that_comes_late_is_adopted_too(project, home):
    place = here(project, home)
    decide(place, "s", "a")
    done = initialise(project, home)
    decide(place, "s", "late")
    assert initialise(project, home).adopted.sessions == 1
    assert hashes(done.place, "s") == ["h-a", "h-late"]


def test_the_store_moves_with_what_its_write_ahead_log_holds(project, home, own):
    import sqlite3

    place = here(project, home)
    Path(place.state).mkdir(parents=True)
    live = sqlite3.connect(f"{place.state}/store.db")
    live.execute("PRAGMA journal_mode=WAL")
    live.execute("CREATE TABLE kept (x)")
    live.execute("INSERT INTO kept VALUES (7)")
    live.commit()
    initialise(project, home)
    live.close()
    moved = sqlite3.connect(own / "store.db")
    assert moved.execute("SELECT x FROM kept").fetchall() == [(7,)]
    moved.close()
    assert (own / "store.db").stat().st_mode & 0o777 == 0o600


WRITER = """
import os, sys, time
from state import journal
from state.paths import locate
number = after = 0
while after < 20:
    place = locate(sys.argv[1], dict(os.environ))
    after += place.initialised
    payload = {"hash": f"h-{sys.argv[2]}-{number}", "agent": "a", "overhead_ms": 0.0}
    kind = "orchestration.prompt.decided"
    journal.record(place, journal.event(place, kind, "s", None, ("prompt", ""), payload, time.time()))
    number += 1
    print(number, flush=True)
"""


@pytest.mark.slow
def test_hooks_that_write_meanwhile_lose_nothing(project, home, monkeypatch):
    """They write before, while and after the folder appears, and end while it waits for them, however slow they are."""

    def waits(_seconds):
        written.extend(int(writer.communicate()[0].split()[-1]) for writer in writers)

    written = []
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(project), name], stdout=subprocess.PIPE, text=True)
        for name in "ab"
    ]
    for writer in writers:
        writer.stdout.readline()
    monkeypatch.setattr(adoption, "time", SimpleNamespace(sleep=waits))
    env = {"HOME": str(home), "PATH": os.environ["PATH"]}
    done = layout.initialise(locate(str(project), env), env)
    expected = sorted(
        f"h-{name}-{number}" for name, count in zip("ab", written, strict=True) for number in range(count)
    )
    assert sorted(hashes(done.place, "s")) == expected
    assert not Path(home, ".orchestrator", "projects", done.place.project).exists()


STRAGGLER = """
import os, pathlib, sys, time
from state import journal
from state.paths import locate
place = locate(sys.argv[1], dict(os.environ))
print("located", flush=True)
while not pathlib.Path(sys.argv[1], ".orchestrator", "sessions", "s", "log.jsonl").exists():
    pass
payload = {"hash": "h-late", "agent": "a", "overhead_ms": 0.0}
journal.record(place, journal.event(place, "orchestration.prompt.decided", "s", None, ("prompt", ""), payload, 2e9))
"""


def test_a_hook_that_still_knew_the_old_place_loses_nothing(project, home, monkeypatch):
    decide(here(project, home), "s", "a")
    hook = subprocess.Popen([sys.executable, "-c", STRAGGLER, str(project)], stdout=subprocess.PIPE)
    hook.stdout.readline()
    monkeypatch.setattr(adoption, "time", SimpleNamespace(sleep=lambda _seconds: hook.communicate()))
    env = {"HOME": str(home), "PATH": os.environ["PATH"]}
    done = layout.initialise(locate(str(project), env), env)
    assert hashes(done.place, "s") == ["h-a", "h-late"]


def test_the_home_folder_is_no_project(cli, home):
    assert cli("init", "--project-root", str(home)) == (
        1,
        "",
        f"orchestrate: {home}: the home folder is no project: go to one, or name it by --project-root\n",
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="giving a folder away needs root")
def test_a_folder_of_another_user_is_named(cli, own):
    own.mkdir()
    os.chown(own, 12345, 12345)
    told = f"orchestrate: {own}: belongs to another user (uid 12345): have it removed, or given to you\n"
    assert cli("init") == (1, "", told)
    assert cli("config", "set", "mode", "directive").code == 0
    assert os.listdir(own) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a disk needs root")
def test_a_read_only_project_is_one_line(cli, project, own):
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", project], check=True)
    try:
        own.mkdir()
        subprocess.run(["mount", "-o", "remount,ro", project], check=True)
        told = f"cannot write {own}: read-only file system: the file system is mounted read-only"
        assert cli("init", "--project-root", str(project)) == (1, "", f"orchestrate: {told}\n")
    finally:
        os.chdir("/")
        subprocess.run(["umount", project], check=True)


def test_a_file_in_place_of_the_folder_is_one_line(cli, own):
    own.write_text("")
    assert cli("init") == (
        1,
        "",
        f"orchestrate: cannot write {own}: not a directory: a file stands where a folder is needed\n",
    )


def test_without_a_home_the_folder_is_made_all_the_same(project, own):
    done = layout.initialise(locate(str(project), {}), {"PATH": os.environ["PATH"]})
    assert (done.place.state, done.place.initialised) == (str(own), True)
    names = [".gitignore", "cache", "config.yaml", "init.lock", "meta.json", "workflow.yaml"]
    assert sorted(os.listdir(own)) == names
