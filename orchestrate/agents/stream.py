"""What a running agent has said so far, read line by line from `--output-format stream-json --verbose`."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from state import codec

SYNTHETIC = "<synthetic>"  # the client's own words in the model's place
_INTERRUPTED = "[Request interrupted by user"
_BLOCKS = ("blocked_by_hook", "stopped_by_hook")
_MOST = 1e18  # what is more, or no number at all (NaN), is nobody's figure


class Usage(NamedTuple):
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_usd: float | None = None  # as the client prices it, whoever pays


def add(one: Usage, other: Usage) -> Usage:
    """Both together; the cost of what has no price is left out."""
    costs = [cost for cost in (one.cost_usd, other.cost_usd) if cost is not None]
    tokens = Usage(*(mine + its for mine, its in zip(one[:4], other[:4], strict=True)))
    return tokens._replace(cost_usd=sum(costs) if costs else None)


class RateLimit(NamedTuple):
    status: str  # allowed, allowed_warning, rejected
    resets_at: float | None  # unix seconds
    window: str | None  # five_hour, seven_day, seven_day_opus, ...


class ApiError(NamedTuple):
    error: str  # the client's word for it: rate_limit, server_error, billing_error, ...
    status: int | None
    text: str


class Fallback(NamedTuple):
    """The client has put another model in the place of the one that it was started with."""

    trigger: str  # overloaded, server_error, model_not_found, last_resort, ...
    model: str
    stand_in: str


class Tally:
    """Feed it stdout, line by line, in any state: what it does not understand it counts or leaves out."""

    def __init__(self) -> None:
        self.result: dict[str, object] | None = None
        self.init: dict[str, object] | None = None
        self.model_usage: dict[str, Usage] = {}
        self.served: list[str] = []  # models in the order of their first answer
        self.answered_by: str | None = None  # whose message is the main thread's last
        self.fallbacks: list[Fallback] = []  # of the main thread
        self.last_tool: str | None = None
        self.tool_repeats = 0  # how often in a row the last tool was called with the same input: 1 = once
        self.lines = 0
        self.garbage = 0  # lines that are no JSON object
        self.text = ""
        self.rate_limit: RateLimit | None = None
        self.limits: Mapping[str, object] = {}  # what the platform said last of the account's limits, as it said it
        self.api_error: ApiError | None = None  # until a model answers after it
        self.blocked: str | None = None  # a hook's reason to stop the prompt
        self.interrupted = False
        self.denied: list[str] = []  # tools that were asked for and refused
        self.denied_last = False  # nothing a tool did came after the last refusal
        self._messages: dict[str, tuple[str, Usage]] = {}
        self._turns: set[str] = set()
        self._calls: dict[str, tuple[str, object, int]] = {}

    def feed(self, line: bytes) -> None:
        if not line.strip():
            return
        self.lines += 1
        value = _parse(line)
        if value is None:
            self.garbage += 1
            return
        read = _READERS.get(_text(value, "type"))
        if read:
            read(self, value)

    @property
    def usage(self) -> dict[str, Usage]:
        """Per model, from the messages alone. Too low in output tokens (a line knows only those at the start of its
        message) and without the last answer of a foreground subagent: for a run that was cut short, all there is."""
        total: dict[str, Usage] = {}
        for model, usage in self._messages.values():
            total[model] = add(total.get(model, Usage()), usage)
        return total

    @property
    def spent(self) -> dict[str, Usage]:
        """The best figures there are: the client's own account, or what the messages said when it gave none."""
        return self.model_usage if self.result is not None else self.usage

    @property
    def turns(self) -> int:
        """How many messages the main thread's model has sent."""
        return len(self._turns)

    @property
    def api_key_source(self) -> str | None:
        """`none` when no API key pays."""
        return _text(self.init or {}, "apiKeySource") or None

    def _system(self, line: Mapping[str, object]) -> None:
        subtype = _text(line, "subtype")
        if subtype == "init" and self.init is None:  # the client says it again after a background agent
            self.init = dict(line)
        elif subtype == "permission_denied":
            self.denied.append(_text(line, "tool_name"))
            self.denied_last = True
        elif subtype == "model_fallback":
            self.fallbacks.append(Fallback(*(_text(line, field) for field in _FALLBACK_FIELDS)))
        stopped = _dict(line, "prompt_submit_outcome")
        if _text(stopped, "kind") in _BLOCKS:
            self.blocked = _text(stopped, "reason")

    def _assistant(self, line: Mapping[str, object]) -> None:
        thread = _text(line, "parent_tool_use_id")
        message = _dict(line, "message")
        if line.get("is_api_error_message") is True:
            if not thread:
                self._failed(line, message)
            return
        for block in _blocks(message):
            if block.get("type") == "tool_use":
                self._call(thread, block)
            elif block.get("type") == "text" and not thread:
                self.text = _text(block, "text")
        if (model := _text(message, "model")) not in ("", SYNTHETIC):
            self._answered(thread, model, message)

    def _answered(self, thread: str, model: str, message: Mapping[str, object]) -> None:
        if model not in self.served:
            self.served.append(model)
        name = _text(message, "id")
        tokens = _dict(message, "usage")
        said = Usage(*(_count(tokens, field) for field in _MESSAGE_FIELDS))
        _, before = self._messages.get(name, (model, Usage()))
        # One line per content block, each with the usage of the whole message: the highest figures count, once.
        self._messages[name] = (model, Usage(*map(max, before[:4], said[:4])))
        if not thread:
            self._turns.add(name)
            self.answered_by = model
            self.api_error = None

    def _failed(self, line: Mapping[str, object], message: Mapping[str, object]) -> None:
        status = _count(line, "api_error_status") or None
        self.api_error = ApiError(_text(line, "error"), status, "".join(_text(b, "text") for b in _blocks(message)))
        self._limit(_dict(_dict(line, "api_error_params"), "rate_limit_info"))

    def _call(self, thread: str, block: Mapping[str, object]) -> None:
        name, given = _text(block, "name"), block.get("input")
        last, last_given, times = self._calls.get(thread, ("", None, 0))
        times = times + 1 if (name, given) == (last, last_given) else 1
        self._calls[thread] = (name, given, times)
        self.last_tool, self.tool_repeats = name, times

    def _user(self, line: Mapping[str, object]) -> None:
        for block in _blocks(_dict(line, "message")):
            if block.get("type") == "tool_result" and block.get("is_error") is not True:
                self.denied_last = False
            elif _text(block, "text").startswith(_INTERRUPTED):
                self.interrupted = True

    def _result(self, line: Mapping[str, object]) -> None:
        self.result = dict(line)
        # `modelUsage` of a resumed session counts the earlier runs again.
        if "model_usage_since_last_result" in line:
            for model, usage in _model_usage(_dict(line, "model_usage_since_last_result")).items():
                self.model_usage[model] = add(self.model_usage.get(model, Usage()), usage)
        else:
            self.model_usage = _model_usage(_dict(line, "modelUsage"))

    def _rate_limit_event(self, line: Mapping[str, object]) -> None:
        self._limit(_dict(line, "rate_limit_info"))

    def _limit(self, info: Mapping[str, object]) -> None:
        self.limits = info or self.limits
        if status := _text(info, "status"):
            self.rate_limit = RateLimit(status, _number(info, "resetsAt"), _text(info, "rateLimitType") or None)


