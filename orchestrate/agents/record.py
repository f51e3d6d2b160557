"""What is said of a run: when it begins, when it has finished, and of that in the session's log."""

from typing import NamedTuple, TypedDict


class Facts(NamedTuple):
    """What is known of a request when its run begins: never its text."""

    session: str
    prompt_id: str
    agent: str
    tier: str
    model: str
    hash: str
    length: int
    decided_ms: float = 0.0  # what the decision has told of our overhead already


class Attempt(TypedDict):
    model: str
    served: str | None  # the model whose answer was the last
    kind: str
    took_ms: float
    detail: str


class Check(TypedDict):
    command: str
    code: int | None
    tail: str


class Record(TypedDict):
    """What run.json and `orchestrate-request --json` say of a run that has finished."""

    run: str
    session: str
    prompt_id: str
    decision: dict[str, object]
    mode: str
    agent: str  # that ran in the end, which an escalation makes another than was decided; `tier` likewise
    tier: str
    outcome: str
    exit_code: int
    detail: str
    model_requested: str
    model_served: str | None
    models: dict[str, dict[str, int | float | None]]
    cost_usd: float | None
    attempts: list[Attempt]
    check: Check | None  # the last that was made
    answer: str
    truncated: bool
    turns: int
    took_ms: float
    overhead_ms: float
    started_at: str
    finished_at: str


def redacted(record: Record) -> Record:
    """What a client said on failing may quote a key; the answer is the user's own."""
    if not record["detail"] and not any(attempt["detail"] for attempt in record["attempts"]):
        return record
    from state.redact import redact  # noqa: PLC0415  16 ms that a run without errors does not owe

    attempts: list[Attempt] = [{**attempt, "detail": redact(attempt["detail"])} for attempt in record["attempts"]]
    return {**record, "detail": redact(record["detail"]), "attempts": attempts}


def payload(record: Record) -> dict[str, object]:
    """Of `run.finished`."""
    return {
        "outcome": record["outcome"],
        "agent": record["agent"],
        "tier": record["tier"],
        "model_requested": record["model_requested"],
        "model_served": record["model_served"],
        "usage": record["models"],
        "cost_usd": record["cost_usd"],
        "attempts": [
            {"model": attempt["model"], "kind": attempt["kind"], "took_ms": attempt["took_ms"]}
            for attempt in record["attempts"]
        ],
        "took_ms": record["took_ms"],
        "overhead_ms": record["overhead_ms"],
    }
