"""At most so many agents at once, whoever starts them, and nobody is forgotten."""

import itertools
import os
import re
import stat
import subprocess
import sys
import threading
from contextlib import closing
from types import SimpleNamespace

import pytest
from living import REPO, Fifo

from orchestrate.agents import slots
from orchestrate.agents.slots import RoomLimits, room, slot
from orchestrate.agents.stop import Stop
from state.errors import UserError

# Each writes + when it is in and - before it is out: one write() on an O_APPEND descriptor keeps the order. The first
# stay until all places are taken.
_WORKER = """
import os, sys, time
from orchestrate.agents.slots import slot
user, log, most = sys.argv[1], os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND), int(sys.argv[3])
with slot(user, most, 600):
    os.write(log, b"+")
    while os.fstat(log).st_size < most:
        time.sleep(0.001)
    time.sleep(0.01)
    os.write(log, b"-")
"""
_HOLDER = """
import os, sys
from orchestrate.agents.slots import slot
with slot(sys.argv[1], 1, 600), open(sys.argv[2], "w") as told:
    print(os.getpid(), file=told, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def user(tmp_path):
    return str(tmp_path / "user")


def started(code, *argv, **options):
    env = {**os.environ, "PYTHONPATH": str(REPO)}
    return subprocess.Popen([sys.executable, "-c", code, *map(str, argv)], env=env, **options)


@pytest.fixture
def holder(user, tmp_path):
    """A process that holds the only place."""
    with closing(Fifo(tmp_path / "fifo")) as fifo, started(_HOLDER, user, fifo.path, stdin=subprocess.PIPE) as process:
        assert fifo.pids(1) == [process.pid]
        yield process
        process.kill()


@pytest.mark.slow
@pytest.mark.parametrize("most", [1, 3])
def test_twenty_processes_share_the_places(user, tmp_path, most):
    log = tmp_path / "log"
    log.touch()
    workers = [started(_WORKER, user, log, most) for _ in range(20)]
    assert [worker.wait(100) for worker in workers] == [0] * 20
    inside, peak = 0, 0
    for letter in log.read_text():
        inside += 1 if letter == "+" else -1
        peak = max(peak, inside)
    assert sorted(log.read_text()) == ["+"] * 20 + ["-"] * 20
    assert (inside, peak) == (0, most)


def test_who_waits_too_long_hears_who_is_inside(user, holder):
    with pytest.raises(UserError) as told, slot(user, 1, 0.05):
        raise AssertionError
    text = f"{user}/slots: all 1 taken for 0.05 s by pid {holder.pid}: try again, or end one of them"
    assert (str(told.value), told.value.code) == (text, 75)


def test_who_is_killed_gives_its_place_back(user, holder):
    holder.kill()
    with slot(user, 1, 60) as number:
        assert number == 0


@pytest.mark.slow
def test_who_waits_long_is_told_for_whom_and_when_it_is_over(user, holder):
    told = []

    def tell(line):
        told.append(line)
        holder.kill()

    with slot(user, 1, 60, tell=tell):
        waiting, over = told
    assert waiting == f"waiting for a place: all 1 are taken by pid {holder.pid}"
    assert re.fullmatch(r"got a place after \d+ s", over)


def test_of_a_short_wait_nothing_is_told(user, holder, monkeypatch):
    """However long the machine takes: the clock goes by 0.9 s, once it waits, and no further."""
    told, looks = [], itertools.count()

    def monotonic():
        if not next(looks):
            return 0.0
        holder.kill()
        return 0.9

    monkeypatch.setattr(slots, "time", SimpleNamespace(monotonic=monotonic))
    with slot(user, 1, 30, tell=told.append):
        assert next(looks) > 1
    assert told == []


def test_who_waits_can_be_stopped(user, holder):
    with closing(Stop()) as stop:
        stopper = threading.Timer(0.05, stop.ask, ["SIGINT"])
        stopper.start()
        with pytest.raises(UserError) as told, slot(user, 1, 60, stop):
            raise AssertionError
        stopper.join()
    assert (str(told.value), told.value.code) == (f"{user}/slots: stopped on request while all 1 were taken", 130)


def test_a_place_is_free_again_after_an_error(user):
    with pytest.raises(ZeroDivisionError), slot(user, 1, 0):
        raise ZeroDivisionError
    with slot(user, 1, 0) as number:
        assert number == 0


def test_threads_count_as_processes_do(user):
    with slot(user, 2, 0) as first, slot(user, 2, 0) as second:
        assert (first, second) == (0, 1)
        with pytest.raises(UserError), slot(user, 2, 0):
            raise AssertionError


def test_the_files_are_for_this_user_alone(user):
    with slot(user, 1, 0):
        modes = [stat.S_IMODE(os.stat(path).st_mode) for path in (f"{user}/slots", f"{user}/slots/0.lock")]
    assert modes == [0o700, 0o600]


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "user").write_text("a file")
    with pytest.raises(UserError, match=r"cannot write .*/user/slots: "), slot(str(tmp_path / "user"), 1, 0):
        raise AssertionError


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (RoomLimits(), "None"),
        (RoomLimits(memory_mib=1, load_per_core=1000), "None"),
        (RoomLimits(memory_mib=1e9), r"memory: \d+ MiB available, 1e\+09 MiB wanted for one more agent"),
        (RoomLimits(load_per_core=-1), r"load: \d+\.\d per core, at most -1 for one more agent"),
    ],
)
def test_room(limits, reason):
    assert re.fullmatch(reason, str(room(limits)))
