"""What follows for a job from how its attempt ended."""

import pytest

from orchestrate.overnight import checks, stops, verdict
from orchestrate.overnight.dispatch import End
from orchestrate.overnight.kept import Made

NOW = 1_000_000.0
MADE = Made("b" * 40, "r-1", "e-1", "claude-haiku-5-5", "/answer.md", ("a or b?",), 12.0, "c" * 40, True)
UNCHANGED = MADE._replace(commit=None)


def standing(end, attempts=1, told_to_end=""):
    said = verdict.of(end, attempts, told_to_end, NOW)
    return said.status, said.not_before, said.is_counted


@pytest.mark.parametrize(
    ("end", "status"),
    [
        (End("ok", "", checks.GREEN, MADE), "shipped"),
        (End("ok", "no check is configured", checks.NONE, MADE), "unverified"),
        (End("ok", "the check 'x' is not found", checks.NOT_RUN, MADE), "unverified"),
        (End("ok", "the check 'x' is red (exit code 1)", checks.RED, MADE), "failed"),
        (End("ok", "", checks.GREEN, UNCHANGED), "unverified"),
        (End("timeout", "timeout: stopped: it took too long", made=MADE), "failed"),
        (End("permission_denied", "refused: Write", made=MADE), "failed"),
        (End("refused", "rollout.enabled is false"), "failed"),
        (End("fault", "the project is gone"), "failed"),
    ],
)
def test_a_job_ends_as_its_checks_say(end, status):
    assert standing(end) == (status, None, True)


@pytest.mark.parametrize(
    ("end", "attempts", "expected"),
    [
        (End("rate_limited", "", reset_at=NOW + 60), 1, ("queued", NOW + 60, False)),
        (End("rate_limited", "", reset_at=NOW + 60), 9, ("queued", NOW + 60, False)),
        (End("rate_limited", "", reset_at=NOW - 60), 1, ("queued", NOW + 1800, False)),
        (End("rate_limited", ""), 1, ("queued", NOW + 1800, False)),
        (End("overloaded", ""), 1, ("queued", NOW + 300, True)),
        (End("api_error", ""), 2, ("queued", NOW + 600, True)),
        (End("crashed", ""), 3, ("failed", None, True)),
        (End("aborted", ""), 1, ("queued", None, False)),
        (End("auth", ""), 1, ("queued", None, False)),
        (End("cli_missing", ""), 1, ("queued", None, False)),
    ],
)
def test_what_passes_is_tried_again_and_not_for_ever(end, attempts, expected):
    assert standing(end, attempts) == expected


def test_what_no_job_can_do_anything_about_halts_the_night():
    halts = {kind: verdict.of(End(kind, "why"), 1, "", NOW).halts for kind in ("auth", "cli_missing", "crashed")}
    assert {kind: bool(line) for kind, line in halts.items()} == {"auth": True, "cli_missing": True, "crashed": False}
    assert "\n" not in halts["auth"]


@pytest.mark.parametrize("reset_at", [None, NOW + 60])
@pytest.mark.parametrize("why", ["the night was over", "the night was interrupted"])
def test_who_was_ended_by_the_night_is_told_why(why, reset_at):
    said = verdict.of(End("aborted", "", reset_at=reset_at), 1, why, NOW)
    assert (said.status, said.why, said.not_before, said.is_counted) == ("queued", why, None, False)


@pytest.mark.parametrize(
    ("reset_at", "why", "not_before"),
    [
        (None, stops.NEAR_FLOOR, None),
        (NOW + 60, "a limit of the account is reached", NOW + 60),
    ],
)
def test_who_was_refused_waits_for_the_reset_also_where_the_night_saw_the_floor_by_that(reset_at, why, not_before):
    said = verdict.of(End("aborted", "", reset_at=reset_at), 1, stops.NEAR_FLOOR, NOW)
    assert (said.status, said.why, said.not_before, said.is_counted) == ("queued", why, not_before, False)
