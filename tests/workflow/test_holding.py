"""One runner in a machine, whoever else starts one, and when."""

import subprocess
import sys
import threading
import tomllib
from importlib.metadata import version

import pytest
from machine import REPO

from orchestrate.workflow import holding, inbox

HOLDER = """
import os, sys; sys.path.insert(0, sys.argv[1])
from orchestrate.workflow import holding
door = holding.hold(sys.argv[2])
if "going" in sys.argv: door.close()
if "forks" in sys.argv and os.fork(): os._exit(0)
print("holds" if door else "none", "dbos" in sys.modules, flush=True)
sys.stdin.read()
"""
SECOND = """
import sys; sys.path.insert(0, sys.argv[1])
from orchestrate.workflow import holding
holding.main(sys.argv[2])
print("dbos" in sys.modules)
"""


@pytest.fixture
def user(tmp_path):
    return str(tmp_path / ".orchestrator")


def holder(user, *words):
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER, REPO, user, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_who_comes_second_goes_at_once_and_loads_no_engine(user):
    """The first listens before it loads the engine: whoever has something to do wakes it."""
    with holder(user) as first:
        assert first.stdout.readline() == "holds False\n"
        done = subprocess.run(
            [sys.executable, "-c", SECOND, REPO, user], capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode, done.stdout) == (0, "False\n")
        assert (inbox.is_running(user), inbox.poke(user)) == (True, True)
        first.stdin.close()
    assert (inbox.is_running(user), inbox.poke(user)) == (False, False)


def test_who_comes_while_the_first_goes_holds_what_that_one_leaves(user):
    found = []
    with holder(user, "going") as first:
        assert first.stdout.readline() == "holds False\n"
        assert not inbox.poke(user)  # it hears nobody any more
        second = threading.Thread(target=lambda: found.append(holding.hold(user)))
        second.start()
        first.stdin.close()
    second.join(30)
    assert found[0] is not None
    assert inbox.poke(user)


def test_what_one_that_is_gone_has_just_forked_is_waited_for(user):
    """It holds the lock and the pipe until it becomes another program, and hears nobody."""
    found = []
    with holder(user, "forks") as first:
        assert first.stdout.readline() == "holds False\n"
        first.wait(30)
        assert inbox.poke(user)
        second = threading.Thread(target=lambda: found.append(holding.hold(user)))
        second.start()
        second.join(0.2)
        assert second.is_alive()
        first.stdin.close()
    second.join(30)
    assert isinstance(found[0], holding.Door)


def test_the_engine_is_the_one_version_that_was_measured():
    extras = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    asked = {extra: [one for one in wanted if one.startswith("dbos")] for extra, wanted in extras.items()}
    pinned = [f"dbos=={version('dbos')}"]
    assert {extra: wanted for extra, wanted in asked.items() if wanted} == {"workflows": pinned, "dev": pinned}
