"""Points of the five-hour window, shared out among the jobs that were served."""

import pytest

from orchestrate.agents.stream import Usage
from orchestrate.overnight.meter import FRESH_S, Meter
from state.quota import Reading

RESET = 20_000.0


def used(tokens, model="claude-sonnet-5-5"):
    return {model: Usage(output_tokens=tokens)}


def read(meter, points, at, resets_at=RESET):
    meter.read(Reading(points, resets_at, at, "stream"))


def test_one_job_has_used_what_was_used_while_it_ran():
    meter = Meter()
    read(meter, 10, 100)
    meter.begin("a", 110)
    meter.hear("a", used(500))
    read(meter, 14, 200)
    assert meter.end("a") == 4


def test_jobs_at_the_same_time_share_by_what_they_were_served():
    meter = Meter()
    read(meter, 10, 100)
    meter.begin("a", 110)
    meter.begin("b", 110)
    meter.hear("a", used(300))
    meter.hear("b", used(100))
    read(meter, 18, 200)
    assert (meter.end("a"), meter.end("b")) == (6, 2)


def test_a_reading_that_comes_before_its_answer_counts_for_it():
    meter = Meter()
    read(meter, 10, 100)
    meter.begin("a", 110)
    read(meter, 13, 120)
    meter.hear("a", used(100))
    assert meter.end("a") == 3


def test_dearer_models_take_more_of_the_same_rise():
    meter = Meter()
    read(meter, 0, 100)
    meter.begin("a", 110)
    meter.begin("b", 110)
    meter.hear("a", used(100, "claude-haiku-5-5"))
    meter.hear("b", used(100, "claude-opus-5-5"))
    read(meter, 10, 200)
    assert (meter.end("a"), meter.end("b")) == (1.65, 8.35)


def test_without_readings_the_use_is_unknown_and_not_zero():
    meter = Meter()
    meter.begin("a", 110)
    meter.hear("a", used(100))
    assert meter.end("a") is None


def test_an_old_reading_is_no_beginning():
    meter = Meter()
    read(meter, 10, 100)
    meter.begin("a", 100 + FRESH_S + 1)
    meter.hear("a", used(100))
    assert meter.end("a") is None


def test_the_first_reading_within_a_job_is_where_its_account_begins():
    meter = Meter()
    meter.begin("a", 110)
    meter.hear("a", used(100))
    read(meter, 30, 120)
    meter.hear("a", used(200))
    read(meter, 32, 130)
    assert meter.end("a") == 2


@pytest.mark.parametrize("points", [3.0, 12.0])
def test_a_window_that_was_reset_begins_with_nothing(points):
    meter = Meter()
    read(meter, 90, 100, resets_at=150)
    meter.begin("a", 110)
    meter.hear("a", used(100))
    read(meter, points, 200)
    assert meter.end("a") == points


def test_the_same_reading_counts_once():
    meter = Meter()
    read(meter, 10, 100)
    meter.begin("a", 110)
    meter.hear("a", used(100))
    for _ in range(3):
        read(meter, 14, 200)
    assert meter.end("a") == 4
