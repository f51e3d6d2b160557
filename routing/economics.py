"""Stay or switch: what the main thread's next steps are expected to cost on each tier, a lost prompt cache included.

Pure. Asked at user turns only: within a turn nobody asks, so a loop of tool calls is never cut in two. How it decides
and what it assumes: docs/economics.md.
"""

TIERS = ("haiku", "sonnet", "opus")
RANK = {"haiku": 0, "sonnet": 1, "opus": 2, "fable": 3}
Rates = tuple[float, float, float, float]  # USD per million tokens: input, output, cache read, cache write
Prices = dict[str, Rates]
# The cache writes are those for five minutes.
PRICES: Prices = {
    "haiku": (0.1, 0.5, 0.01, 0.125),
    "sonnet": (2.0, 10.0, 0.1, 2.5),
    "opus": (4.0, 20.0, 0.2, 5.0),
    "fable": (8.0, 40.0, 0.2, 10.0),
}
HOUR_WRITE = 2.0  # a cache write for an hour costs this many times the input
TTL_S, HOUR_TTL_S = 300.0, 3600.0
DWELL_TURNS, DWELL_MARGIN = 1, 0.05  # so soon after a switch down the next must save this share of what staying costs
# Before a session has shown its own: calls of a turn, chance that the next turn wants more, chance of no next turn.
STEPS = {"haiku": 3.0, "sonnet": 8.0, "opus": 12.0}
BACK, END = 0.12, 0.15
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


class Outlook:
    """What is known when it is asked whether to stay. `home`: where work that wants more is expected to go."""

    __slots__ = ("age_s", "current", "gap_s", "home", "horizon", "prices", "ttl_s", "usage")

    def __init__(
        self, usage: Usage, current: str, home: str, prices: Prices, age_s: float | None, horizon: Horizon
    ) -> None:
        self.usage = usage
        self.current = current
        self.home = home
        self.prices = prices
        self.age_s = max(0.0, age_s or 0.0)  # clocks may differ
        self.horizon = horizon
        self.ttl_s = HOUR_TTL_S if usage.is_1h else TTL_S
        # This pause is the newest sign of how long the pauses of this session are.
        self.gap_s = usage.gap_s if age_s is None else (3 * usage.gap_s + self.age_s) / 4

    def usd(self, name: str) -> float:
        """All model calls up to the horizon on this model, and the way back home after it."""
        usage, horizon = self.usage, self.horizon
        _, out, read, write = self._rates(name)
        warm = self._warm(name)
        later = self._size + usage.growth * horizon.steps / 2  # on average: the history grows
        cost = warm * read + (self._size - warm) * write
        cost += (horizon.steps - 1) * later * read + horizon.steps * (usage.growth * write + usage.out * out)
        cost += (horizon.turns - 1) * self._chance_of_pause(self.ttl_s) * later * (write - read)
        if RANK[name] < RANK[self.home]:
            cost += horizon.returns * self._way_back()
        return cost / 1e6

    def _way_back(self) -> float:
        """Home must write what it missed, and the whole history where its cache ran out only because it was left."""
        _, _, read, write = self._rates(self.home)
        age_s = self._age_s(self.home)
        away_s = self.ttl_s if age_s is None else age_s
        away_s += self.horizon.steps * self.usage.step_s + (self.horizon.turns - 1) * self.gap_s
        cold_anyway = self._chance_of_pause(self.ttl_s)
        cold = self._chance_of_pause(self.ttl_s - away_s)
        missed = (1 - cold_anyway) * self.horizon.steps * self.usage.growth * write
        return missed + (cold - cold_anyway) * self._size * (write - read)

    def _warm(self, name: str) -> int:
        """How much of the history its cache holds."""
        age_s = self._age_s(name)
        if age_s is None or age_s >= self.ttl_s:
            return 0
        context = self.usage.context
        return context if name == self.current else min(context, self.usage.elsewhere[name][0])

    def _age_s(self, name: str) -> float | None:
        """Since the model last saw this history; None when it never did."""
        if name == self.current:
            return self.age_s
        seen = self.usage.elsewhere.get(name)
        return self.usage.at - seen[1] + self.age_s if seen else None

    def _chance_of_pause(self, longer_than_s: float) -> float:
        chance: float = _E ** (-max(0.0, longer_than_s) / self.gap_s)
        return chance

    def _rates(self, name: str) -> Rates:
        return rates(self.prices[name], self.usage.is_1h)

    @property
    def _size(self) -> int:
        return self.usage.context + self.usage.output


def choose(
    wanted: str,
    current: str,
    usage: Usage | None,
    prices: Prices,
    age_s: float | None,
    horizon: Horizon,
    last_switch_turns_ago: int | None,
    base: str | None = None,
    missed_usd: float = 0.0,
) -> Choice:
    """`wanted`: the least tier that will do; `current`: what runs; `base`: what the user chose for the session;
    `missed_usd`: what staying has cost so far since less would do."""
    if current not in RANK or current not in prices or wanted not in prices:
        return Choice(False, current, "nothing is known of what this model costs")
    if usage is None:
        return Choice(wanted != current, wanted, "a fresh context has no cache to lose")
    must = RANK[current] < RANK[wanted]
    most = max(RANK[wanted], RANK.get(base or "", 0)) if must else RANK[current]
    names = [name for name in TIERS if name in prices and RANK[wanted] <= RANK[name] <= most and name != current]
    outlook = Outlook(usage, current, base if base in prices else current, prices, age_s, horizon)
    stay_usd = outlook.usd(current)
    if not names:
        return Choice(False, current, "nothing cheaper would do", stay_usd)
    switch_usd, best = min((outlook.usd(name), name) for name in names)
    if must:
        return Choice(True, best, f"{current} is less than the work needs", stay_usd, switch_usd)
    is_recent = last_switch_turns_ago is not None and last_switch_turns_ago <= DWELL_TURNS
    margin_usd = stay_usd * DWELL_MARGIN if is_recent else 0.0
    if switch_usd + margin_usd < stay_usd + missed_usd:
        return Choice(True, best, "cheaper, the lost cache included", stay_usd, switch_usd)
    return Choice(False, current, "a switch would not pay for the cache it loses", stay_usd, switch_usd)


def missed_usd(current: str, wanted: str, usage: Usage, prices: Prices = PRICES) -> float:
    """What the last turn would have cost less on the tier that would have done, had its cache been warm."""
    _, out, read, write = rates(prices[current], usage.is_1h)
    _, least_out, least_read, least_write = rates(prices[wanted], usage.is_1h)
    a_step = usage.context * (read - least_read) + usage.growth * (write - least_write) + usage.out * (out - least_out)
    return usage.last_steps * a_step / 1e6


def name_of(model: str | None, prices: Prices = PRICES) -> str | None:
    """The line of the table that a model's name or id belongs to."""
    lower = (model or "").lower()
    return next((name for name in prices if name in lower), None)


def rate(model: str, is_1h: bool, prices: Prices = PRICES) -> Rates | None:
    """What a model costs, by its name or id."""
    name = name_of(model, prices)
    return rates(prices[name], is_1h) if name else None


def rates(price: Rates, is_1h: bool) -> Rates:
    given, out, read, write = price
    return given, out, read, given * HOUR_WRITE if is_1h else write