_READERS = {
    "system": Tally._system,
    "assistant": Tally._assistant,
    "user": Tally._user,
    "result": Tally._result,
    "rate_limit_event": Tally._rate_limit_event,
}
_FALLBACK_FIELDS = ("trigger", "original_model", "fallback_model")
_MESSAGE_FIELDS = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
_RESULT_FIELDS = ("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheCreationInputTokens")


def _parse(line: bytes) -> dict[str, object] | None:
    try:
        value = codec.loads(line)
        if b"\\ud" in line or b"\\uD" in line:
            value = _whole(value)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _whole(value: object) -> object:
    """With a question mark for half of a surrogate pair, which nothing could print or send."""
    import json  # noqa: PLC0415  8 ms, and as rare as an emoji that was escaped

    return codec.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def _model_usage(models: Mapping[str, object]) -> dict[str, Usage]:
    found = {}
    for model in models:
        figures = _dict(models, model)
        tokens = Usage(*(_count(figures, field) for field in _RESULT_FIELDS))
        found[model] = tokens._replace(cost_usd=_number(figures, "costUSD"))
    return found


def _dict(value: Mapping[str, object], key: str) -> Mapping[str, object]:
    part = value.get(key)
    return part if isinstance(part, dict) else {}


def _text(value: Mapping[str, object], key: str) -> str:
    part = value.get(key)
    return part if isinstance(part, str) else ""


def _number(value: Mapping[str, object], key: str) -> float | None:
    part = value.get(key)
    return part if isinstance(part, int | float) and not isinstance(part, bool) and 0 <= part < _MOST else None


def _count(value: Mapping[str, object], key: str) -> int:
    part = _number(value, key)
    return part if isinstance(part, int) else 0


def _blocks(message: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    content = message.get("content")
    if isinstance(content, list):
        yield from (block for block in content if isinstance(block, dict))
