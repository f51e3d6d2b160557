"""The estimate between two readings, on accounts whose limits are known."""

import random
from statistics import fmean

import pytest
from quota_accounts import OTHERS, START, WEIGHTINGS, account

from metrics.quota_estimate import LEAST_PAIRS, WIDEST, estimate, learn
from metrics.quota_readings import Reading, spans
from metrics.quota_tokens import Tokens, Work

FEW, MANY = 24, 240


def answers(accounts):
    """Each checkpoint with its account and the estimate there, None where there is none."""
    for seed in range(accounts):
        made = account(seed)
        work = Work(made.served)
        for check in made.checks:
            model = learn(spans(check.readings), work)
            yield made, check, estimate(model, check.base, work, check.at) if model else None


def holds(found):
    return fmean(guess.low <= check.truth <= guess.high for _, check, guess in found)


def width(found):
    return fmean(guess.high - guess.low for _, _, guess in found)


def off(found):
    return fmean(abs(guess.used - check.truth) for _, check, guess in found)


def answered(accounts):
    found = list(answers(accounts))
    given = [one for one in found if one[2]]
    assert len(given) > 0.7 * len(found)
    return given


@pytest.mark.slow
def test_the_truth_lies_in_the_interval_and_the_interval_says_something():
    given = answered(FEW)
    assert holds(given) >= 0.9
    assert width(given) < 10


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_truth_lies_in_the_interval_whatever_the_account():
    given = answered(MANY)
    assert holds(given) >= 0.95
    assert width(given) < 7.5
    for kind in WEIGHTINGS:
        assert holds([one for one in given if one[0].weighting == kind]) >= 0.9, kind
    for kind in OTHERS:
        assert holds([one for one in given if one[0].others == kind]) >= 0.9, kind
    for window in ("five_hour", "seven_day"):
        assert holds([one for one in given if one[1].window == window]) >= 0.9, window
    # Where this machine has worked since the reading, the estimate is much nearer to the truth than the reading.
    worked = [one for one in given if one[2].own > 2]
    assert holds(worked) >= 0.9
    assert off(worked) < 0.5 * fmean(abs(check.base.used - check.truth) for _, check, _ in worked)


HOUR = 3600.0
RATE = 0.00025  # points for each token that sonnet writes


def tokens(at, output):
    return Tokens(at, "claude-sonnet-5-5", 0, output, 0, 0)


def steady(readings=40, foreign=0.0, every_s=300.0):
    """One window: so much is written between two readings; `foreign` points an hour come from elsewhere, by fits."""
    rng = random.Random(1)
    used, at, served, found = 0.0, START, [], []
    for _ in range(readings):
        amount = rng.randint(1000, 5000)
        at += every_s
        served.append(tokens(at - 1, amount))
        used += amount * RATE + rng.choice((0, 2)) * foreign * every_s / HOUR
        found.append(Reading(at, float(round(used)), START + 6 * HOUR))
    return found, Work([*served, tokens(at + 10, 20_000)])


def guess_after(seconds, **account):
    readings, work = steady(**account)
    return readings[-1], estimate(learn(spans(readings), work), readings[-1], work, readings[-1].at + seconds)


def test_the_points_of_a_token_are_learned():
    base, guess = guess_after(60)
    assert guess.own == pytest.approx(20_000 * RATE, rel=0.1)
    assert guess.used == pytest.approx(base.used + guess.own)
    assert guess.low <= base.used + 20_000 * RATE <= guess.high


def test_at_the_reading_itself_the_interval_is_the_rounding_and_what_comes_at_once():
    readings, work = steady()
    base = readings[-1]
    guess = estimate(learn(spans(readings), work), base, work, base.at)
    assert guess.used == base.used
    assert base.used - 1 <= guess.low < guess.high < base.used + 4


def test_the_interval_grows_with_the_time_since_the_reading():
    widths = [
        guess.high - guess.low for _, guess in (guess_after(seconds, foreign=3) for seconds in (60, HOUR, 4 * HOUR))
    ]
    assert widths == sorted(widths)
    assert widths[0] < widths[2] / 2


def test_what_other_devices_use_makes_it_wider():
    (_, alone), (_, shared) = guess_after(HOUR), guess_after(HOUR, foreign=6)
    assert shared.high - shared.low > alone.high - alone.low


def test_too_few_readings_are_no_estimate():
    readings, work = steady(readings=LEAST_PAIRS)
    assert learn(spans(readings), work) is None
    readings, work = steady(readings=LEAST_PAIRS + 1)
    assert learn(spans(readings), work) is not None


def test_without_known_work_there_is_no_estimate():
    readings, _ = steady()
    assert learn(spans(readings), Work([])) is None


def test_readings_of_different_windows_are_no_pair():
    readings, work = steady()
    apart = [reading._replace(resets_at=reading.resets_at + nth * 1000) for nth, reading in enumerate(readings)]
    assert learn(spans(apart), work) is None


def test_an_interval_that_says_nothing_is_no_answer():
    _, guess = guess_after(40 * HOUR, foreign=6, readings=20)
    assert guess is None


@pytest.mark.parametrize("used", [0.0, 50.0, 99.0, 100.0, 107.0])
def test_an_estimate_stays_within_what_can_be(used):
    readings, work = steady()
    model = learn(spans(readings), work)
    for seconds in (0, 60, 3 * HOUR):
        guess = estimate(model, Reading(readings[-1].at, used, None), work, readings[-1].at + seconds)
        assert 0 <= guess.low <= guess.used <= guess.high <= max(100, used + 1)
        assert guess.high - guess.low <= WIDEST


def test_a_clock_that_goes_back_is_no_time_passed():
    readings, work = steady()
    model = learn(spans(readings), work)
    before = estimate(model, readings[-1], work, readings[-1].at - 500)
    assert before == estimate(model, readings[-1], work, readings[-1].at)


@pytest.mark.parametrize(
    ("since", "until", "features"),
    [
        (0, 10, (1, 2, 3, 4, 0, 0, 0, 0, 10, 20, 30, 40)),
        (1, 2, (0,) * 8 + (10, 20, 30, 40)),  # after the one, up to the other
        (0, 1, (1, 2, 3, 4) + (0,) * 8),
        (2, 9, (0,) * 12),
    ],
)
def test_what_was_served_between_two_moments(since, until, features):
    work = Work([Tokens(2, "mystery-1", 10, 20, 30, 40), Tokens(1, "claude-haiku-5-5", 1, 2, 3, 4)])
    assert work.between(since, until) == features
