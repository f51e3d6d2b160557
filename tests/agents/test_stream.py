"""The figures of a run, read from what the client printed."""

import json

import pytest
from replay import parts, tally_of

from orchestrate.agents.stream import ApiError, Fallback, RateLimit, Tally, Usage, add

OPUS, SONNET, HAIKU = "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"
# A message of the fake API: 10 in, 5 out, 200 read from and 3 written to the cache; its lines know 1 token out.
LINES = Usage(10, 1, 200, 3)
OPUS_MESSAGE = Usage(10, 5, 200, 3, 0.00019500000000000002)


def times(usage, count, cost=None):
    return Usage(*(tokens * count for tokens in usage[:4]), cost_usd=cost)


def tally(name):
    return tally_of(parts(name)[1])


@pytest.mark.parametrize(
    ("name", "usage", "spent"),
    [
        ("ok_text", {OPUS: LINES}, {OPUS: OPUS_MESSAGE}),
        # Two lines and three lines of one message: text and tool calls.
        ("ok_tool", {OPUS: times(LINES, 2)}, {OPUS: times(OPUS_MESSAGE, 2, 0.00039000000000000005)}),
        ("ok_tools_side_by_side", {OPUS: times(LINES, 2)}, {OPUS: times(OPUS_MESSAGE, 2, 0.00039000000000000005)}),
        # The answer of a foreground subagent is in the client's account alone.
        (
            "ok_subagent",
            {OPUS: times(LINES, 2)},
            {OPUS: times(OPUS_MESSAGE, 2, 0.00039000000000000005), HAIKU: Usage(10, 5, 200, 3, 5.8750000000000005e-06)},
        ),
        (
            "ok_subagent_background",
            {OPUS: times(LINES, 3), SONNET: LINES},
            {OPUS: times(OPUS_MESSAGE, 3, 0.000585), SONNET: Usage(10, 5, 200, 3, 9.750000000000001e-05)},
        ),
        # The whole session has spent twice as much: the earlier run is not this one's.
        ("ok_resumed", {OPUS: LINES}, {OPUS: OPUS_MESSAGE}),
        ("ok_older_client", {OPUS: LINES}, {OPUS: OPUS_MESSAGE}),
        ("ok_two_results", {OPUS: times(LINES, 2)}, {OPUS: times(OPUS_MESSAGE, 2, 0.00039000000000000005)}),
        # The client books under the model asked for; the message says who answered.
        ("ok_other_model_served", {SONNET: LINES}, {OPUS: OPUS_MESSAGE}),
        ("ok_slash_command", {}, {}),
        ("rate_limited", {}, {}),
        # Nothing was accounted for when it was killed.
        ("killed_sigkill_tool", {OPUS: LINES}, {OPUS: LINES}),
        ("no_json_garbage", {}, {}),
    ],
)
def test_usage(name, usage, spent):
    assert (tally(name).usage, tally(name).spent) == (usage, spent)


@pytest.mark.parametrize(
    ("name", "served", "turns"),
    [
        ("ok_text", [OPUS], 1),
        ("ok_tools_side_by_side", [OPUS], 2),
        ("ok_subagent_tool", [OPUS, HAIKU], 2),
        ("ok_subagent_background", [OPUS, SONNET], 3),
        ("ok_fallback", [HAIKU], 1),
        ("ok_other_model_served", [SONNET], 1),
        ("ok_unknown_model_served", ["claude-nonesuch-9"], 1),
        ("ok_slash_command", [], 0),
        ("rate_limited", [], 0),
        ("rate_limited_midway", [OPUS], 1),
    ],
)
def test_who_answered(name, served, turns):
    assert (tally(name).served, tally(name).turns) == (served, turns)


@pytest.mark.parametrize(
    ("name", "fallbacks", "answered_by"),
    [
        ("ok_text", [], OPUS),
        ("ok_fallback", [Fallback("overloaded", OPUS, HAIKU)], HAIKU),
        ("ok_fallback_from_missing_model", [Fallback("model_not_found", OPUS, HAIKU)], HAIKU),
        ("ok_subagent_tool", [], OPUS),
        ("ok_subagent_background", [], OPUS),
        ("ok_other_model_served", [], SONNET),
        ("overloaded", [], None),
    ],
)
def test_who_stood_in_and_who_had_the_last_word(name, fallbacks, answered_by):
    assert (tally(name).fallbacks, tally(name).answered_by) == (fallbacks, answered_by)


def test_a_fallback_on_the_way_gives_the_last_word_to_another():
    first, *_ = parts("ok_fallback")[1]
    switched = next(line for line in parts("ok_fallback")[1] if b"model_fallback" in line)
    told = tally_of([first, call(None, "a"), switched, call(None, "b").replace(b"opus", b"haiku")])
    assert (told.served, told.answered_by) == ([OPUS, HAIKU], HAIKU)


@pytest.mark.parametrize(
    ("name", "tool", "repeats"),
    [
        ("ok_text", None, 0),
        ("ok_tool", "Bash", 1),
        ("ok_tools_side_by_side", "Bash", 1),
        ("ok_subagent_tool", "Bash", 1),
        ("max_turns_same_call", "Bash", 5),
    ],
)
def test_the_last_tool_and_how_often_in_a_row(name, tool, repeats):
    assert (tally(name).last_tool, tally(name).tool_repeats) == (tool, repeats)


