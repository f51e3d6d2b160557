import pytest

from routing.economics import DWELL_TURNS, PRICES, Horizon, Usage, choose, missed_usd, name_of, rate

ONE_STEP = Horizon(1)
LONG = Horizon(60, turns=6, returns=0.5)


def used(context=100_000, **known):
    return Usage("claude-opus-5-5", cache_read=context, at=1000.0, **known)


def chosen(wanted, current, usage, age_s=30.0, horizon=ONE_STEP, since=None, **more):
    choice = choose(wanted, current, usage, PRICES, age_s, horizon, since, **more)
    return choice.switch, choice.tier


@pytest.mark.parametrize(
    ("wanted", "current", "usage", "age_s", "horizon", "tier"),
    [
        ("haiku", "opus", None, None, ONE_STEP, "haiku"),  # fresh: the router is followed
        ("opus", "haiku", None, None, ONE_STEP, "opus"),
        ("sonnet", "opus", used(), 30, ONE_STEP, "opus"),  # a warm cache is worth more than one step
        ("sonnet", "opus", used(), 30, LONG, "sonnet"),
        ("sonnet", "opus", used(), 290, LONG, "sonnet"),
        ("sonnet", "opus", used(5_000), 30, Horizon(12, returns=0.5), "sonnet"),  # little to lose
        ("haiku", "opus", used(), 30, ONE_STEP, "haiku"),  # writing haiku's cache is less than reading opus's
        ("haiku", "opus", used(), 200, ONE_STEP, "opus"),  # opus's would run out before the way back
        ("haiku", "opus", used(), 400, ONE_STEP, "haiku"),  # a cold one must be written anyway
        ("sonnet", "opus", used(is_1h=True), 400, ONE_STEP, "opus"),  # not cold yet
        ("opus", "opus", used(), 30, ONE_STEP, "opus"),
        ("haiku", "haiku", used(), 30, ONE_STEP, "haiku"),
        ("opus", "haiku", used(), 30, ONE_STEP, "opus"),  # quality is not for sale
        ("sonnet", "haiku", used(900_000), 30, LONG, "sonnet"),
    ],
)
def test_the_tier_that_is_run(wanted, current, usage, age_s, horizon, tier):
    assert chosen(wanted, current, usage, age_s, horizon) == (tier != current, tier)


@pytest.mark.parametrize(("wanted", "current"), [("haiku", "gpt-7"), ("haiku", ""), ("cheapest", "opus")])
def test_a_model_without_a_price_stays(wanted, current):
    choice = choose(wanted, current, used(), PRICES, 30, ONE_STEP, None)
    assert (choice.switch, choice.tier, choice.stay_usd, choice.switch_usd) == (False, current, None, None)


def test_prices_can_be_given():
    dear = {**PRICES, "sonnet": (400.0, 2000.0, 20.0, 500.0)}
    assert chosen("sonnet", "opus", used(), horizon=LONG) == (True, "sonnet")
    assert choose("sonnet", "opus", used(), dear, 30, LONG, None).switch is False


def test_what_staying_and_switching_cost():
    usage = used(99_900, input=100, output=0, growth=0.0, out=1000.0, gap_s=1e9)
    choice = choose("haiku", "opus", usage, PRICES, 0.0, Horizon(1, returns=0.0), None)
    assert choice.stay_usd == pytest.approx((100_000 * 0.2 + 1000 * 20) / 1e6)
    assert choice.switch_usd == pytest.approx((100_000 * 0.125 + 1000 * 0.5) / 1e6)


def test_the_way_back_to_a_cold_cache_is_counted():
    usage = used(100_000, growth=0.0, out=0.0, step_s=300.0, gap_s=1.0)
    choice = choose("haiku", "opus", usage, PRICES, 0.0, Horizon(1, returns=1.0), None)
    assert choice.switch_usd == pytest.approx((100_000 * 0.125 + 100_000 * (5 - 0.2)) / 1e6)


def test_a_dearer_tier_whose_cache_is_warm_beats_a_cold_one_that_would_do():
    warm = {"opus": (99_000, 980.0)}
    assert chosen("sonnet", "haiku", used(elsewhere=warm), base="opus") == (True, "opus")
    assert chosen("sonnet", "haiku", used(), base="opus", horizon=Horizon(1, returns=0.1)) == (True, "sonnet")
    assert chosen("sonnet", "haiku", used(elsewhere=warm), base="haiku") == (True, "sonnet")  # never above the wish


def test_nobody_moves_up_for_money():
    warm = {"opus": (99_000, 980.0), "sonnet": (99_000, 980.0)}
    assert chosen("haiku", "haiku", used(elsewhere=warm), 400, LONG, base="opus") == (False, "haiku")


def test_a_cache_that_was_left_a_moment_ago_is_still_warm():
    horizon = Horizon(4, returns=0.2)
    assert chosen("sonnet", "opus", used(), 30, horizon) == (False, "opus")
    assert chosen("sonnet", "opus", used(elsewhere={"sonnet": (98_000, 950.0)}), 30, horizon) == (True, "sonnet")
    assert chosen("sonnet", "opus", used(elsewhere={"sonnet": (98_000, 650.0)}), 30, horizon) == (False, "opus")


@pytest.mark.parametrize(("since", "switch"), [(0, False), (DWELL_TURNS, False), (DWELL_TURNS + 1, True), (None, True)])
def test_soon_after_a_switch_a_small_gain_does_not_count(since, switch):
    usage = used(growth=0.0, out=500.0, gap_s=1e9)
    stay = choose("sonnet", "opus", usage, PRICES, 0.0, Horizon(17, returns=0.0), None)
    assert 0.95 < stay.switch_usd / stay.stay_usd < 1
    assert chosen("sonnet", "opus", usage, 0.0, Horizon(17, returns=0.0), since)[0] is switch


def test_what_staying_has_cost_so_far_counts():
    assert chosen("sonnet", "opus", used()) == (False, "opus")
    assert chosen("sonnet", "opus", used(), missed_usd=1.0) == (True, "sonnet")


def test_a_turn_that_would_have_been_cheaper():
    usage = used(100_000, last_steps=10, growth=1000.0, out=100.0)
    assert missed_usd("opus", "sonnet", usage) == pytest.approx(10 * (100_000 * 0.1 + 1000 * 2.5 + 100 * 10) / 1e6)


@pytest.mark.parametrize("age_s", [None, -50.0, 0.0, 1e12])
@pytest.mark.parametrize("context", [1, 1 << 40])
def test_odd_figures_do_no_harm(age_s, context):
    assert isinstance(choose("haiku", "opus", used(context), PRICES, age_s, LONG, None).switch, bool)


@pytest.mark.parametrize(
    ("model", "name"),
    [("claude-opus-5-5", "opus"), ("HAIKU", "haiku"), ("sonnet[1m]", "sonnet"), ("gpt-7", None), ("", None)],
)
def test_models_by_name_and_id(model, name):
    assert name_of(model) == name


def test_a_write_for_an_hour_costs_twice_the_input():
    assert rate("claude-opus-5-5", is_1h=False) == (4.0, 20.0, 0.2, 5.0)
    assert rate("claude-opus-5-5", is_1h=True) == (4.0, 20.0, 0.2, 8.0)
    assert rate("gpt-7", is_1h=False) is None
