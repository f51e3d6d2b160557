"""One store of several machines: each reads the logs in its own folder, and none disturbs another's places in them."""

import multiprocessing
import os
import shutil
from pathlib import Path

import pytest

from metrics.ingest import ingest
from state import journal, log_folder
from state.paths import LOG, Place, locate, session_dir
from state.store import open_store

NOW = 1795000000.0


@pytest.fixture
def machines(project, tmp_path):
    """Two of them, with the project at the same path: their places."""

    def made(name):
        home = tmp_path / name
        home.mkdir()
        return locate(str(project), {"HOME": str(home)})

    return made("one"), made("two")


@pytest.fixture
def shared(cluster, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_STORE__URL", cluster.url)


def told(place, session, count=1):
    for number in range(count):
        journal.record(place, journal.event(place, "x.y", session, None, ("a", "b"), {"n": number}, NOW + number))
    path = Path(session_dir(place, session), LOG)
    path.write_bytes(path.read_bytes() + b"no record\n")


def read(place):
    """What a reading of the logs changed: (events that were new, bad lines, positions after it)."""
    with open_store(place) as store:
        found = ingest(place, store)
        return found.events, found.bad_lines, store.positions()


@pytest.mark.usefixtures("shared")
def test_two_machines_read_their_own_logs_once(machines):
    one, two = machines
    told(one, "s-one", 3)
    told(two, "s-two", 2)
    told(two, "s-both")
    told(one, "s-both")
    first, second = read(one), read(two)
    assert (first[:2], second[:2]) == ((4, 2), (3, 2))
    assert (read(one), read(two)) == ((0, 0, first[2]), (0, 0, second[2]))
    told(one, "s-one")
    assert read(one)[:2] == (1, 1)
    assert read(two) == (0, 0, second[2])
    with open_store(two) as store:
        assert (len(list(store.events_between("2000", "3000"))), store.bad_lines()) == (8, 5)


@pytest.mark.usefixtures("shared")
def test_positions_of_nobody_are_those_of_who_reads_next(machines, monkeypatch):
    one, two = machines
    told(one, "s-one", 3)
    with monkeypatch.context() as patch:
        patch.setattr(log_folder, "name", lambda place, is_shared: "")
        before = read(one)[2]
    assert read(one)[1:] == (0, before)
    assert read(two)[2] == {}
    with open_store(one) as store:
        assert store.positions() == before


def test_a_folder_keeps_its_name_and_a_copy_gets_one_of_its_own(place, tmp_path):
    assert (log_folder.name(place, is_shared=False), os.path.exists(place.state)) == ("", False)
    name = log_folder.name(place, is_shared=True)
    assert (len(name), log_folder.name(place, True), log_folder.name(place, False)) == (16, name, name)
    (tmp_path / "copied").mkdir()
    copy = locate(place.root, {"HOME": str(tmp_path / "copied")})
    shutil.copytree(place.state, copy.state)
    assert (log_folder.name(copy, False), len(log_folder.name(copy, True))) == ("", 16)
    assert log_folder.name(copy, True) not in ("", name)
    assert os.listdir(copy.state) == [log_folder.FILE]


def test_where_nothing_can_be_written_the_path_is_the_name(place):
    Path(place.state, log_folder.FILE).mkdir(parents=True)
    assert log_folder.name(place, True) == log_folder.name(place, True) != ""


def _named(place, begin, names):
    begin.wait()
    names.put(log_folder.name(place, True))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_processes_that_name_a_folder_at_once_have_one_name(machines):
    several = multiprocessing.get_context("fork")
    for attempt in range(20):
        one = machines[0]
        place = Place(one.root, one.project, f"{one.state}-{attempt}", one.user, one.initialised)
        begin, names = several.Barrier(6), several.Queue()
        makers = [several.Process(target=_named, args=(place, begin, names)) for _ in range(6)]
        for maker in makers:
            maker.start()
        found = {names.get(timeout=60) for _ in makers}
        for maker in makers:
            maker.join(60)
        assert len(found) == 1
