"""Events leave the store for a file: in one of the two each, whatever is killed when."""

import gzip
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrate.memory import archive_file, archive_read
from orchestrate.memory.archive import Archived, archive, dry
from orchestrate.memory.search import search
from orchestrate.memory.search_answer import answer
from orchestrate.memory.search_found import Wanted
from orchestrate.memory.search_scope import Where
from state.errors import UserError
from state.store import open_store
from state.store.search_records import Filter
from state.store.search_terms import Scope

REPO = Path(__file__).resolve().parent.parent.parent
PROJECT = Where("project", "", Scope())
OLD, NEW, CUTOFF = "2026-01-01T00:00:00.000Z", "2026-11-21T10:00:00.000Z", "2026-06-01T00:00:00.000Z"
RUN = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from orchestrate.memory import archive
from state.paths import locate
from state.store import open_store

archive.EVENTS = int(sys.argv[5])
place = locate(sys.argv[2], os.environ)

def step(name):
    if name.startswith(sys.argv[4]):
        os.kill(os.getpid(), signal.SIGKILL)

with open_store(place) as store:
    archive.archive(place, store, sys.argv[3], 60, step)
"""


@pytest.fixture
def full(store, event):
    """Forty old events and three new ones."""
    store.emit(
        [
            event(f"old{n:02}", f'{{"a":"word\\nold{n:02} Größe"}}', f"2026-01-{n % 28 + 1:02}T00:00:00.000Z", task="T")
            for n in range(40)
        ]
    )
    store.emit([event(f"new{n}", '{"a":"word"}', NEW) for n in range(3)])
    return store


def files(place):
    return sorted(Path(place.state, archive_file.FOLDER).glob("*.jsonl.gz"))


def archived(place):
    return [json.loads(line)["id"] for path in files(place) for line in gzip.open(path)]


def stored(store):
    return [entry.event.id for entry in store.listing.newest(Filter(), 1000)]


OLDS = [f"old{n:02}" for n in range(40)]


def test_old_events_go_into_a_file_and_new_ones_stay(place, full):
    done = archive(place, full, CUTOFF, 5)
    assert done == Archived(CUTOFF, 40, [path.name for path in files(place)], dry_run=False)
    assert (sorted(archived(place)), sorted(stored(full))) == (OLDS, ["new0", "new1", "new2"])
    (noted,) = full.archives.listed()
    assert (noted.events, noted.first_ts, noted.last_ts) == (40, OLD, "2026-01-28T00:00:00.000Z")
    assert oct(files(place)[0].stat().st_mode & 0o777) == "0o600"
    assert archive(place, full, CUTOFF, 5) == Archived(CUTOFF, 0, [], dry_run=False)


def test_a_dry_run_archives_nothing(place, full):
    assert dry(full, CUTOFF) == Archived(CUTOFF, 40, [], dry_run=True)
    assert (archived(place), len(stored(full))) == ([], 43)


def test_an_event_comes_back_as_it_went(place, store, event):
    odd = event("a", '{"big":123456789012345678901234567890,"n":1.50,"t":"ü\\u0001\\n"}', OLD, task="T")._replace(
        prompt_id="p", correlation="c", entity_id='i"\n', actor="me"
    )
    store.emit([odd, event("b", "{}", OLD)])
    kept = {entry.event.id: entry.event for entry in store.listing.newest(Filter(), 9)}
    archive(place, store, CUTOFF, 5)
    back = {event.id: event for event in archive_file.read(place, files(place)[0].name)}
    assert json.loads(back["a"].payload)["t"] == json.loads(kept["a"].payload)["t"]
    assert back["a"]._replace(payload="") == kept["a"]._replace(payload="")
    assert back["b"] == kept["b"]


@pytest.mark.slow
@pytest.mark.parametrize("most", [1000, 15])
@pytest.mark.parametrize("step", ["writing", "written", "taken", "15 events", "30 events"])
def test_a_kill_at_any_step_loses_and_doubles_nothing(project, place, full, step, most):
    command = [sys.executable, "-c", RUN, str(REPO), str(project), CUTOFF, step, str(most)]
    killed = subprocess.run(command, env=os.environ, timeout=60, check=False)
    assert killed.returncode in (-signal.SIGKILL, 0)
    seen = ids(place, full, "word", archived=True)
    assert (sorted(seen), len(seen)) == (["new0", "new1", "new2", *OLDS], 43)
    archive(place, full, CUTOFF, 5)
    assert (sorted(archived(place)), sorted(stored(full))) == (OLDS, ["new0", "new1", "new2"])
    assert sum(one.events for one in full.archives.listed()) == 40
    assert list(Path(place.state, archive_file.FOLDER).glob("*.tmp")) == []


def test_what_a_killed_write_left_is_swept(place, full):
    folder = Path(place.state, archive_file.FOLDER)
    folder.mkdir(parents=True)
    (folder / "events-x.jsonl.gz.tmp").write_bytes(b"half")
    archive(place, full, CUTOFF, 5)
    assert sorted(archived(place)) == OLDS
    assert list(folder.glob("*.tmp")) == []


def test_a_full_disk_loses_nothing(place, full):
    folder = Path(place.state, archive_file.FOLDER)
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("in the way")
    with pytest.raises(UserError):
        archive(place, full, CUTOFF, 5)
    assert len(stored(full)) == 43


def test_an_archived_event_whose_log_is_read_again_is_archived_once(place, full, event):
    archive(place, full, CUTOFF, 5)
    full.emit(
        [
            event("old05", '{"a":"word old05"}', "2026-01-06T00:00:00.000Z"),
            event("late", '{"a":"word"}', "2026-01-07T00:00:00.000Z"),
        ]
    )
    assert archive(place, full, CUTOFF, 5).events == 2
    assert sorted(archived(place)) == sorted([*OLDS, "late"])
    assert sorted(stored(full)) == ["new0", "new1", "new2"]


def ids(place, store, query, **more):
    where = more.pop("where", PROJECT)
    return [hit.item.id for hit in search(place, store, Wanted(query, where, limit=1000, **more), str).hits]


def test_archived_events_are_found_when_asked_for(place, full):
    archive(place, full, CUTOFF, 5)
    assert ids(place, full, "old07") == []
    assert ids(place, full, "OLD07", archived=True) == ["old07"]
    assert ids(place, full, "größe old07", archived=True) == ["old07"]
    assert ids(place, full, "old07", archived=True, since=NEW) == []
    assert ids(place, full, "old07", archived=True, where=Where("task", "T", Scope(tasks=("T",)))) == ["old07"]
    assert ids(place, full, "old07", archived=True, where=Where("task", "U", Scope(tasks=("U",)))) == []
    found = search(place, full, Wanted("old07", PROJECT, archived=True), str).hits[0]
    assert (found.item.source, found.snippet.text) == ("archived", '{"a":"word old07 Größe"}')


def test_the_figures_are_the_same_with_the_archive(place, full):
    wanted = Wanted("", PROJECT, archived=True)
    before = answer(place, full, wanted, {}, True, 0, str)
    archive(place, full, CUTOFF, 5)
    after = answer(place, full, wanted, {}, True, 0, str)
    assert {**before, "took_ms": 0} == {**after, "took_ms": 0}
    assert answer(place, full, Wanted("", PROJECT), {}, True, 0, str)["total_events"] == 3


def test_archiving_empties_the_cache(place, full):
    wanted = Wanted("word", PROJECT, limit=1000)
    answer(place, full, wanted, {}, False, 3600, str)
    archive(place, full, CUTOFF, 5)
    assert answer(place, full, wanted, {}, False, 3600, str)["found"] == 3


def test_a_file_that_is_missing_is_named(place, full):
    archive(place, full, CUTOFF, 5)
    (file,) = files(place)
    assert archive_read.missing(place, full) == []
    file.unlink()
    assert archive_read.missing(place, full) == [file.name]
    assert ids(place, full, "old07", archived=True) == []


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_missing_and_not_waited_for(place, full, make):
    archive(place, full, CUTOFF, 5)
    (file,) = files(place)
    file.unlink()
    make(file)
    assert (archive_file.present(place), archive_read.missing(place, full)) == ([], [file.name])


@pytest.mark.parametrize("depth", [254, 255, 600])
def test_what_is_nested_deep_comes_back(place, store, event, depth):
    deep = '{"a":' * depth + '"Größe"' + "}" * depth
    store.emit([event("a", deep, OLD)])
    archive(place, store, CUTOFF, 5)
    (file,) = files(place)
    assert [event.payload for event in archive_file.read(place, file.name)] == [deep]


@pytest.fixture
def halves(place, full, monkeypatch):
    """Two files of twenty old events each."""
    monkeypatch.setattr("orchestrate.memory.archive.EVENTS", 20)
    archive(place, full, CUTOFF, 5)
    return files(place)


DAMAGES = {
    "no gzip": (lambda raw: b"no gzip", "Not a gzipped file (b'no')", 0),
    "empty": (lambda raw: b"", "it is not as it was archived: its sha256 is another", 0),
    "cut short": (lambda raw: raw[:-9], "Compressed file ended before the end-of-stream marker was reached", 20),
    "a wrong checksum": (lambda raw: raw[:-8] + b"\0" * 8, "CRC check failed", 20),
    "a broken block": (lambda raw: raw[:20] + b"\xff" * 40 + raw[60:], "Error -3 while decompressing data", 0),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_named_and_the_others_are_read(place, full, halves, damage):
    make, why, readable = DAMAGES[damage]
    raw = halves[0].read_bytes()
    halves[0].write_bytes(make(raw))
    damaged = {}
    found = search(place, full, Wanted("word", PROJECT, archived=True, limit=1000), str, damaged=damaged)
    assert 23 <= len({hit.item.id for hit in found.hits}) == len(found.hits) <= 23 + readable
    assert [*damaged] == [halves[0].name]
    told = damaged[halves[0].name]
    assert told.startswith(f"{halves[0]}: is damaged ({why}")
    assert told.endswith("): events of it are missing or changed: put back a copy of it")


def test_the_figures_go_on_past_a_damaged_file(place, full, halves):
    halves[0].write_bytes(b"no gzip")
    damaged = {}
    told = answer(place, full, Wanted("word", PROJECT, archived=True), {}, True, 3600, str, damaged)
    assert (told["total_events"], list(damaged)) == (23, [halves[0].name])


def test_an_answer_that_lacks_events_is_not_kept(place, full, halves):
    whole = halves[0].read_bytes()
    wanted = Wanted("word", PROJECT, archived=True, limit=1000)
    halves[0].write_bytes(b"no gzip")
    assert answer(place, full, wanted, {}, False, 3600, str)["found"] == 23
    halves[0].write_bytes(whole)
    assert answer(place, full, wanted, {}, False, 3600, str)["found"] == 43


@pytest.mark.parametrize("is_summary", [False, True])
def test_an_answer_without_a_file_that_is_missing_is_not_kept(place, full, halves, is_summary):
    whole = halves[0].read_bytes()
    wanted = Wanted("word", PROJECT, archived=True, limit=1000)
    halves[0].unlink()
    for _ in range(2):
        lacking = answer(place, full, wanted, {}, is_summary, 3600, str)
        assert (lacking["found"], lacking["from_cache"]) == (23, False)
    halves[0].write_bytes(whole)
    assert answer(place, full, wanted, {}, is_summary, 3600, str)["found"] == 43


def test_an_answer_that_was_kept_hides_no_damage(place, full, halves):
    wanted = Wanted("word", PROJECT, archived=True, limit=1000)
    asked = [answer(place, full, wanted, {}, False, 3600, str) for _ in range(2)]
    assert [(one["found"], one["from_cache"]) for one in asked] == [(43, False), (43, True)]
    halves[0].write_bytes(b"no gzip")
    damaged = {}
    told = answer(place, full, wanted, {}, False, 3600, str, damaged)
    assert (told["found"], told["from_cache"], [*damaged]) == (23, False, [halves[0].name])


def test_an_answer_from_the_store_alone_is_kept_whatever_is_archived(place, full, halves):
    wanted = Wanted("word", PROJECT)
    halves[0].unlink()
    answer(place, full, wanted, {}, False, 3600, str)
    halves[1].write_bytes(b"no gzip")
    assert answer(place, full, wanted, {}, False, 3600, str)["from_cache"]


def damage(path, why):
    return f"{path}: is damaged ({why}): events of it are missing or changed: put back a copy of it"


def edited(path, old, new):
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).replace(old, new, 1)))


def test_lines_that_are_no_events_are_passed_over_and_told(place, full, halves):
    edited(halves[1], b"", b'word\n{"a":"word"}\n[1]\n\xff\n')
    damaged = {}
    hits = search(place, full, Wanted("word", PROJECT, archived=True, limit=1000), str, damaged=damaged).hits
    assert len(hits) == 43
    assert damaged == {halves[1].name: damage(halves[1], "a line of it is no event")}


def test_a_file_that_is_not_as_it_was_archived_is_told_and_shown(place, full, halves):
    edited(halves[0], b"old05 ", b"new55 ")
    damaged = {}
    hits = search(place, full, Wanted("new55", PROJECT, archived=True), str, damaged=damaged).hits
    assert [hit.item.id for hit in hits] == ["old05"]
    assert damaged == {halves[0].name: damage(halves[0], "it is not as it was archived: its sha256 is another")}


def test_what_archiving_cannot_read_stops_it(place, full, event):
    archive(place, full, CUTOFF, 5)
    files(place)[0].write_bytes(b"no gzip")
    full.emit([event("late", "{}", "2026-01-07T00:00:00.000Z")])
    with pytest.raises(UserError, match="cannot be read as an archive"):
        archive(place, full, CUTOFF, 5)
    assert "late" in stored(full)


@pytest.mark.slow
def test_two_that_archive_at_once_wait_for_each_other(project, place, full):
    command = [sys.executable, "-c", RUN, str(REPO), str(project), CUTOFF, "never", "7"]
    both = [subprocess.Popen(command, env=os.environ) for _ in range(2)]
    assert [each.wait(100) for each in both] == [0, 0]
    with open_store(place) as store:
        assert (sorted(archived(place)), len(stored(store))) == (OLDS, 3)
