"""What setting the main thread's model saved."""

import pytest

from metrics.facts import gather
from metrics.switched import net

HAIKU, OPUS = "claude-haiku-4-5", "claude-opus-4-1"
PRICES = {"haiku": (1.0, 5.0, 0.1, 1.25), "opus": (10.0, 50.0, 1.0, 12.5)}


def rate(model, _is_1h):
    return next((price for name, price in PRICES.items() if name in model), None)


def decided(event, prompt_id="p", base="opus", switch=True, session="s"):
    told = {"switch": {"base": base, "switch": switch}} if base is not None else {}
    return event("prompt.decided", prompt_id=prompt_id, session=session, rung="mod", action="stay", **told)


def test_a_cheaper_model_saves_what_the_base_would_have_cost_more(event, message):
    served = [message(HAIKU, input_tokens=1000, output_tokens=1000, cache_read_tokens=0, cache_write_tokens=0)]
    found = net(gather([decided(event)], [], served), rate)
    assert found == {"net_savings_usd": 0.054, "cache_loss_usd": 0.0}


def test_the_cache_that_a_switch_loses_counts_against_it(event, message):
    steps = [
        message(OPUS, prompt_id="p1", cache_read_tokens=0, cache_write_tokens=100_000, input_tokens=0, output_tokens=0),
        message(
            HAIKU, prompt_id="p2", cache_read_tokens=0, cache_write_tokens=100_000, input_tokens=0, output_tokens=0
        ),
    ]
    events = [decided(event, "p1", switch=False), decided(event, "p2")]
    found = net(gather(events, [], reversed(steps)), rate)
    # Opus would have read for 0.10 what Haiku had to write for 0.125, and Haiku would have read it for 0.01.
    assert found == {"net_savings_usd": -0.025, "cache_loss_usd": 0.115}


@pytest.mark.parametrize(
    ("decision", "told", "saved"),
    [
        ({}, [], None),
        ({"base": None}, [(HAIKU, {})], None),
        ({"base": "gw-1"}, [(HAIKU, {})], None),
        ({}, [("gw-1", {})], None),
        ({"switch": False}, [(HAIKU, {})], 0.0),
        ({}, [(OPUS, {"agent_id": "a"})], None),
        ({}, [(None, {})], None),
        ({}, [(HAIKU, {"is_copy": True})], None),
        ({}, [(HAIKU, {"session": "t"})], None),
        ({"session": "t"}, [(HAIKU, {})], None),
    ],
)
def test_what_nothing_tells_is_not_saved(event, message, decision, told, saved):
    served = [message(model, **fields) for model, fields in told]
    assert net(gather([decided(event, **decision)], [], served), rate)["net_savings_usd"] == saved


def test_sessions_add_up(event, message):
    tokens = {"input_tokens": 1000, "output_tokens": 0, "cache_read_tokens": 0, "cache_write_tokens": 0}
    events = [decided(event), decided(event, session="t"), decided(event, session="u", switch=False)]
    served = [message(HAIKU, session=session, **tokens) for session in "stu"]
    assert net(gather(events, [], served), rate)["net_savings_usd"] == 0.018
