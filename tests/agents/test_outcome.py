"""Every recorded way a run of the client can end is named right."""

import random

import pytest
from replay import NAMES, outcome_of, parts, tally_of

from orchestrate.agents.outcome import KINDS, Ended, Outcome, classify
from orchestrate.agents.stream import Tally

RESET = 1795255200
KIND_OF = {
    "aborted": (
        "aborted_after_result",
        "aborted_by_user",
        "aborted_sigint_idle",
        "aborted_sigint_tool",
    ),
    "api_error": (
        "api_error_400",
        "api_error_413",
        "api_error_500",
        "api_error_503",
        "api_error_cut_at_once",
        "api_error_cut_text",
        "api_error_cut_tool",
        "api_error_refused_connection",
        "api_error_slow",
        "api_error_too_long",
    ),
    "auth": (
        "auth_401",
        "auth_403",
        "auth_credit",
        "auth_no_key",
    ),
    "blocked": (
        "blocked",
        "blocked_by_tool_hook",
        "blocked_exit_2",
        "blocked_refusal",
        "blocked_stopped",
        "blocked_suppressed",
    ),
    "budget": (
        "budget",
        "budget_max_tokens",
    ),
    "cli_missing": (
        "cli_missing",
        "cli_missing_not_executable",
    ),
    "crashed": (
        "crashed_after_answer",
        "crashed_bad_flag",
        "crashed_bad_schema",
        "crashed_bad_session_id",
        "crashed_bad_settings",
        "crashed_no_prompt",
        "crashed_session_in_use",
        "crashed_signal",
        "crashed_traceback",
        "crashed_unknown_agent",
        "crashed_unknown_resume",
    ),
    "empty": (
        "empty",
        "empty_blanks",
        "empty_nothing_said",
    ),
    "killed": (
        "killed_at_start",
        "killed_hangup",
        "killed_out_of_memory",
        "killed_sigkill",
        "killed_sigkill_tool",
        "killed_sigterm",
        "killed_sigterm_tool",
    ),
    "lying_success": (
        "lying_success_after_work",
        "lying_success_is_error",
        "lying_success_nothing_served",
        "lying_success_synthetic",
    ),
    "max_turns": (
        "max_turns",
        "max_turns_same_call",
    ),
    "model_not_found": (
        "model_not_found",
        "model_not_found_unknown",
    ),
    "no_json": (
        "no_json_cut_line",
        "no_json_garbage",
        "no_json_no_result",
        "no_json_structured_retries",
        "no_json_text",
    ),
    "ok": (
        "ok_after_retry",
        "ok_agent_flag",
        "ok_cut_then_answered",
        "ok_denied_then_done",
        "ok_fallback",
        "ok_fallback_from_missing_model",
        "ok_hook_events",
        "ok_killed_after_result",
        "ok_long_answer",
        "ok_older_client",
        "ok_other_model_served",
        "ok_partial_messages",
        "ok_rate_limit_warning",
        "ok_resumed",
        "ok_slash_command",
        "ok_stop_hook_prevented",
        "ok_structured",
        "ok_structured_escalate",
        "ok_structured_never",
        "ok_subagent",
        "ok_subagent_background",
        "ok_subagent_failed",
        "ok_subagent_tool",
        "ok_text",
        "ok_timeout_after_result",
        "ok_tool",
        "ok_tool_failed",
        "ok_tools_side_by_side",
        "ok_two_results",
        "ok_unicode",
        "ok_unknown_model_served",
        "ok_unknown_slash_command",
    ),
    "overloaded": (
        "overloaded",
        "overloaded_after_retries",
        "overloaded_by_word",
        "overloaded_fallback_needs_retries",
        "overloaded_fallback_too",
    ),
    "permission_denied": (
        "permission_denied",
        "permission_denied_auto_agent",
        "permission_denied_auto_mode",
        "permission_denied_default_mode",
    ),
    "rate_limited": (
        "rate_limited",
        "rate_limited_after_retries",
        "rate_limited_exit_0",
        "rate_limited_midway",
        "rate_limited_reset",
        "rate_limited_retry_after",
        "rate_limited_subscription",
        "rate_limited_usage_limit",
        "rate_limited_warned_only",
    ),
    "stalled": (
        "stalled_hang",
        "stalled_loop",
    ),
    "timeout": (
        "timeout_hang",
        "timeout_tool",
    ),
}
EXPECTED = {name: kind for kind, names in KIND_OF.items() for name in names}


def test_the_table_is_the_corpus_and_every_kind_is_in_it():
    assert sorted(EXPECTED) == NAMES
    assert sorted(KIND_OF) == sorted(KINDS)


