"""What is read of a session: the hooks' records, the client's transcript, and the clients' register."""

import os

import pytest
from resuming_world import ID, STOPPED, Session

from orchestrate.agents import processes
from orchestrate.overnight import resuming_seen
from orchestrate.overnight.resuming_reset import Limit
from state.paths import session_dir
from state.store.resume_records import Attempt


@pytest.fixture
def session(place, home):
    return Session(place, home)


def test_a_limit_is_known_by_the_record_and_its_reset_by_the_transcript(session):
    name = session.is_limited(status="rejected", resetsAt=STOPPED + 7200, rateLimitType="five_hour")
    seen = session.seen()
    assert seen.limit == Limit(name, STOPPED, STOPPED + 7200, "five_hour")
    assert seen.kept == (ID, str(session.transcript), session.place.root)
    assert (seen.client, seen.lacking) == (None, "")


def test_a_limit_whose_reset_nobody_told(session):
    name = session.is_limited()
    assert session.seen().limit == Limit(name, STOPPED)
    session.transcript.write_text('{"type": "assistant"}\n{"type": 7}\nno json\n[]\n')
    assert session.seen().limit == Limit(name, STOPPED)


@pytest.mark.parametrize("info", [{"resetsAt": "soon"}, {"resetsAt": -1, "rateLimitType": 5}, {"resetsAt": True}])
def test_a_reset_that_is_no_time_is_unknown(session, info):
    session.is_limited(**info)
    assert session.seen().limit[2:] == (None, None)


@pytest.mark.parametrize("verb", ["session.start", "prompt.decided", "prompt.skipped", "turn.end"])
def test_who_came_back_is_left_alone(session, verb):
    session.is_limited()
    session.records(verb)
    assert session.seen().limit is None


def test_another_failure_after_the_limit_is_no_limit(session):
    session.is_limited()
    session.records("turn.failed", error="server_error")
    assert session.seen().limit is None


def test_the_end_of_the_client_is_no_sign_of_its_user(session):
    name = session.is_limited()
    session.records("session.end", reason="exit")
    session.records("resume.on")
    assert session.seen().limit.id == name


def test_a_new_limit_is_another_one(session):
    session.is_limited()
    session.records("prompt.decided")
    session.says("user", "again")
    session.says("assistant", "limit", isApiErrorMessage=True, error="rate_limit")
    later = session.records("turn.failed", STOPPED + 600, error="rate_limit")
    assert session.seen().limit.id == later


@pytest.mark.parametrize(
    ("who", "told", "is_left_alone"),
    [
        ("user", {}, True),
        ("assistant", {}, True),
        ("user", {"isMeta": True}, False),
        ("assistant", {"isSidechain": True}, False),
        ("system", {}, False),
    ],
)
def test_what_the_transcript_has_after_the_limit_counts_also_without_hooks(session, who, told, is_left_alone):
    session.is_limited()
    session.says(who, "hello", **told)
    assert (session.seen().limit is None) is is_left_alone


def ours(outcome="rate_limited", ended_at=STOPPED + 120, resets_at=None):
    return Attempt(ID, "l0", STOPPED, "me", 1, 0.0, STOPPED + 100, ended_at, outcome, resets_at)


def test_the_limit_of_our_own_attempt_is_known_where_its_client_recorded_nothing(session):
    session.is_limited()
    session.records("session.start", STOPPED + 101, source="resume")
    session.records("prompt.skipped", STOPPED + 101, kind="nested")
    assert session.seen(ours(resets_at=9e8)).limit == Limit("l0+", STOPPED + 120, 9e8)
    assert session.seen(ours("ok")).limit is None
    recorded = session.records("turn.failed", STOPPED + 119, error="rate_limit")
    assert session.seen(ours()).limit.id == recorded
    session.records("prompt.decided", STOPPED + 500)
    assert session.seen(ours()).limit is None


def test_a_client_that_is_open_is_known_by_its_pid_and_its_start(session):
    me = processes.find(os.getpid())
    session.register(1, "5", "another session")
    assert session.seen().client is None
    session.register(os.getpid(), str(int(me.started)))
    assert session.seen().client == os.getpid()
    session.register(os.getpid(), str(int(me.started) + 1))
    assert session.seen().client is None
    session.register(2**22 + 1, "7")
    (session.home / ".claude" / "sessions" / "x.json").write_text("{")
    assert session.seen().client is None


def test_without_a_transcript_or_a_folder_nothing_goes_on(session, tmp_path):
    elsewhere = {"CLAUDE_CONFIG_DIR": str(tmp_path / "config")}
    assert session.seen(**elsewhere).lacking.endswith("config: set CLAUDE_CONFIG_DIR as it was")
    session.records("session.start", transcript_path=str(session.transcript), cwd=str(tmp_path))
    assert session.seen().lacking == f"its transcript is not of its folder, {tmp_path}"
    session.records("session.start", transcript_path=str(session.transcript), cwd=str(tmp_path / "gone"))
    assert session.seen().lacking == f"its folder is gone: {tmp_path / 'gone'}"
    session.transcript.unlink()
    assert session.seen().lacking == f"its transcript is gone: {session.transcript}"


def test_a_session_without_records_says_so(place, home):
    assert resuming_seen.look(place, "nobody", [], {"HOME": str(home)}) == (
        None, None, None, "no record says where the client keeps it",
    )  # fmt: skip


def test_records_that_are_no_records_are_passed_over(session):
    name = session.is_limited()
    with open(f"{session_dir(session.place, ID)}/log.jsonl", "a") as log:
        log.write('{"type": "orchestration.turn.end"\nno json orchestration.\n["orchestration.turn.end"]\n')
    assert session.seen().limit.id == name
