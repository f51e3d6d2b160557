"""A model that is down is left alone, and one process at a time asks whether it is back."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack

import pytest
from living import REPO

from orchestrate.agents.breaker import FILE, allowed, failed, succeeded, view
from state.platform import failing

NOW = 1_000_000.0
MODEL = "opus"
# A lock that cannot be had in 2 s hinders nobody; of a slow disk nothing is to follow here.
_PATIENT = "from orchestrate.agents import breaker; breaker._LOCK_S = 600.0"
_ASK = f"""
import sys
{_PATIENT}
from orchestrate.agents.breaker import allowed
print(allowed(sys.argv[1], "opus", float(sys.argv[2])), flush=True)
sys.stdin.read()
"""
_FAIL = f"""
import sys
{_PATIENT}
from orchestrate.agents.breaker import failed
failed(sys.argv[1], "opus", "overloaded", float(sys.argv[2]))
"""


@pytest.fixture
def user(tmp_path):
    return str(tmp_path / "user")


def fail(user, times, now=NOW, kind="overloaded", reset_at=None):
    for _ in range(times):
        failed(user, MODEL, kind, now, reset_at)


def started(code, user, now):
    argv = [sys.executable, "-c", code, user, str(now)]
    env = {**os.environ, "PYTHONPATH": str(REPO)}
    return subprocess.Popen(argv, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def until(user, now=NOW):
    return view(user, now)[MODEL]["until"] - now


def test_nothing_is_known_and_nothing_is_written(user, home):
    assert allowed(user, MODEL, NOW) is True
    succeeded(user, MODEL)
    assert view(user, NOW) == {}
    assert not os.path.exists(user)


def test_the_third_failure_in_a_row_opens(user):
    fail(user, 2)
    assert (allowed(user, MODEL, NOW), view(user, NOW)) == (True, {MODEL: {"state": "closed", "until": None}})
    fail(user, 1)
    assert allowed(user, MODEL, NOW) is False
    assert allowed(user, "haiku", NOW) is True
    assert view(user, NOW) == {MODEL: {"state": "open", "until": NOW + 60}}
    assert view(user, NOW + 60) == {MODEL: {"state": "half-open", "until": NOW + 60}}


def test_a_success_in_between_starts_the_count_again(user):
    fail(user, 2)
    succeeded(user, MODEL)
    fail(user, 2)
    assert allowed(user, MODEL, NOW) is True


def test_failures_of_long_ago_are_forgotten(user):
    fail(user, 2)
    fail(user, 1, NOW + 901)
    assert allowed(user, MODEL, NOW + 901) is True


@pytest.mark.parametrize("kind", ["auth", "timeout", "crashed", "aborted", "no_json", "lying_success", "cli_missing"])
def test_what_says_nothing_about_the_service_does_not_count(user, kind):
    fail(user, 2)
    fail(user, 5, kind=kind)
    assert allowed(user, MODEL, NOW) is True
    fail(user, 1)
    assert allowed(user, MODEL, NOW) is False


@pytest.mark.parametrize("kind", ["budget", "max_turns", "permission_denied"])
def test_a_model_that_answered_is_not_down(user, kind):
    fail(user, 2)
    fail(user, 1, kind=kind)
    assert view(user, NOW) == {}


@pytest.mark.parametrize(
    ("kind", "reset_in_s", "opened_s"),
    [
        ("rate_limited", None, None),
        ("rate_limited", 60, None),
        ("rate_limited", 3600, 3600),
        ("overloaded", 3600, 3600),
        ("overloaded", 10, 60),
        ("api_error", None, 60),
        ("overloaded", 1e9, 60),  # nobody's limit lasts 30 years
    ],
)
def test_a_known_reset_is_believed(user, kind, reset_in_s, opened_s):
    fail(user, 3, kind=kind, reset_at=None if reset_in_s is None else NOW + reset_in_s)
    assert (until(user) if view(user, NOW) else None) == opened_s


def test_each_probe_that_fails_doubles_the_time(user):
    fail(user, 3)
    now, waits = NOW, []
    for _ in range(6):
        waits.append(until(user, now))
        now += waits[-1]
        assert allowed(user, MODEL, now) == "probe"
        fail(user, 1, now)
    assert waits == [60, 120, 240, 480, 900, 900]


def test_a_probe_that_succeeds_closes(user):
    fail(user, 3)
    assert allowed(user, MODEL, NOW + 60) == "probe"
    succeeded(user, MODEL)
    assert (allowed(user, MODEL, NOW + 60), view(user, NOW + 60)) == (True, {})


def test_a_probe_that_shows_nothing_is_given_back(user):
    fail(user, 3)
    assert [allowed(user, MODEL, NOW + 60), allowed(user, MODEL, NOW + 60)] == ["probe", False]
    fail(user, 1, NOW + 61, kind="aborted")
    assert allowed(user, MODEL, NOW + 61) == "probe"


def test_a_probe_that_takes_for_ever_does_not_keep_others_out(user):
    fail(user, 3)
    assert allowed(user, MODEL, NOW + 60) == "probe"
    assert allowed(user, MODEL, NOW + 60 + 1800) == "probe"


def test_runs_that_began_before_it_opened_do_not_prolong_it(user):
    fail(user, 30)
    assert until(user) == 60


@pytest.mark.slow
def test_of_many_processes_one_asks_and_when_it_is_killed_another(user):
    fail(user, 3)
    with ExitStack() as stack:
        askers = [stack.enter_context(started(_ASK, user, NOW + 60)) for _ in range(8)]
        answers = [asker.stdout.readline().strip() for asker in askers]
        assert sorted(answers) == ["False"] * 7 + ["probe"]
        assert allowed(user, MODEL, NOW + 60) is False
        prober = askers[answers.index("probe")]
        prober.kill()
        prober.wait()
        assert allowed(user, MODEL, NOW + 60) == "probe"


def test_a_failure_of_another_process_does_not_end_the_probe(user):
    fail(user, 3)
    assert allowed(user, MODEL, NOW + 60) == "probe"
    assert started(_FAIL, user, NOW + 61).communicate(timeout=60) == ("", None)
    assert view(user, NOW + 61) == {MODEL: {"state": "half-open", "until": NOW + 60}}
    assert allowed(user, MODEL, NOW + 61) is False


@pytest.mark.slow
def test_failures_of_several_processes_add_up(user):
    failing = [started(_FAIL, user, NOW) for _ in range(3)]
    assert [each.communicate(timeout=60) for each in failing] == [("", None)] * 3
    assert allowed(user, MODEL, NOW) is False


@pytest.mark.parametrize("text", ["", "{", "[]", '{"opus": 1}', '{"opus": {"until": 9e9}}', "\0"])
def test_a_file_that_is_garbage_stops_nobody(user, text):
    os.makedirs(user)
    path = os.path.join(user, FILE)
    with open(path, "w") as file:
        file.write(text)
    assert (allowed(user, MODEL, NOW), view(user, NOW)) == (True, {})
    fail(user, 3)
    assert allowed(user, MODEL, NOW) is False
    with open(path) as file:
        assert list(json.load(file)) == [MODEL]


def test_a_reader_without_our_code_needs_until_alone(user):
    """In each state: closed with failures, open, half-open and asked, open again, closed."""
    told = []

    def look(now):
        with open(os.path.join(user, FILE)) as file:
            entry = json.load(file).get(MODEL)
        told.append(entry and entry["until"])
        return bool(told[-1]) and told[-1] > now

    fail(user, 2)
    assert look(NOW) is (allowed(user, MODEL, NOW) is False) is False
    fail(user, 1)
    assert look(NOW) is (allowed(user, MODEL, NOW) is False) is True
    assert allowed(user, MODEL, NOW + 60) == "probe"
    assert look(NOW + 60) is False
    fail(user, 1, NOW + 61)
    assert look(NOW + 61) is (allowed(user, MODEL, NOW + 61) is False) is True
    succeeded(user, MODEL)
    assert look(NOW + 61) is False
    assert told == [None, NOW + 60, NOW + 60, NOW + 61 + 120, None]


def test_the_hook_sees_what_is_open(user):
    fail(user, 3)
    fail(user, 2, kind="api_error")
    failed(user, "sonnet", "overloaded", NOW)
    assert failing(user, NOW + 59) == {MODEL}
    assert failing(user, NOW + 60) == frozenset()


def test_a_disk_that_says_no_stops_nobody(tmp_path):
    user = tmp_path / "user"
    user.write_text("a file where the folder should be")
    fail(str(user), 3)
    succeeded(str(user), MODEL)
    assert allowed(str(user), MODEL, NOW) is True
