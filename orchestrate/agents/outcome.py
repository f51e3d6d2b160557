"""How a run of the client ended: one kind out of KINDS, from its exit, its last words and what it said on the way."""

from collections.abc import Callable
from typing import NamedTuple

from orchestrate.agents.stream import Tally

SIGTERM, SIGKILL, SIGINT, SIGHUP = 15, 9, 2, 1  # by number: an exit code of 128 + n says the same
_ENDERS = (SIGTERM, SIGKILL, SIGHUP)
_DETAIL_CHARS = 300

KINDS = (
    "ok",
    "blocked",
    "rate_limited",
    "overloaded",
    "api_error",
    "auth",
    "model_not_found",
    "budget",
    "max_turns",
    "permission_denied",
    "aborted",
    "timeout",
    "stalled",
    "killed",
    "crashed",
    "no_json",
    "empty",
    "cli_missing",
    "lying_success",
)

# The client's word for a failed request, where it says more than the HTTP status.
_BY_ERROR = {
    "authentication_failed": "auth",
    "oauth_org_not_allowed": "auth",
    "account_on_hold": "auth",
    "verification_required": "auth",
    "billing_error": "auth",
    "cloud_credential_error": "auth",
    "rate_limit": "rate_limited",
    "overloaded": "overloaded",
    "model_not_found": "model_not_found",
    "max_output_tokens": "budget",
}
_BY_STATUS = {401: "auth", 402: "auth", 403: "auth", 404: "model_not_found", 429: "rate_limited", 529: "overloaded"}
_BY_SUBTYPE = {
    "error_max_turns": "max_turns",
    "error_max_budget_usd": "budget",
    "error_max_structured_output_retries": "no_json",
}
_BY_REASON = {
    "max_turns": "max_turns",
    "budget_exhausted": "budget",
    "structured_output_retry_exhausted": "no_json",
}


class Ended(NamedTuple):
    """What became of the process."""

    code: int | None = None
    signal: int | None = None
    timed_out: bool = False
    stalled: bool = False
    aborted: bool = False  # we or the user stopped it
    missing: str | None = None  # "not found" or "not executable"
    started: bool = True


class Outcome(NamedTuple):
    kind: str
    detail: str = ""  # one line for a person
    reset_at: float | None = None  # unix seconds: when a limit ends
    status: int | None = None  # of the API


class _Facts(NamedTuple):
    ended: Ended
    tally: Tally
    stderr: str

    def said(self, key: str) -> str:
        value = (self.tally.result or {}).get(key)
        return value if isinstance(value, str) else ""

    @property
    def signal(self) -> int | None:
        """What ended it, also when it caught the signal and exited in its own time."""
        code = self.ended.code
        return code - 128 if self.ended.signal is None and code is not None and 128 < code < 160 else self.ended.signal

    @property
    def failed(self) -> bool:
        return self.tally.result is not None and self.tally.result.get("is_error") is not False

    @property
    def whole(self) -> bool:
        """The result is there and good: what the process did after it changes nothing."""
        return self.tally.result is not None and not self.failed and self.said("result").strip() != ""

    @property
    def local(self) -> bool:
        """A slash command that the client answers itself."""
        return "local_command" in (self.tally.result or {})

    @property
    def request(self) -> str:
        """The kind of a request that failed, "" when none did."""
        error, status = self.tally.api_error, self.status
        if not self.failed or (error is None and status is None and self.said("terminal_reason") != "api_error"):
            return ""
        if self.said("stop_reason") == "refusal":
            return "blocked"
        return _BY_ERROR.get(error.error if error else "") or _BY_STATUS.get(status or 0) or "api_error"

    @property
    def status(self) -> int | None:
        status = (self.tally.result or {}).get("api_error_status")
        return status if isinstance(status, int) else self.tally.api_error.status if self.tally.api_error else None

    @property
    def words(self) -> str:
        """What the client gives as its reason."""
        errors = (self.tally.result or {}).get("errors")
        first = str(errors[0]) if isinstance(errors, list) and errors else ""
        return first or self.said("result") or self.last_words or self.exit

    @property
    def last_words(self) -> str:
        """The line of stderr that names an error, else the last one."""
        lines = self.stderr.strip().splitlines()
        return next((line for line in lines if "error" in line.lower()), lines[-1] if lines else "")

    @property
    def unwell(self) -> bool:
        """It chose to exit with an error: nobody ended it."""
        return self.ended.code not in (None, 0) and self.signal is None

    @property
    def exit(self) -> str:
        return f"signal {self.signal}" if self.signal is not None else f"exit code {self.ended.code}"


