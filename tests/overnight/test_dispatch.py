"""What an event of an attempt says, and how readings and tokens are heard while an agent works."""

import time

import pytest

from orchestrate.agents.stream import Tally
from orchestrate.overnight import checks, chronicle
from orchestrate.overnight.dispatch import End
from orchestrate.overnight.hearing import Hearing
from orchestrate.overnight.kept import Made
from state import codec, quota


def line(**fields):
    return codec.dumps(fields)


def limits(status, utilisation, resets_at):
    window = {"status": status, "utilization": utilisation, "resetsAt": resets_at}
    info = {
        "status": status,
        "resetsAt": resets_at,
        "rateLimitType": "five_hour",
        "unifiedWindows": {"five_hour": window},
    }
    return line(type="rate_limit_event", rate_limit_info=info)


def says(name, tokens):
    message = {"id": name, "model": "claude-haiku-5-5", "usage": {"output_tokens": tokens}, "content": []}
    return line(type="assistant", message=message)


class Heard:
    def __init__(self, user):
        self.user = user
        self.used = []
        self.reads = 0
        self.hearing = Hearing("haiku-general", user, self.used.append, self.read)
        self.tally = Tally()

    def read(self):
        self.reads += 1

    def say(self, *lines):
        for each in lines:
            self.tally.feed(each)
            self.hearing.update(self.tally)


@pytest.fixture
def heard(tmp_path):
    return Heard(str(tmp_path / "user"))


def test_a_reading_is_passed_on_at_once_and_once(heard):
    at = time.time() + 3600
    heard.say(says("m1", 5), limits("allowed", 0.25, at), says("m2", 5))
    assert heard.reads == 1
    assert quota.read(heard.user)["five_hour"].used == 25.0
    heard.say(limits("allowed", 0.26, at))
    assert (heard.reads, quota.read(heard.user)["five_hour"].used) == (2, 26.0)


def test_at_its_end_all_of_it_was_heard(heard):
    heard.say(says("m1", 5), says("m2", 7))
    heard.hearing.end("ok", heard.tally)
    assert heard.used[-1]["claude-haiku-5-5"].output_tokens == 12


@pytest.mark.parametrize(("status", "reset_at"), [("allowed", None), ("allowed_warning", None), ("rejected", 4e9)])
def test_only_a_limit_that_refuses_has_a_reset_to_wait_for(heard, status, reset_at):
    heard.say(limits(status, 0.99, 4e9))
    heard.hearing.end("rate_limited", heard.tally)
    assert heard.hearing.reset_at == reset_at


def test_an_event_tells_what_the_morning_needs_and_no_more():
    made = Made("b" * 40, "r-1", "e-1", "", "/answer.md", ("a?",), 12.0, "c" * 40, True)
    told = chronicle.of_end(End("ok", "", checks.GREEN, made))
    assert (told["outcome"], told["run"], told["decision"], told["commit"]) == ("ok", "r-1", "e-1", "c" * 40)
    assert (told["model"], told["answer"], told["decisions"]) == (None, "/answer.md", ["a?"])
    assert chronicle.of_end(End("fault", "why")) == {
        "outcome": "fault",
        "verdict": "none",
        "reset_at": None,
        "checks": [],
    }
