"""Which sessions go on after a limit, on every engine: each limit is one claim, whoever asks and whenever."""

import multiprocessing

import pytest

from state.store import open_store
from state.store.resume_records import Ended, Opted

FORKS = multiprocessing.get_context("fork")
ROOT = "/home/me/project"


@pytest.fixture
def resumes(store):
    store.resumes.opt("s", ROOT, True, 100.0)
    return store.resumes


def claim(resumes, owner="a", now=1000.0, limit="l1", ttl_s=60.0):
    return resumes.claim("s", limit, 900.0, owner, ttl_s, now)


def test_a_session_is_opted_in_and_out(resumes):
    resumes.opt("t", "/other", True, 101.0)
    resumes.opt("s", ROOT, False, 102.0)
    assert resumes.opted() == [Opted("t", "/other", True, 101.0), Opted("s", ROOT, False, 102.0)]


def test_a_limit_is_claimed_once(resumes):
    assert [claim(resumes, "a"), claim(resumes, "b"), claim(resumes, "a")] == [1, None, None]
    assert claim(resumes, "b", limit="l2") == 1


def test_nobody_claims_for_a_session_that_is_off_or_unknown(resumes):
    resumes.opt("s", ROOT, False, 200.0)
    assert claim(resumes) is None
    assert resumes.claim("nobody", "l", 900.0, "a", 60.0, 1000.0) is None


def test_a_claim_that_was_not_begun_is_anothers_after_its_time_and_the_late_owner_begins_nothing(resumes):
    first = claim(resumes, "a", now=1000)
    assert claim(resumes, "b", now=1059) is None
    second = claim(resumes, "b", now=1060)
    assert (first, second) == (1, 2)
    assert resumes.begin("s", "l1", first, 1060.5) is False
    assert resumes.begin("s", "l1", second, 1061) is True
    assert resumes.begin("s", "l1", second, 1061) is False


def test_a_claim_that_was_begun_is_nobodys_any_more(resumes):
    fence = claim(resumes)
    assert resumes.begin("s", "l1", fence, 1001)
    resumes.release("s", "l1", fence, 1002)
    assert claim(resumes, "b", now=10**9) is None


def test_a_claim_is_given_back(resumes):
    resumes.release("s", "l1", claim(resumes), 1001)
    assert claim(resumes, "b", now=1001) == 2


def test_a_claim_from_before_the_clock_was_set_back_does_not_last_for_ever(resumes):
    claim(resumes, now=10**6)
    assert claim(resumes, "b", now=1000) == 2


@pytest.mark.parametrize("now", [1060.0, 2000.0])
def test_what_was_claimed_too_long_ago_is_not_begun(resumes, now):
    assert resumes.begin("s", "l1", claim(resumes), now) is False


def test_an_off_switch_between_claim_and_start_holds(resumes):
    fence = claim(resumes)
    resumes.opt("s", ROOT, False, 1000.5)
    assert resumes.begin("s", "l1", fence, 1001) is False


def test_an_attempt_is_ended_once_by_who_began_it(resumes):
    fence = claim(resumes)
    ended = Ended("rate_limited", 5000.0, 1.5, None)
    assert resumes.finish("s", "l1", fence, ended, 1002) is False
    resumes.begin("s", "l1", fence, 1001)
    assert resumes.finish("s", "l1", fence + 1, ended, 1002) is False
    assert [resumes.finish("s", "l1", fence, ended, now) for now in (1002, 1003)] == [True, False]
    (attempt,) = resumes.attempts()
    assert attempt == ("s", "l1", 900.0, "a", 1, 1060.0, 1001.0, 1002.0, "rate_limited", 5000.0, 1.5, None)


def test_attempts_are_forgotten_after_a_season(resumes):
    for limit in ("l1", "l2"):
        fence = claim(resumes, limit=limit)
        resumes.begin("s", limit, fence, 1001)
        if limit == "l1":
            resumes.finish("s", limit, fence, Ended("ok"), 1002)
    resumes.opt("s", ROOT, True, 900 + 91 * 86_400.0)
    assert [attempt.limit_id for attempt in resumes.attempts()] == ["l2"]


def test_one_that_has_to_be_alone_waits_for_others_to_end(resumes):
    resumes.opt("t", ROOT, True, 100.0)
    first, second = claim(resumes), resumes.claim("t", "l", 900.0, "b", 60.0, 1000.0)
    assert resumes.begin("s", "l1", first, 1001, 0.0)
    assert [resumes.begin("t", "l", second, 1002, since) for since in (0.0, 1000.9)] == [False, False]
    resumes.finish("s", "l1", first, Ended("ok"), 1003)
    assert resumes.begin("t", "l", second, 1004, 0.0)


def _race(place, start, wins, name):
    with open_store(place) as store:
        start.wait()
        fence = store.resumes.claim("s", "l1", 900.0, name, 60.0, 1000.0)
        if fence and store.resumes.begin("s", "l1", fence, 1000.5):
            wins.put(name)


def test_of_8_processes_one_goes_on(place, dialect):
    with open_store(place) as store:
        store.resumes.opt("s", ROOT, True, 100.0)
    start, wins = FORKS.Barrier(8), FORKS.SimpleQueue()
    racers = [FORKS.Process(target=_race, args=(place, start, wins, f"r{number}")) for number in range(8)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(60)
    assert [racer.exitcode for racer in racers] == [0] * 8
    winner = wins.get()
    assert wins.empty()
    with open_store(place) as store:
        assert [attempt.owner for attempt in store.resumes.attempts()] == [winner]
