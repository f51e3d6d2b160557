import fcntl
import os
import subprocess
import sys

import psutil
import pytest

from state import locks
from state.errors import LOCK_TIMEOUT, UserError

HOLD = """
import sys
from state import locks
with locks.hold(sys.argv[1], 1):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def another(tmp_path):
    """A process that holds a lock until the test ends."""
    started = []

    def start(path):
        process = subprocess.Popen([sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        started.append(process)
        assert process.stdout.readline() == b"held\n"
        return process

    yield start
    for process in started:
        process.communicate()


def refused(path):
    with pytest.raises(UserError) as caught, locks.hold(path, 0.05):
        pass
    return str(caught.value), caught.value.code


def test_a_held_lock_names_its_holder(tmp_path, another):
    path = str(tmp_path / "lock")
    holder = another(path)
    name = psutil.Process(holder.pid).name()
    assert refused(path) == (
        f"{path}: still locked after 0.05 s by pid {holder.pid} ({name}): try again, or end that process",
        LOCK_TIMEOUT,
    )


def test_a_holder_that_is_gone_is_called_stale(tmp_path):
    path = tmp_path / "lock"
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (tmp_path / "lock.pid").write_text(f"{gone.pid} 1000.00")
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert refused(str(path)) == (
            f"{path}: still locked after 0.05 s by pid {gone.pid}, which is gone (stale): "
            "end what it started, or remove the lock",
            LOCK_TIMEOUT,
        )


def test_a_pid_that_another_process_got_is_not_the_holder(tmp_path):
    path = str(tmp_path / "lock")
    (tmp_path / "lock.pid").write_text(f"{os.getpid()} 1000.00")
    assert locks.holder(path).endswith("which is gone (stale): end what it started, or remove the lock")


@pytest.mark.parametrize("signature", ["", "garbage", "1 x"])
def test_a_holder_without_a_name_is_said_to_have_none(tmp_path, signature):
    (tmp_path / "lock.pid").write_text(signature)
    assert locks.holder(str(tmp_path / "lock")) == "by a process that left no name: try again"


def test_a_free_lock_leaves_no_signature_and_a_private_file(tmp_path):
    path = tmp_path / "new" / "lock"
    with locks.hold(str(path), 1):
        assert (tmp_path / "new" / "lock.pid").read_text().split()[0] == str(os.getpid())
    assert [entry.name for entry in path.parent.iterdir()] == ["lock"]
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_lock_in_an_impossible_folder_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file"
    with pytest.raises(UserError) as caught, locks.hold(f"{folder}/lock", 1):
        pass
    assert str(caught.value) == f"cannot write {folder}: not a directory: a file stands where a folder is needed"
