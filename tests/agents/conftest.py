"""Agents of sh and python, a fifo by which they tell that they are there, and the desk of one who asks."""

import time
from types import SimpleNamespace

import pytest
from faking import Desk
from living import Fifo, script

from orchestrate.agents import process


@pytest.fixture
def fifo(tmp_path, monkeypatch):
    """$FIFO, for whatever the test starts."""
    opened = Fifo(tmp_path / "fifo")
    monkeypatch.setenv("FIFO", opened.path)
    yield opened
    opened.close()


@pytest.fixture
def clock(fifo, monkeypatch):
    """The clock of a run starts when `count` processes have told their pids, which it hands over: however slow the
    machine is, they are at work by the time that a limit ends them."""

    def starts_after(count):
        pids = []

        def monotonic():
            if not pids:
                pids.extend(fifo.pids(count))
            return time.monotonic()

        monkeypatch.setattr(process, "time", SimpleNamespace(monotonic=monotonic))
        return pids

    return SimpleNamespace(starts_after=starts_after)


@pytest.fixture
def agent(tmp_path):
    def write(text, name="agent"):
        return script(tmp_path / name, text)

    return write


@pytest.fixture
def desk(place, tmp_path):
    return Desk(place, tmp_path / "desk")
