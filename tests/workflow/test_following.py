"""A run watched from outside: when it counts as over, and what of its end may come late."""

import dataclasses
from pathlib import Path

import pytest

from orchestrate.workflow import following, inbox, runs, telling

STEP = "workflow: {name: w, steps: [{id: a, command: [echo, a]}]}"
ENDED = {"status": "finished", "exit_code": 0}
TOLD = ["orchestration.workflow.started", *(f"orchestration.step.{verb}" for verb in ("started", "finished"))]
END = "orchestration.workflow.finished"


@pytest.fixture
def over(desk, monkeypatch):
    """A run that has finished; every look of who watches is a whole one, and a runner is at work."""
    monkeypatch.setattr(following, "_LOOK_S", 0.0)
    monkeypatch.setattr(inbox, "is_running", lambda user: True)
    return desk().done(STEP)


def untold(header):
    """Its end is written down, and not told yet."""
    path = Path(header.folder, runs.EVENTS)
    *before, last = path.read_bytes().splitlines(keepends=True)
    assert END.encode() in last
    path.write_bytes(b"".join(before))


def kinds(found):
    return [event["type"] for event in found if event]


def until_nothing_is_new(walk):
    return kinds(iter(lambda: next(walk), None))


def test_who_looks_between_the_record_and_the_word_of_its_end_gets_that_word(over):
    untold(over)
    walk = following.follow(over)
    assert until_nothing_is_new(walk) == TOLD
    assert next(walk) is None
    runs.tell(over, END, {**ENDED, "generation": 1})
    assert kinds(walk) == [END]


def test_an_end_that_could_not_be_told_is_not_waited_for_forever(over, monkeypatch):
    monkeypatch.setattr(following, "_TOLD_WITHIN_S", 0.0)
    untold(over)
    assert kinds(following.follow(over)) == TOLD


def test_an_end_that_the_record_knows_nothing_of_is_none(over):
    """It was put back: the runner writes down anew how the run ended."""
    header = dataclasses.replace(over, status="running", exit_code=None)
    runs.save(header)
    walk = following.follow(header)
    assert until_nothing_is_new(walk) == [*TOLD, END]
    assert next(walk) is None
    telling.Telling(header).finish(dataclasses.replace(header, status="failed", exit_code=1))
    assert kinds(walk) == [END]


def test_a_run_that_is_taken_away_is_not_waited_for(over, tmp_path):
    untold(over)
    walk = following.follow(over)
    until_nothing_is_new(walk)
    (tmp_path / "elsewhere").mkdir()
    Path(over.folder).rename(tmp_path / "elsewhere" / over.run)
    assert kinds(walk) == []
