"""Stay or switch: what the main thread's next steps are expected to cost on each tier, a lost prompt cache included.

Pure. Asked at user turns only: within a turn nobody asks, so a loop of tool calls is never cut in two. How it decides
and what it assumes: docs/economics.md.
"""

TIERS = ("haiku", "sonnet", "opus")
RANK = {"haiku": 0, "sonnet": 1, "opus": 2, "fable": 3}
Prices = dict[str, tuple[float, float, float, float]]
# USD per million tokens: input, output, cache read, cache write for five minutes.
PRICES: Prices = {
    "haiku": (0.1, 0.5, 0.01, 0.125),
    "sonnet": (2.0, 10.0, 0.1, 2.5),
    "opus": (4.0, 20.0, 0.2, 5.0),
    "fable": (8.0, 40.0, 0.2, 10.0),
}
HOUR_WRITE = 2.0  # a cache write for an hour costs this many times the input
TTL_S, HOUR_TTL_S = 300.0, 3600.0
MARGIN = 0.1  # what a switch must save of what staying costs
DWELL_TURNS = 1  # so soon after a switch it must save twice that
# Before a session has shown its own: calls of a turn, chance that the next turn wants more, chance of no next turn.
STEPS = {"haiku": 3.0, "sonnet": 8.0, "opus": 12.0}
BACK, END = 0.5, 0.1
_E = 2.718281828459045


class Usage:
    """The main thread's last model step, and the ways of the session as far as they were read.

    `elsewhere`: of every other model used since the history was last rewritten, its name, how many tokens of the
    history it saw, and when.
    """

    __slots__ = (
        "at",
        "cache_read",
        "cache_write",
        "elsewhere",
        "gap_s",
        "growth",
        "input",
        "is_1h",
        "last_steps",
        "model",
        "out",
        "output",
        "step_s",
        "steps",
        "turns",
    )

    def __init__(
        self,
        model: str,
        input: int = 0,
        output: int = 0,
        cache_read: int = 0,
        cache_write: int = 0,
        is_1h: bool = False,
        at: float = 0.0,
        steps: int = 1,
        turns: int = 1,
        last_steps: int = 1,
        step_s: float = 10.0,
        gap_s: float = 120.0,
        out: float = 400.0,
        growth: float = 1500.0,
        elsewhere: dict[str, tuple[int, float]] | None = None,
    ) -> None:
        self.model = model
        self.input = input
        self.output = output
        self.cache_read = cache_read
        self.cache_write = cache_write
        self.is_1h = is_1h
        self.at = at
        self.steps = steps
        self.turns = turns
        self.last_steps = last_steps
        self.step_s = step_s
        self.gap_s = gap_s
        self.out = out
        self.growth = growth
        self.elsewhere = elsewhere or {}

    @property
    def context(self) -> int:
        return self.input + self.cache_read + self.cache_write


class Horizon:
    """How long the next work is expected to last, and how likely a dearer tier is wanted after it."""

    __slots__ = ("returns", "steps", "turns")

    def __init__(self, steps: float, turns: float = 1.0, returns: float = 1.0) -> None:
        self.steps = steps
        self.turns = turns
        self.returns = returns


class Choice:
    """`tier` is what the main thread is to run; `stay_usd` and `switch_usd` are None where nothing could be weighed."""

    __slots__ = ("stay_usd", "switch", "switch_usd", "tier", "why")

    def __init__(
        self, switch: bool, tier: str, why: str, stay_usd: float | None = None, switch_usd: float | None = None
    ) -> None:
        self.switch = switch
        self.tier = tier
        self.why = why
        self.stay_usd = stay_usd
        self.switch_usd = switch_usd


def name_of(model: str | None, prices: Prices = PRICES) -> str | None:
    """The line of the table that a model's name or id belongs to."""
    lower = (model or "").lower()
    return next((name for name in prices if name in lower), None)