class _Rule(NamedTuple):
    kind: Callable[[_Facts], str]  # "" = this rule does not apply
    detail: Callable[[_Facts], str]


def _when(kind: str, applies: Callable[[_Facts], bool], detail: Callable[[_Facts], str]) -> _Rule:
    return _Rule(lambda facts: kind if applies(facts) else "", detail)


def _halted(facts: _Facts) -> str:
    tool, times = facts.tally.last_tool, facts.tally.tool_repeats
    again = f" ({tool} was called {times} times in a row with the same input)" if times > 1 else ""
    return f"stopped: no progress{again}"


def _nothing_served(facts: _Facts) -> bool:
    return not facts.tally.served and not facts.tally.model_usage and not facts.local


def _refused(facts: _Facts) -> str:
    names = sorted(set(facts.tally.denied))
    return f"refused: {', '.join(names)}" if names else ""


# The first that applies decides: what we did to it, what it says of itself, what its exit says, what is missing.
_RULES = (
    _when("cli_missing", lambda f: f.ended.missing is not None, lambda f: f"the client is {f.ended.missing}"),
    _when("aborted", lambda f: f.ended.aborted, lambda _: "stopped on request"),
    _when("cli_missing", lambda f: not f.ended.started, lambda f: "the client was not started"),
    _when("stalled", lambda f: f.ended.stalled and not f.whole, _halted),
    _when("timeout", lambda f: f.ended.timed_out and not f.whole, lambda _: "stopped: it took too long"),
    _when("blocked", lambda f: f.tally.blocked is not None, lambda f: f.tally.blocked or "stopped by a hook"),
    _Rule(lambda f: f.request if f.request != "api_error" else "", lambda f: f.words),
    _Rule(lambda f: _BY_SUBTYPE.get(f.said("subtype"), ""), lambda f: f.words),
    _Rule(lambda f: _BY_REASON.get(f.said("terminal_reason"), ""), lambda f: f.words),
    _when("aborted", lambda f: f.said("terminal_reason").startswith("aborted"), lambda _: "interrupted"),
    _when("blocked", lambda f: f.said("terminal_reason") == "hook_stopped", lambda _: "stopped by a hook"),
    _Rule(lambda f: f.request, lambda f: f.words),
    _when("lying_success", lambda f: f.failed and f.ended.code == 0, lambda f: f"exit code 0, but: {f.words}"),
    _when("crashed", lambda f: f.failed, lambda f: f.words),
    _when("lying_success", lambda f: f.whole and f.tally.api_error is not None, lambda f: f"a success, but: {f.words}"),
    _when("lying_success", lambda f: f.whole and _nothing_served(f), lambda _: "a success, but no model answered"),
    _when("permission_denied", lambda f: f.whole and f.tally.denied_last, _refused),
    _when("crashed", lambda f: f.whole and f.unwell, lambda f: f.last_words or f.exit),
    _when("ok", lambda f: f.whole, _refused),
    _when("aborted", lambda f: f.signal == SIGINT or f.tally.interrupted, lambda _: "interrupted"),
    _when("killed", lambda f: f.signal in _ENDERS, lambda f: f"ended by {f.exit}"),
    _when("crashed", lambda f: f.ended.code != 0, lambda f: f.words),
    _when("empty", lambda f: f.tally.result is not None, lambda _: "the answer is empty"),
    _when("empty", lambda f: f.tally.lines == 0, lambda _: "exit code 0 and not a word"),
    _when("no_json", lambda _: True, lambda f: f"no result among {f.tally.lines} lines of output"),
)


def classify(ended: Ended, tally: Tally, stderr: str) -> Outcome:
    facts = _Facts(ended, tally, stderr)
    kind, rule = next((kind, rule) for rule in _RULES if (kind := rule.kind(facts)))
    limit = tally.rate_limit if kind == "rate_limited" else None
    reset_at = limit.resets_at if limit and limit.status == "rejected" else None
    return Outcome(kind, _one_line(rule.detail(facts)), reset_at, facts.status if facts.failed else None)


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _DETAIL_CHARS else line[: _DETAIL_CHARS - 1] + "…"