@pytest.mark.parametrize(("name", "kind"), EXPECTED.items())
def test_kind(name, kind):
    assert outcome_of(name).kind == kind


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("ok_text", Outcome("ok")),
        ("ok_denied_then_done", Outcome("ok", "refused: Write")),
        ("blocked", Outcome("blocked", "not now")),
        ("blocked_exit_2", Outcome("blocked", "no entry")),
        ("blocked_by_tool_hook", Outcome("blocked", "stopped by a hook")),
        (
            "rate_limited",
            Outcome("rate_limited", "API Error: Request rejected (429) · the fake API refuses", None, 429),
        ),
        (
            "rate_limited_subscription",
            Outcome("rate_limited", "API Error: Request rejected (429) · the fake API refuses", RESET, 429),
        ),
        (
            "rate_limited_usage_limit",
            Outcome("rate_limited", "API Error: Request rejected (429) · the fake API refuses", RESET, 429),
        ),
        (
            "rate_limited_warned_only",
            Outcome("rate_limited", "API Error: Request rejected (429) · the fake API refuses", None, 429),
        ),
        (
            "api_error_cut_text",
            Outcome(
                "api_error",
                "API Error: Connection to the API was lost (ECONNRESET). This is usually temporary — try again.",
            ),
        ),
        ("auth_401", Outcome("auth", "Invalid API key · Fix external API key", None, 401)),
        ("auth_credit", Outcome("auth", "Credit balance is too low", None, 400)),
        ("budget", Outcome("budget", "Reached maximum budget ($0.0001)")),
        ("max_turns", Outcome("max_turns", "Reached maximum number of turns (2)")),
        ("permission_denied", Outcome("permission_denied", "refused: Write")),
        ("crashed_bad_flag", Outcome("crashed", "error: unknown option '--no-such-flag'")),
        ("crashed_traceback", Outcome("crashed", "TypeError: undefined is not an object")),
        ("killed_out_of_memory", Outcome("killed", "ended by signal 9")),
        ("timeout_hang", Outcome("timeout", "stopped: it took too long")),
        (
            "stalled_loop",
            Outcome("stalled", "stopped: no progress (Bash was called 6 times in a row with the same input)"),
        ),
        ("aborted_sigint_tool", Outcome("aborted", "interrupted")),
        ("no_json_garbage", Outcome("no_json", "no result among 5 lines of output")),
        ("empty_nothing_said", Outcome("empty", "exit code 0 and not a word")),
        ("cli_missing_not_executable", Outcome("cli_missing", "the client is not executable")),
        ("lying_success_nothing_served", Outcome("lying_success", "a success, but no model answered")),
    ],
)
def test_what_a_person_is_told(name, outcome):
    assert outcome_of(name) == outcome


def test_a_detail_is_one_short_line():
    tally = tally_of([b'{"type":"result","is_error":true,"errors":["one\\n two' + b" x" * 500 + b'"]}'])
    assert classify(Ended(code=1), tally, "").detail == "one two" + " x" * 146 + "…"


def test_what_is_stopped_before_it_begins_misses_no_client():
    assert classify(Ended(aborted=True, started=False), Tally(), "") == Outcome("aborted", "stopped on request")


@pytest.mark.parametrize("stopped", ["aborted", "timed_out", "stalled"])
def test_what_we_stopped_is_not_called_a_crash(stopped):
    """Whatever exit code the client then finds."""
    kinds = {classify(Ended(code=code, **{stopped: True}), Tally(), "").kind for code in (0, 1, 143, None)}
    assert kinds == {{"timed_out": "timeout"}.get(stopped, stopped)}


@pytest.mark.parametrize("seed", range(40))
def test_no_damage_to_the_stream_raises(seed):
    """Lines cut, doubled, swapped, overwritten and replaced: always a kind of the list."""
    chance = random.Random(seed)
    ended, lines, stderr = parts(chance.choice(NAMES))
    tally = tally_of(_damaged(chance, lines))
    assert classify(ended, tally, stderr).kind in KINDS
    assert all(min(usage[:4]) >= 0 for usage in tally.spent.values())


def _damaged(chance, lines):
    for line in lines:
        cut = chance.randrange(len(line) + 1)
        yield chance.choice(
            [
                line,
                line + line,
                line[:cut],
                line[cut:],
                line[:cut] + chance.randbytes(8) + line[cut + 8 :],
                line.replace(b'"', b"", chance.randrange(3)),
                line.replace(b":{", b":[", 1).replace(b"}", b"]", 1),
                line.replace(b'"content":[', b'"content":7,"x":['),
                line.replace(b"true", b"null").replace(b"false", b"{}"),
                line.replace(b":1", b":-1e400").replace(b":0", b":NaN"),
                chance.randbytes(chance.randrange(200)),
                b"[" * 100_000,
            ]
        )