def choose(
    wanted: str,
    current: str,
    usage: Usage | None,
    prices: Prices,
    age_s: float | None,
    horizon: Horizon,
    last_switch_turns_ago: int | None,
    base: str | None = None,
) -> Choice:
    """`wanted`: the least tier that will do; `current`: what runs; `base`: what the user chose for the session."""
    if name_of(current, prices) is None or current not in RANK:
        return Choice(False, current, "nothing is known of what this model costs")
    if usage is None or not usage.context:
        return Choice(wanted != current, wanted, "a fresh context has no cache to lose")
    costs = _costs(wanted, current, usage, prices, age_s, horizon, base or current)
    stay_usd = costs[current]
    others = [name for name in costs if name != current and RANK[name] >= RANK[wanted]]
    if not others:
        return Choice(False, current, "nothing else would do", stay_usd)
    best = min(others, key=costs.__getitem__)
    if RANK[current] < RANK[wanted]:
        return Choice(True, best, f"{current} is less than the work needs", stay_usd, costs[best])
    margin = MARGIN * (2 if last_switch_turns_ago is not None and last_switch_turns_ago <= DWELL_TURNS else 1)
    if costs[best] <= stay_usd * (1 - margin):
        return Choice(True, best, "cheaper, the lost cache included", stay_usd, costs[best])
    return Choice(False, current, "a switch would not pay for the cache it loses", stay_usd, costs[best])


def _costs(
    wanted: str,
    current: str,
    usage: Usage,
    prices: Prices,
    age_s: float | None,
    horizon: Horizon,
    base: str,
) -> dict[str, float]:
    most = max(RANK[wanted], RANK[current], RANK.get(base, 0))
    names = [name for name in (*TIERS, current) if name in prices and RANK[name] <= most]
    home = base if base in prices else current
    return {name: expected_usd(name, current, usage, prices, age_s, horizon, home) for name in names}


def expected_usd(
    name: str, current: str, usage: Usage, prices: Prices, age_s: float | None, horizon: Horizon, home: str
) -> float:
    """All model calls up to the horizon on `name`, and the way back to `home` after it."""
    _, out, read, write = rates(prices[name], usage.is_1h)
    ttl_s = HOUR_TTL_S if usage.is_1h else TTL_S
    size = usage.context + usage.output
    warm = _warm(name, current, usage, age_s, ttl_s)
    usd = warm * read + (size - warm) * write
    later = size + usage.growth * horizon.steps / 2  # on average: the history grows
    usd += (horizon.steps - 1) * later * read + horizon.steps * (usage.growth * write + usage.out * out)
    idle: float = _E ** (-ttl_s / usage.gap_s)
    usd += (horizon.turns - 1) * idle * later * (write - read)
    if RANK[name] < RANK[home]:
        usd += horizon.returns * _way_back(home, current, usage, prices, age_s, horizon, ttl_s)
    return usd / 1e6


def _way_back(
    home: str, current: str, usage: Usage, prices: Prices, age_s: float | None, horizon: Horizon, ttl_s: float
) -> float:
    """What it missed is written, and all of it where its cache ran out only because it was left alone."""
    _, _, read, write = rates(prices[home], usage.is_1h)
    size = usage.context + usage.output
    age = _age(home, current, usage, age_s)
    away_s = (ttl_s if age is None else age) + horizon.steps * usage.step_s + (horizon.turns - 1) * usage.gap_s
    lost: float = _E ** (-max(0.0, ttl_s - away_s) / usage.gap_s) - _E ** (-ttl_s / usage.gap_s)
    return horizon.steps * usage.growth * write + max(0.0, lost) * size * (write - read)


def _warm(name: str, current: str, usage: Usage, age_s: float | None, ttl_s: float) -> int:
    age = _age(name, current, usage, age_s)
    if age is None or age >= ttl_s:
        return 0
    return usage.context if name == current else min(usage.context, usage.elsewhere[name][0])


def _age(name: str, current: str, usage: Usage, age_s: float | None) -> float | None:
    """Seconds since the model last saw this history; None when it never did."""
    since = 0.0 if age_s is None else age_s
    if name == current:
        return since
    return usage.at - usage.elsewhere[name][1] + since if name in usage.elsewhere else None


def rate(model: str, is_1h: bool, prices: Prices = PRICES) -> tuple[float, float, float, float] | None:
    """USD per million of a model by its name or id: input, output, cache read, cache write."""
    name = name_of(model, prices)
    return rates(prices[name], is_1h) if name else None


def rates(price: tuple[float, float, float, float], is_1h: bool) -> tuple[float, float, float, float]:
    given, out, read, write = price
    return given, out, read, given * HOUR_WRITE if is_1h else write
