"""One night at a time: the lock, and whether the owner of a claim lives."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrate.agents import processes
from orchestrate.overnight import alone
from state.errors import LOCK_TIMEOUT, UserError

REPO = Path(__file__).resolve().parents[2]
HOLDS = """
import sys
sys.path.insert(0, sys.argv[1])
from orchestrate.overnight.alone import alone, owner
with alone(sys.argv[2]):
    print(owner(), flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def user(tmp_path):
    return str(tmp_path / "user")


@pytest.fixture
def other(user):
    argv = [sys.executable, "-c", HOLDS, str(REPO), user]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        process.owner = process.stdout.readline().strip()
        yield process
        process.kill()


def test_the_second_is_told_the_pid_of_the_first(user, other):
    with pytest.raises(UserError, match=f"pid {other.pid}") as caught, alone.alone(user):
        pass
    assert caught.value.code == LOCK_TIMEOUT


def test_a_killed_night_holds_nothing(user, other):
    assert not alone.is_dead(other.owner)
    other.kill()
    other.wait()
    assert alone.is_dead(other.owner)
    with alone.alone(user):
        assert Path(user, alone.LOCK).read_text() == str(os.getpid())


def test_a_lock_that_is_a_link_is_not_followed(user, tmp_path):
    Path(user).mkdir()
    (tmp_path / "other").write_text("kept")
    Path(user, alone.LOCK).symlink_to(tmp_path / "other")
    with pytest.raises(UserError), alone.alone(user):
        pass
    assert (tmp_path / "other").read_text() == "kept"


@pytest.mark.parametrize(
    ("name", "is_dead"),
    [
        (f"{platform.node()}|an earlier boot|1|0.0", True),
        (f"{platform.node()}|{processes.boot()}|1|no number", False),
        ("another-machine|boot|1|0.0", False),
        ("somebody", False),
        ("", False),
    ],
)
def test_of_owners_elsewhere_nothing_is_known(name, is_dead):
    assert alone.is_dead(name) is is_dead


def test_a_pid_of_an_earlier_boot_is_nobody():
    node, boot, *rest = alone.owner().split("|")
    assert alone.is_dead("|".join([node, f"not {boot}", *rest]))


def test_we_live():
    assert not alone.is_dead(alone.owner())
