"""Which model the main thread is to run for a prompt, out of the router's wish, the money, and what the session showed.

Pure. What one prompt leaves to the next is the dict that `Move.as_dict` makes and `decide` takes as `before`.
"""

from routing import economics
from routing.economics import BACK, END, RANK, STEPS, Choice, Horizon, Prices, Usage

_TRUST = 2.0  # turns of a session that weigh as much as what is presumed
_LONG_AGO = 99


class Wish:
    """What the router wants for a prompt. An unsure one asks for no more than the user chose, and for nothing less."""

    __slots__ = ("is_asked", "is_sure", "tier")

    def __init__(self, tier: str, is_sure: bool = True, is_asked: bool = False) -> None:
        self.tier = tier
        self.is_sure = is_sure
        self.is_asked = is_asked


class Past:
    """What the session showed: turns and model calls by the tier they wanted, and how often more was wanted next."""

    __slots__ = ("below", "raised", "seen")

    def __init__(self, seen: dict[str, tuple[int, int]], below: int = 0, raised: int = 0) -> None:
        self.seen = seen
        self.below = below
        self.raised = raised

    def horizon(self, tier: str) -> Horizon:
        back = (self.raised + BACK * _TRUST) / (self.below + _TRUST)
        turns = 1 / (back + END)
        return Horizon(self.steps(tier) * turns, turns, back * turns)

    def steps(self, tier: str) -> float:
        """Model calls that a turn of this tier takes: what is usual, to the measure of this session."""
        presumed = sum(STEPS[name] * turns for name, (turns, _) in self.seen.items())
        taken = sum(steps for _, steps in self.seen.values())
        usual = STEPS[tier] * (taken + _TRUST * STEPS["sonnet"]) / (presumed + _TRUST * STEPS["sonnet"])
        turns, steps = self.seen.get(tier, (0, 0))
        return max(1.0, (steps + _TRUST * usual) / (turns + _TRUST))

    def after(self, wanted: str, steps: int, was_below: bool, is_raised: bool) -> "Past":
        turns, before = self.seen.get(wanted, (0, 0))
        seen = {**self.seen, wanted: (turns + 1, before + steps)} if steps else self.seen
        return Past(seen, self.below + was_below, self.raised + (was_below and is_raised))

    def as_dict(self) -> dict[str, object]:
        return {**{name: list(seen) for name, seen in self.seen.items()}, "back": [self.below, self.raised]}


class Move:
    """What to do, and all that the next prompt must know of it."""

    __slots__ = ("base", "choice", "current", "past", "since", "wanted")

    def __init__(
        self, choice: Choice, current: str | None, base: str | None, wanted: str, since: int, past: Past
    ) -> None:
        self.choice = choice
        self.current = current
        self.base = base
        self.wanted = wanted
        self.since = since
        self.past = past

    def as_dict(self) -> dict[str, object]:
        return {
            "from": self.current,
            "to": self.choice.tier,
            "base": self.base,
            "wanted": self.wanted,
            "switch": self.choice.switch,
            "stay_usd": _rounded(self.choice.stay_usd),
            "switch_usd": _rounded(self.choice.switch_usd),
            "why": self.choice.why,
            "since": self.since,
            "past": self.past.as_dict(),
        }


def decide(
    wish: Wish,
    served: str | None,
    usage: Usage | None,
    age_s: float | None,
    before: dict[str, object],
    prices: Prices = economics.PRICES,
) -> Move:
    """`served`: the model of the last step, or what the session was started with; `before`: of the last prompt."""
    current = economics.name_of(served, prices)
    base = _base(current, before)
    floor = _floor(wish, current, base)
    past = _past(before, usage, base, floor)
    since = _count(before.get("since"), _LONG_AGO)
    choice = _choice(wish, floor, current, base, usage, age_s, past, since, prices, served)
    return Move(choice, current, base, wish.tier, 0 if choice.switch else min(since + 1, _LONG_AGO), past)


def _choice(
    wish: Wish,
    floor: str,
    current: str | None,
    base: str | None,
    usage: Usage | None,
    age_s: float | None,
    past: Past,
    since: int,
    prices: Prices,
    served: str | None,
) -> Choice:
    if current is None and served:
        return Choice(False, served, "nothing is known of what this model costs")
    if wish.is_asked:
        return Choice(wish.tier != current, wish.tier, f"the user asked for {wish.tier}")
    if current is None:
        return Choice(wish.is_sure, wish.tier, "a fresh context has no cache to lose")
    if not wish.is_sure and RANK[floor] <= RANK[current]:
        return Choice(False, current, "the router is unsure")
    return economics.choose(floor, current, usage, prices, age_s, past.horizon(floor), since, base)


def _base(current: str | None, before: dict[str, object]) -> str | None:
    """The user's own choice: what ran first, or what runs now though nobody here set it."""
    if not before or current not in (before.get("to"), before.get("base")):
        return current
    base = before.get("base")
    return base if isinstance(base, str) else None


def _floor(wish: Wish, current: str | None, base: str | None) -> str:
    """The least tier that will do."""
    if wish.is_sure or base is None or RANK[wish.tier] <= RANK[base]:
        return wish.tier
    return base


def _past(before: dict[str, object], usage: Usage | None, base: str | None, floor: str) -> Past:
    past = _past_of(before.get("past"))
    wanted = before.get("wanted")
    if not isinstance(wanted, str) or wanted not in STEPS:
        return past
    was_below = base is not None and RANK[wanted] < RANK[base]
    return past.after(wanted, usage.last_steps if usage else 0, was_below, RANK[floor] > RANK[wanted])


def _past_of(kept: object) -> Past:
    if not isinstance(kept, dict):
        return Past({})
    pairs = {name: value for name, value in kept.items() if isinstance(value, list) and len(value) == 2}
    counts = {name: (_count(value[0], 0), _count(value[1], 0)) for name, value in pairs.items()}
    below, raised = counts.pop("back", (0, 0))
    return Past({name: seen for name, seen in counts.items() if name in STEPS}, below, raised)


def _count(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) and value >= 0 else otherwise


def _rounded(usd: float | None) -> float | None:
    return None if usd is None else round(usd, 6)
