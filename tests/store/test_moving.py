"""A store that is moved to another database: all of it or nothing, whatever is killed, and back again."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from state import compiled, config_keys
from state.errors import FAILED, LOCK_TIMEOUT, OK, REFUSED, UserError
from state.store import Event, HookError, Position, open_store, opening, statements

pytestmark = [pytest.mark.database, pytest.mark.timeout(600)]

REPO = Path(__file__).resolve().parent.parent.parent
ALWAYS = ("2000-01-01T00:00:00.000Z", "2100-01-01T00:00:00.000Z")
MOVED = "orchestration.store.moved"
POSITION = Position("sessions/s", "7", 10, "00000000", 1, None)
KILLED = """
import os, signal, sys
from state.paths import locate
from state.store import moving, opening, switching

place, there, left = locate(os.getcwd(), os.environ), sys.argv[1], int(sys.argv[2])

def tell(step):
    global left
    if not left:
        print(step, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1

source, target = opening.tables(place, opening.url(place), 60.0), opening.tables(place, there, 60.0)
moving.move(source, target, False, lambda: switching.use(place, there), tell)
"""


def event(number):
    key, ts = f"e{number:04d}", f"2026-11-21T10:00:{number % 60:02d}.000Z"
    return Event(key, ts, "orchestration.turn.end", "s", None, "hook", "prompt", "ü\n\t\\N", '{"a":1}', "TSK-1")


def fill(place, events=500):
    """Events of which the first are gone, so that the last number is more than how many there are."""
    error = HookError("a", "2026-11-21T10:00:00.000Z", "Stop", "s", "persist", "OSError")
    with open_store(place) as store:
        store.add_events([event(number) for number in range(events)], None, POSITION)
        store.add_hook_errors([error], None, POSITION._replace(log="hook-errors.log"))
        store.forget_before("2026-11-21T10:00:01.000Z")
    return contents(place)


def contents(place):
    """Without what `state move` tells of itself."""
    with open_store(place) as store:
        events = sorted(event for event in store.events_between(*ALWAYS) if event.type != MOVED)
        return events, store.positions(), store.newest_seq() - len(moves(place))


def moves(place):
    with open_store(place) as store:
        return [json.loads(event.payload) for event in store.events_between(*ALWAYS) if event.type == MOVED]


def start(place, *words, **env):
    environment = {**os.environ, "PYTHONPATH": str(REPO), **env}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, *words], cwd=place.root, env=environment, **pipes)


def orchestrate(place, *words, **env):
    """(exit code, stdout, the last line of stderr)."""
    process = start(place, "-m", "orchestrate", *words, **env)
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err.strip().splitlines()[-1] if err.strip() else ""


def test_all_of_a_store_moves_there_and_back(place, cluster):
    filled = fill(place)
    rows = len(filled[0]) + len(filled[1])
    code, out, _ = orchestrate(place, "state", "move", "--to", cluster.url)
    assert (code, cluster.password in out, cluster.shown in out) == (OK, False, True)
    assert (opening.url(place), contents(place)) == (cluster.url, filled)
    sqlite = f"{place.state}/store.db"
    assert moves(place) == [{"from": sqlite, "to": cluster.shown, "rows": rows}]
    with open_store(place) as store:
        store.emit([event(9000)])
    newest = contents(place)[2]
    assert newest > filled[2]
    code, _, line = orchestrate(place, "state", "move", "--to", "sqlite")
    assert code == FAILED
    assert f"store.db: holds {rows} rows of this project already: --replace" in line
    assert orchestrate(place, "state", "move", "--to", "sqlite", "--replace")[0] == OK
    assert (opening.url(place), contents(place)) == ("", (sorted([*filled[0], event(9000)]), filled[1], newest))
    assert [(told["from"], told["to"]) for told in moves(place)] == [(sqlite, cluster.shown), (cluster.shown, sqlite)]
    with sqlite3.connect(sqlite) as db:  # what is derived was made anew
        words = db.execute("SELECT count(*) FROM events_index WHERE events_index MATCH 'turn'").fetchone()
    assert words == (len(filled[0]) + 1,)


def test_a_dry_run_writes_nothing(place, cluster):
    fill(place)
    code, out, _ = orchestrate(place, "state", "move", "--to", cluster.url, "--dry-run", "--json")
    answer = orjson.loads(out)
    assert (code, answer["dry_run"], answer["tables"]["log_positions"]) == (OK, True, 2)
    assert opening.url(place) == ""
    with cluster.connect() as db:
        schema = opening.schema(place)
        assert db.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,)).fetchone() is None


def steps(place):
    """copy and verify each table, and what lies between."""
    tables = opening.tables(place, "", 5.0)
    names = list(tables.columns())
    tables.close()
    between = ["commit", "switch", "clear the mark", "done"]
    return [f"copy {name}" for name in names] + ["index"] + [f"verify {name}" for name in names] + between


@pytest.mark.slow
@pytest.mark.timeout(1200)  # each table has steps of its own, and each step a process
@pytest.mark.parametrize("back", [False, True], ids=["there", "back"])
def test_killed_at_any_step_it_is_all_there_or_not_used(place, cluster, back):
    there, goal = ("", "sqlite") if back else (cluster.url, cluster.url)
    if back:
        assert orchestrate(place, "state", "move", "--to", cluster.url)[0] == OK
    filled = fill(place, 100)
    expected = steps(place)
    told = []
    for number, step in enumerate(expected):
        process = start(place, "-c", KILLED, there, str(number))
        out, err = process.communicate(timeout=300)
        assert (process.returncode, out.split(" to ")[0].strip()) == (-signal.SIGKILL, step), err
        told.append(step)
        assert contents(place) == filled
        assert (opening.url(place) == there) == (step in ("clear the mark", "done"))
        if opening.url(place) == there:
            break
    assert told == expected[: expected.index("clear the mark") + 1]
    assert orchestrate(place, "state", "move", "--to", goal)[0] == OK
    assert (opening.url(place), contents(place)) == (there, filled)


def test_a_copy_that_is_not_what_was_read_is_not_used(place, cluster):
    filled = fill(place)
    tables = opening.tables(place, cluster.url, 5.0)
    tables._db.execute(
        "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN IF NEW.id = 'e0301' THEN NEW.actor := 'x'; END IF; RETURN NEW; END $$"
    )
    tables._db.execute("CREATE TRIGGER spoil BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION spoil()")
    code, _, line = orchestrate(place, "state", "move", "--to", cluster.url)
    assert (code, opening.url(place), contents(place)) == (FAILED, "", filled)
    assert line.endswith(f"{cluster.shown}: events: what was copied is not what was read: nothing was changed")
    assert tables.count("events") == 0
    tables.close()


def test_it_does_not_begin_while_another_process_writes(place, cluster):
    filled = fill(place)
    with open_store(place) as writer, writer._engine.writing():
        code, _, line = orchestrate(place, "state", "move", "--to", cluster.url)
    assert (code, line.endswith("store.db: is locked by another process: try again when it has finished")) == (75, True)
    assert (opening.url(place), contents(place)) == ("", filled)


@pytest.mark.parametrize("back", [False, True], ids=["there", "back"])
def test_a_writer_that_opened_the_store_before_is_told(place, cluster, back):
    fill(place)
    if back:
        assert orchestrate(place, "state", "move", "--to", cluster.url)[0] == OK
    goal, shown = ("sqlite", f"{place.state}/store.db") if back else (cluster.url, cluster.shown)
    with open_store(place) as early:
        before, newest = contents(place), early.newest_seq()
        assert orchestrate(place, "state", "move", "--to", goal, "--replace")[0] == OK
        with pytest.raises(UserError) as told:
            early.emit([event(9000)])
        assert early.newest_seq() == newest
    assert str(told.value) == f"the store has moved to {shown} meanwhile: run the command again"
    assert (told.value.code, contents(place)) == (LOCK_TIMEOUT, before)


def test_a_writer_that_opened_the_store_before_is_told_where_who_moved_it_was_killed(place, cluster, monkeypatch):
    """The setting is written, and not compiled yet."""
    with open_store(place) as early:
        with monkeypatch.context() as patch:
            patch.setattr(compiled, "compile", lambda place: None)
            config_keys.set_key(place, "store.url", cluster.url)
        with pytest.raises(UserError) as told:
            early.emit([event(9000)])
    assert str(told.value) == f"the store has moved to {cluster.shown} meanwhile: run the command again"


def test_a_setting_that_could_not_take_effect_is_told_before(place, cluster, project):
    code, _, line = orchestrate(place, "state", "move", "--to", "sqlite", ORCHESTRATOR_STORE__URL=cluster.url)
    said = "ORCHESTRATOR_STORE__URL is set and would overrule the setting: unset it first"
    assert (code, line) == (FAILED, f"orchestrate: {said}")
    (project / ".orchestrator").mkdir()
    (project / ".orchestrator" / "config.yaml").write_text("claude_binary: /tmp/evil\n")
    code, _, line = orchestrate(place, "state", "move", "--to", cluster.url)
    said = "claude_binary: wait for your trust, and store.url would too: `orchestrate trust` first"
    assert (code, line) == (REFUSED, f"orchestrate: {project}/.orchestrator: {said}")


def test_a_repository_names_no_database_before_it_is_trusted(place, cluster, project):
    (project / ".orchestrator").mkdir()
    (project / ".orchestrator" / "config.yaml").write_text(f"store:\n  url: {cluster.url}\n")
    code, out, line = orchestrate(place, "config", "get", "store.url")
    assert (code, out, cluster.password in line) == (OK, "\n", False)
    assert "is ignored until you trust this repository" in line
    assert orchestrate(place, "trust")[0] == OK
    code, out, _ = orchestrate(place, "config", "show")
    assert (code, out) == (
        OK,
        f"store.url: {cluster.url.replace(cluster.password, '[redacted:url-password]')} (from: repo)\n",
    )


def test_both_dialects_have_the_same_tables(place, cluster):
    """What a store is copied by."""
    both = [opening.tables(place, url, 5.0) for url in ("", cluster.url)]
    lite, postgres = ({table: sorted(names) for table, names in one.columns().items()} for one in both)
    for one in both:
        one.close()
    assert lite == postgres
    assert len(statements.migrations("sqlite")) == len(statements.migrations("postgres"))
