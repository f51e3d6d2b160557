"""What the hot path may know of the platform: the models that fail just now, as the agent runner found them."""

from state import codec

BREAKERS = "breakers.json"


def failing(user: str | None, now: float) -> frozenset[str]:
    """The models, by the names they were asked by, whose circuit breaker is open."""
    entries = codec.load(f"{user}/{BREAKERS}") if user else {}
    return frozenset(model for model, entry in entries.items() if _until(entry) > now)


def _until(entry: object) -> float:
    until = entry.get("until") if isinstance(entry, dict) else None
    return until if isinstance(until, int | float) else 0.0
