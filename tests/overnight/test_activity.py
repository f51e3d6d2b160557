"""The user's own work is seen in the client's transcripts, and the night's agents are not taken for it."""

import os

import pytest

from orchestrate.overnight.activity import LOOK_EVERY_S, Activity
from state.store.resume_records import Attempt

SINCE = 1_000.0


def talks(folder, at):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "s.jsonl").write_text("{}\n")
    os.utime(folder / "s.jsonl", (at, at))


@pytest.fixture
def projects(home):
    return home / ".claude/projects"


def looking(home, *resumed, **env):
    return Activity({"HOME": str(home), **env}, f"{home}/.orchestrator/overnight", SINCE, lambda: resumed)


def test_a_transcript_that_grows_is_work(home, projects):
    activity = looking(home)
    assert activity.seen(0.0) is None
    talks(projects / "-home-me-project", SINCE + 5)
    assert activity.seen(LOOK_EVERY_S) == SINCE + 5


def test_what_was_written_before_the_night_is_none(home, projects):
    talks(projects / "-home-me-project", SINCE - 5)
    assert looking(home).seen(0.0) is None


def test_agents_of_the_night_are_none(home, projects):
    named = f"{home}/.orchestrator/overnight/J-1/tree".replace("/", "-").replace(".", "-").replace("_", "-")
    talks(projects / named, SINCE + 5)
    assert looking(home).seen(0.0) is None


def test_the_folder_of_the_clients_configuration_may_be_elsewhere(home, tmp_path):
    talks(tmp_path / "config/projects/-p", SINCE + 5)
    assert looking(home, CLAUDE_CONFIG_DIR=str(tmp_path / "config")).seen(0.0) == SINCE + 5


def test_it_is_looked_for_now_and_then_and_once_seen_stays_seen(home, projects):
    activity = looking(home)
    assert activity.seen(0.0) is None
    talks(projects / "-p", SINCE + 5)
    assert activity.seen(LOOK_EVERY_S / 2) is None
    assert activity.seen(LOOK_EVERY_S) == SINCE + 5
    (projects / "-p/s.jsonl").unlink()
    assert activity.seen(3 * LOOK_EVERY_S) == SINCE + 5


def test_without_a_client_there_is_nothing_to_see(home):
    assert looking(home).seen(0.0) is None


@pytest.mark.parametrize(
    ("began", "ended", "is_work"),
    [(4, None, False), (4, 6, False), (4, 4.5, False), (6, None, True), (None, None, True), (-20, -10, True)],
)
def test_a_session_that_goes_on_by_itself_is_none(home, projects, began, ended, is_work):
    talks(projects / "-home-me-project", SINCE + 5)
    moments = [SINCE + at if at is not None else None for at in (began, ended)]
    resumed = Attempt("s", "limit", SINCE, "owner", 1, SINCE, *moments)
    other = Attempt("other", "limit", SINCE, "owner", 1, SINCE, SINCE)
    assert (looking(home, resumed, other).seen(0.0) is not None) is is_work
