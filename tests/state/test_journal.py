"""The log: whole lines, private files, and a torn tail that costs nobody else's record."""

import fcntl
import gc
import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from state import journal, paths

REPO = Path(journal.__file__).parent.parent


@pytest.fixture
def log(tmp_path):
    return str(tmp_path / "a" / "b" / "log.jsonl")


def content(path):
    return Path(path).read_bytes()


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_an_event_has_the_envelope_of_all_records(place):
    event = journal.event(place, "orchestration.x.y", "s", "p", ("prompt", "p"), {"a": 1}, 1795240380.1239)
    assert event == {
        "v": 1,
        "id": event["id"],
        "ts": "2026-11-21T05:53:00.123Z",
        "type": "orchestration.x.y",
        "project": place.project,
        "session": "s",
        "prompt_id": "p",
        "actor": "hook",
        "entity": {"type": "prompt", "id": "p"},
        "payload": {"a": 1},
    }
    assert event["id"].startswith(f"{1795240380123:012x}")
    assert len(event["id"]) == 28


@pytest.mark.parametrize(
    ("now", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (0.9999, "1970-01-01T00:00:00.999Z"),
        (951782400.5, "2000-02-29T00:00:00.500Z"),
        (4102444799.999, "2099-12-31T23:59:59.999Z"),
    ],
)
def test_a_stamp_is_utc_with_milliseconds(now, text):
    assert journal.stamp(now) == text


def test_ids_sort_by_time_and_never_repeat(place):
    times = [1e9, 1.7e9, 1795240380.001, 1795240380.002, 4e9]
    ids = [journal.event(place, "t", "s", None, ("x", ""), {}, now)["id"] for now in times]
    assert ids == sorted(ids)
    assert len({journal.event(place, "t", "s", None, ("x", ""), {}, 1e9)["id"] for _ in range(1000)}) == 1000


def test_a_record_goes_to_its_session_s_log(place):
    for session in ("one", "two", "one"):
        journal.record(place, journal.event(place, "t", session, None, ("x", ""), {}, time.time()))
    lengths = {name: content(f"{place.state}/sessions/{name}/log.jsonl").count(b"\n") for name in ("one", "two")}
    assert lengths == {"one": 2, "two": 1}


def test_lines_are_appended_whole(log):
    for line in (b"first", b"", b"x" * 100_000):
        journal.append(log, line)
    assert content(log) == b"first\n\n" + b"x" * 100_000 + b"\n"


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_folders_and_files_are_the_user_s_alone(log, mask, tmp_path):
    before = os.umask(mask)
    try:
        journal.append(log, b"line")
        journal.append(f"{log}.2", b"line")
    finally:
        os.umask(before)
    made = (tmp_path / "a", tmp_path / "a/b", log, f"{log}.2")
    assert [mode(path) for path in made] == [0o700, 0o700, 0o600, 0o600]


@pytest.mark.parametrize("torn", [b"{", b'{"v":1,"id":"01', b"\0" * 512, b"x" * 70_000])
def test_a_torn_tail_is_closed_off(torn, log):
    journal.append(log, b"whole")
    with open(log, "ab") as file:
        file.write(torn)
    journal.append(log, b"next")
    journal.append(log, b"last")
    assert content(log) == b"whole\n" + torn + b"\nnext\nlast\n"


def test_a_log_that_is_torn_from_the_start(log):
    journal.make_folders(os.path.dirname(log))
    Path(log).write_bytes(b"half")
    journal.append(log, b"next")
    assert content(log) == b"half\nnext\n"


@pytest.mark.parametrize(
    ("data", "size", "lines"),
    [
        (b"", 100, []),
        (b"one\ntwo\n", 100, [b"one", b"two"]),
        (b"one\ntwo\n", 8, [b"one", b"two"]),
        (b"one\ntwo\n", 7, [b"two"]),
        (b"one\ntwo\n", 4, []),
        (b"one\ntwo\nhalf", 100, [b"one", b"two"]),
        (b"half", 100, []),
        (b"x" * 1000 + b"\nlast\n", 100, [b"last"]),
        (b"x" * 1000, 100, []),
    ],
)
def test_a_tail_is_the_complete_lines_near_the_end(data, size, lines, tmp_path):
    path = tmp_path / "log"
    path.write_bytes(data)
    assert journal.tail(str(path), size) == lines


def test_no_file_and_a_folder_have_no_tail(tmp_path):
    assert journal.tail(str(tmp_path / "nothing"), 100) == []
    assert journal.tail(str(tmp_path), 100) == []


def test_a_folder_that_is_there_is_left_as_it_is(tmp_path):
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    journal.make_folders(str(folder))
    journal.make_folders(str(folder / "in" / "side"))
    assert [mode(path) for path in (folder, folder / "in", folder / "in/side")] == [0o755, 0o700, 0o700]


def test_a_file_where_a_folder_should_be_is_an_os_error(tmp_path):
    (tmp_path / "a").write_text("a file")
    with pytest.raises(OSError, match="Not a directory"):
        journal.append(str(tmp_path / "a" / "log.jsonl"), b"line")


def test_a_lock_nobody_lets_go_is_not_waited_for(log, monkeypatch):
    pauses_s = []
    monkeypatch.setattr(time, "sleep", pauses_s.append)
    journal.append(log, b"first")
    with open(log, "ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        journal.append(log, b"second")
    assert sum(pauses_s) == pytest.approx(0.2)
    assert content(log) == b"first\nsecond\n"


def test_the_lock_is_gone_when_the_line_is_written(log):
    journal.append(log, b"line")
    with open(log, "ab") as file:
        assert fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB) is None  # it raises where another holds the lock


def test_no_descriptor_is_left_open(log):
    gc.collect()  # what tests before this one have left open
    open_before = len(os.listdir("/dev/fd"))
    for _ in range(50):
        journal.append(log, b"line")
        journal.tail(log, 100)
    assert len(os.listdir("/dev/fd")) == open_before


WRITER = """
import sys
sys.path.insert(0, sys.argv[1])
from state import journal
for number in range(int(sys.argv[4])):
    journal.append(sys.argv[2], ("%s-%d %s" % (sys.argv[3], number, sys.argv[3] * 3000)).encode())
"""


def test_processes_at_once_never_mix_their_lines(log):
    writers, each = 6, 100
    arguments = [sys.executable, "-I", "-S", "-c", WRITER, str(REPO), log]
    started = [subprocess.Popen([*arguments, "abcdef"[at], str(each)]) for at in range(writers)]
    assert [process.wait(100) for process in started] == [0] * writers
    expected = {f"{name}-{number} {name * 3000}" for name in "abcdef" for number in range(each)}
    # Who has waited too long for another writes while he does, and may close off a line that is not whole yet.
    lines = [line for line in content(log).decode().splitlines() if line]
    assert (len(lines), set(lines)) == (writers * each, expected)


def test_a_line_is_one_write_and_json_of_one_line(place):
    journal.record(place, journal.event(place, "t", "s", None, ("x", "\n"), {"text": "a\nb\u2028c\0"}, 1e9))
    (line,) = content(f"{place.state}/sessions/s/{paths.LOG}").splitlines()
    assert json.loads(line)["payload"] == {"text": "a\nb\u2028c\0"}
