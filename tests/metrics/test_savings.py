import pytest

from metrics import savings
from metrics.savings import HOUR_TTL_S, TTL_S, Call, saved, served, unchanged
from routing import economics

OPUS, HAIKU = "claude-opus-5-5", "claude-haiku-5-5"


def call(at, read, write, model=OPUS, output=0, given=0, is_1h=False):
    return Call(at, model, given, output, read, write, is_1h)


def split(calls, models):
    return [(one.cache_read, one.cache_write) for one in served(calls, models)]


def test_the_lives_of_caches_are_those_that_decisions_count_with():
    assert (TTL_S, HOUR_TTL_S) == (economics.TTL_S, economics.HOUR_TTL_S)


def test_one_model_alone_reads_and_writes_what_it_did():
    calls = [call(0, 0, 1000), call(10, 1000, 200, given=4), call(20, 1200, 50), call(400, 0, 1300), call(410, 1300, 9)]
    assert served(calls, [OPUS] * 5) == calls


def test_a_switch_writes_all_and_the_way_back_what_was_missed():
    calls = [call(0, 0, 1000), call(10, 1000, 100), call(20, 1100, 100)]
    assert split(calls, ["opus", "haiku", "opus"]) == [(0, 1000), (0, 1100), (1000, 200)]


def test_a_cache_that_was_left_runs_out():
    calls = [call(0, 0, 1000), call(200, 1000, 100), call(310, 1100, 100)]
    assert split(calls, ["opus", "haiku", "opus"]) == [(0, 1000), (0, 1100), (0, 1200)]
    hours = [one._replace(is_1h=True) for one in calls]
    assert split(hours, ["opus", "haiku", "opus"])[2] == (1000, 200)


def test_a_rewritten_history_is_in_no_cache():
    calls = [call(0, 0, 1000), call(10, 1000, 100), call(20, 300, 200), call(30, 500, 10)]
    assert unchanged(calls) == [None, 1000, 300, 500]
    assert split(calls, ["opus", "haiku", "haiku", "opus"]) == [(0, 1000), (0, 1100), (300, 200), (300, 210)]


@pytest.mark.parametrize(
    ("later", "told"),
    [
        (call(10, 900, 200), 900),
        (call(400, 0, 1100), None),  # its cache had run out: nothing is told of the history
        (call(10, 0, 1100, HAIKU), None),
        (call(400, 0, 900), 0),  # shorter: rewritten
    ],
)
def test_what_a_call_tells_of_the_history(later, told):
    assert unchanged([call(0, 0, 1000), later])[1] == told


def test_what_was_saved_net_of_the_cache_that_was_lost():
    calls = [
        call(0, 0, 100_000, output=1000),
        call(30, 0, 101_000, HAIKU, output=1000),
        call(60, 100_000, 2_000, output=1000),
    ]
    found = saved(calls, OPUS, economics.rate)
    paid = 100_000 * 5 + 20_000 + 101_000 * 0.125 + 500 + 100_000 * 0.2 + 2_000 * 5 + 20_000
    base = 100_000 * 5 + 20_000 + 100_000 * 0.2 + 1_000 * 5 + 20_000 + 101_000 * 0.2 + 1_000 * 5 + 20_000
    lossless = 100_000 * 5 + 20_000 + 100_000 * 0.01 + 1_000 * 0.125 + 500 + 101_000 * 0.2 + 1_000 * 5 + 20_000
    assert found.paid_usd == pytest.approx(paid / 1e6)
    assert found.base_usd == pytest.approx(base / 1e6)
    assert found.net_usd == pytest.approx((base - paid) / 1e6)
    assert found.gross_usd == pytest.approx((base - lossless) / 1e6)
    assert found.cache_loss_usd == pytest.approx((paid - lossless) / 1e6)
    assert (found.calls, found.unpriced) == (3, 0)


def test_what_never_switched_saved_nothing():
    found = saved([call(0, 0, 1000), call(10, 1000, 100)], OPUS, economics.rate)
    assert (found.net_usd, found.gross_usd, found.cache_loss_usd) == (0, 0, 0)
    assert found.paid_usd > 0


def test_unknown_prices_are_in_no_sum():
    calls = [call(0, 0, 1000), call(10, 0, 1000, "gpt-7")]
    assert saved(calls, OPUS, economics.rate)[:2] == (1, 1)
    assert saved(calls, "gpt-7", economics.rate) == (0, 2, 0, 0, 0)
    assert saved([], OPUS, economics.rate) == (0, 0, 0, 0, 0)
    assert savings.usd(calls[1], economics.rate) is None