def call(thread, command):
    block = {"type": "tool_use", "id": "t", "name": "Bash", "input": {"command": command}}
    message = {"id": command, "model": OPUS, "content": [block]}
    return json.dumps({"type": "assistant", "message": message, "parent_tool_use_id": thread}).encode()


def test_agents_at_work_side_by_side_do_not_hide_each_others_loops():
    lines = [call(None, "a"), call("t1", "b"), call(None, "a"), call("t1", "b"), call(None, "a")]
    assert [tally_of(lines[:count]).tool_repeats for count in range(1, 6)] == [1, 1, 2, 2, 3]
    assert tally_of([*lines, call(None, "c")]).tool_repeats == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ok_tool", "It said hi."),
        ("ok_subagent_background", "It saw."),
        ("rate_limited_midway", ""),
        ("api_error_500", ""),
        ("ok_unicode", "Grüße \u2028 \U0001f600 \x1b[31mred\x1b[0m"),
    ],
)
def test_the_last_words_of_the_main_thread(name, text):
    assert tally(name).text == text


def test_a_failed_request_is_kept_until_a_model_answers():
    assert tally("overloaded").api_error == ApiError(
        "server_error",
        529,
        "API Error: 529 Overloaded. This is a server-side issue, usually temporary — try again in a moment. "
        "If it persists, check your inference gateway (127.0.0.1:8080).",
    )
    failed, good = parts("overloaded")[1], parts("ok_text")[1]
    assert tally_of([*failed, *good]).api_error is None


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("ok_text", None),
        ("rate_limited_reset", None),  # with an API key the client drops what the headers say
        ("rate_limited_subscription", RateLimit("rejected", 1795255200, "five_hour")),
        ("rate_limited_usage_limit", RateLimit("rejected", 1795255200, "seven_day_opus")),
        ("ok_rate_limit_warning", RateLimit("allowed_warning", 1795255200, "five_hour")),
    ],
)
def test_rate_limit(name, limit):
    assert tally(name).rate_limit == limit


@pytest.mark.parametrize(
    ("name", "source"),
    [("ok_text", "ANTHROPIC_API_KEY"), ("auth_no_key", "none"), ("crashed_bad_flag", None)],
)
def test_who_pays(name, source):
    assert tally(name).api_key_source == source


def test_the_first_init_counts():
    """The client says it again when it goes on after a background agent."""
    first, *more = parts("ok_subagent_background")[1]
    assert tally_of([first, *more, first.replace(b"opus", b"haiku")]).init == json.loads(first)


def subagent_says(**more):
    message = {"id": "sub", "model": HAIKU, "content": [{"type": "text", "text": "from below"}]}
    return json.dumps({"type": "assistant", "message": message, "parent_tool_use_id": "t1", **more}).encode()


def test_a_subagent_does_not_speak_for_the_main_thread():
    lines = parts("ok_text")[1]
    told = tally_of([*lines, subagent_says()])
    assert (told.text, told.turns, told.served, told.answered_by) == ("All done.", 1, [OPUS, HAIKU], OPUS)
    assert tally_of([*lines, subagent_says(is_api_error_message=True, error="rate_limit")]).api_error is None


def test_what_is_no_json_object_is_counted():
    told = tally_of(
        [b"", b"\n", b"not json\n", b"[1]\n", b"null\n", b"\xff\xfe\n", b'{"type":"nonesuch"}\n', b"[" * 10**6]
    )
    assert (told.lines, told.garbage) == (6, 5)


@pytest.mark.parametrize("figure", ["-5", "NaN", "Infinity", "1e400", "true", '"9"', "[]", "null", "9" * 30])
def test_a_figure_that_is_none_is_left_out(figure):
    used = f'{{"inputTokens":{figure},"outputTokens":7,"costUSD":{figure}}}'
    lines = [
        f'{{"type":"result","modelUsage":{{"m":{used}}}}}',
        f'{{"type":"rate_limit_event","rate_limit_info":{{"status":"rejected","resetsAt":{figure}}}}}',
    ]
    told = tally_of([line.encode() for line in lines])
    assert (told.spent, told.rate_limit) == ({"m": Usage(0, 7)}, RateLimit("rejected", None, None))


def test_a_line_of_any_length_is_read():
    long = "x" * 5_000_000
    message = {"id": "m", "model": OPUS, "content": [{"type": "text", "text": long}]}
    assert tally_of([json.dumps({"type": "assistant", "message": message}).encode()]).text == long


def test_costs_are_added_where_they_are_known():
    assert add(Usage(1, 2, 3, 4), Usage(10, 20, 30, 40, 0.5)) == Usage(11, 22, 33, 44, 0.5)
    assert add(Usage(1), Usage(2)) == Usage(3)


def test_nothing_said_is_nothing_known():
    empty = Tally()
    assert (empty.result, empty.init, empty.spent, empty.turns, empty.lines) == (None, None, {}, 0, 0)
