import errno
import os
import subprocess

import pytest

from state import compiled, config_keys, files, journal, session_file
from state.errors import UserError
from state.paths import Place, session_dir

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")


@pytest.fixture
def disk(tmp_path):
    """A disk of 64 KiB, and how to make it read-only."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_file_is_replaced_whole_and_private(tmp_path):
    path = tmp_path / "new" / "file"
    files.replace(str(path), b"one")
    files.replace(str(path), b"two")
    assert (path.read_bytes(), path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (
        b"two",
        0o600,
        0o700,
    )
    assert os.listdir(path.parent) == ["file"]


def test_what_is_missing_reads_as_none(tmp_path):
    assert files.read(str(tmp_path / "nothing")) is None


@pytest.mark.parametrize("make", [lambda path: path.symlink_to("/dev/zero"), os.mkfifo])
def test_what_has_no_end_is_not_read(tmp_path, make):
    """A repository can bring a link along."""
    make(tmp_path / "config.yaml")
    with pytest.raises(UserError) as caught:
        files.read(str(tmp_path / "config.yaml"))
    assert str(caught.value) == f"cannot read {tmp_path}/config.yaml: is a device or a pipe: a file is needed there"


def test_a_file_in_place_of_a_folder_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError) as caught:
        files.replace(str(tmp_path / "file" / "deeper" / "x"), b"")
    assert (
        str(caught.value)
        == f"cannot write {tmp_path}/file/deeper: not a directory: a file stands where a folder is needed"
    )


def test_an_unknown_failure_is_told_as_the_system_tells_it():
    assert str(files.failure("x", OSError(errno.EIO, "Input/output error"))) == (
        "cannot write x: input/output error: check the path"
    )


@ROOT_ONLY
def test_a_full_disk_keeps_the_old_file(disk):
    path = disk / "file"
    files.replace(str(path), b"old")
    with pytest.raises(UserError) as caught:
        files.replace(str(path), b"x" * 100_000)
    assert str(caught.value) == f"cannot write {path}: no space left on device: free some space"
    assert (path.read_bytes(), os.listdir(disk)) == (b"old", ["file"])


@ROOT_ONLY
def test_a_full_disk_keeps_the_session(disk):
    place = Place(str(disk), "0" * 16, str(disk), None, True)
    payload = {"hash": "h", "agent": "a" * 2000, "overhead_ms": 0.0}

    def decide():
        entity = ("prompt", "p")
        journal.record(place, journal.event(place, "orchestration.prompt.decided", "s", None, entity, payload, 1e9))

    decide()
    kept = session_file.refresh(place, "s")
    for _ in range(8):
        decide()
    (disk / "filler").write_bytes(b"x" * (os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize))
    with pytest.raises(UserError, match="no space left on device: free some space"):
        session_file.refresh(place, "s")
    (disk / "filler").unlink()
    assert len(kept["routing_history"]) == 1
    assert len(session_file.refresh(place, "s")["routing_history"]) == 9
    assert [name for name in os.listdir(session_dir(place, "s")) if name.endswith(".tmp")] == []


@ROOT_ONLY
def test_a_read_only_disk_is_one_line(disk):
    place = Place(str(disk), "0" * 16, str(disk), None, True)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    for act in (lambda: compiled.compile(place), lambda: config_keys.set_key(place, "mode", "auto")):
        with pytest.raises(UserError) as caught:
            act()
        assert str(caught.value).endswith(": read-only file system: the file system is mounted read-only")
