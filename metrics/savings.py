"""What the main thread's calls cost, and would have cost on one model alone: the cache that a switch loses included.

One session at a time, its calls in order. Caches are modelled: each model keeps the part of the history that it saw
last, for five minutes or an hour from its last use. What a call really read shows how much of the history was still
the same; a history that became shorter was rewritten.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

TTL_S, HOUR_TTL_S = 300.0, 3600.0
# A model and whether its cache is one for an hour -> USD per million: input, output, cache read, cache write.
Rate = Callable[[str, bool], tuple[float, float, float, float] | None]


class Call(NamedTuple):
    """One model call as it was served."""

    at: float
    model: str
    input: int
    output: int
    cache_read: int
    cache_write: int
    is_1h: bool = False

    @property
    def context(self) -> int:
        return self.input + self.cache_read + self.cache_write


class Saved(NamedTuple):
    """`gross_usd`: had no cache been lost. `unpriced`: calls of models whose prices are not known, in no sum."""

    calls: int
    unpriced: int
    paid_usd: float
    base_usd: float
    gross_usd: float

    @property
    def net_usd(self) -> float:
        return self.base_usd - self.paid_usd

    @property
    def cache_loss_usd(self) -> float:
        return self.gross_usd - self.net_usd


class Prefixes:
    """How much of the history each model has in its cache."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[int, float]] = {}

    def serve(self, model: str, call: Call) -> Call:
        """The same call, served by `model` with what its cache holds."""
        size, at = self._kept.get(model, (0, call.at))
        alive = call.at - at < (HOUR_TTL_S if call.is_1h else TTL_S)
        read = min(size, call.context - call.input) if alive else 0
        self._kept[model] = call.context - call.input, call.at
        write = call.context - call.input - read
        return call._replace(model=model, cache_read=read, cache_write=write)

    def cut(self, size: int) -> None:
        """The history is the same up to here only."""
        self._kept = {model: (min(size, kept), at) for model, (kept, at) in self._kept.items()}


def served(calls: Sequence[Call], models: Sequence[str]) -> list[Call]:
    """The same calls had these models served them."""
    prefixes = Prefixes()
    found = []
    for call, same, model in zip(calls, unchanged(calls), models, strict=True):
        if same is not None:
            prefixes.cut(same)
        found.append(prefixes.serve(model, call))
    return found


def unchanged(calls: Iterable[Call]) -> list[int | None]:
    """How much of the history each call shares with those before, where it tells that."""
    found: list[int | None] = []
    last: Call | None = None
    for call in calls:
        found.append(call.cache_read if last and _tells(last, call) else None)
        last = call
    return found


def _tells(last: Call, call: Call) -> bool:
    was_alive = call.model == last.model and call.at - last.at < (HOUR_TTL_S if call.is_1h else TTL_S)
    return was_alive or call.context < last.context


def usd(call: Call, rate: Rate, model: str | None = None) -> float | None:
    """`model`: at whose prices, else its own."""
    prices = rate(model or call.model, call.is_1h)
    if prices is None:
        return None
    given, out, read, write = prices
    return (call.input * given + call.output * out + call.cache_read * read + call.cache_write * write) / 1e6


def saved(calls: Sequence[Call], base: str, rate: Rate) -> Saved:
    """Against every one of these calls on `base`."""
    priced = [call for call in calls if rate(call.model, call.is_1h)]
    if rate(base, False) is None:
        return Saved(0, len(calls), 0.0, 0.0, 0.0)
    alone = served(priced, [base] * len(priced))
    paid = sum(usd(call, rate) or 0.0 for call in priced)
    whole = sum(usd(call, rate) or 0.0 for call in alone)
    lossless = sum(usd(at_base, rate, call.model) or 0.0 for at_base, call in zip(alone, priced, strict=True))
    return Saved(len(priced), len(calls) - len(priced), paid, whole, whole - lossless)
