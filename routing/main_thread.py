"""Which model the main thread is to run for a prompt, out of the router's wish, the money, and what the session showed.

Pure. What one prompt leaves to the next is the dict that `Move.as_dict` makes and `decide` takes as `before`.
"""

from routing import economics
from routing.economics import BACK, END, RANK, STEPS, TIERS, Choice, Horizon, Prices, Usage

TRUST = 6.0  # so many turns of a session weigh as much as what is presumed
_LONG_AGO = 99
_NOTHING = (0, 0, 0)


class Wish:
    """What the router wants for a prompt. An unsure one asks for no more than the user chose, and for nothing less."""

    __slots__ = ("is_asked", "is_sure", "tier")

    def __init__(self, tier: str, is_sure: bool = True, is_asked: bool = False) -> None:
        self.tier = tier
        self.is_sure = is_sure
        self.is_asked = is_asked


class Past:
    """What the session showed, by the tier a turn wanted: turns, their model calls, how often more was wanted next."""

    __slots__ = ("seen",)

    def __init__(self, seen: dict[str, tuple[int, int, int]]) -> None:
        self.seen = seen

    def horizon(self, tier: str) -> Horizon:
        back = self.back(tier)
        turns = 1 / (back + END)
        return Horizon(self.steps(tier) * turns, turns, back * turns)

    def back(self, tier: str) -> float:
        """The chance that the turn after one of this tier wants a dearer one."""
        below = [seen for name, seen in self.seen.items() if name != TIERS[-1]]
        usual = (sum(raised for _, _, raised in below) + BACK * TRUST) / (sum(turns for turns, _, _ in below) + TRUST)
        turns, _, raised = self.seen.get(tier, _NOTHING)
        return (raised + usual * TRUST) / (turns + TRUST)

    def steps(self, tier: str) -> float:
        """Model calls that a turn of this tier takes: what is usual, to the measure of this session."""
        presumed = sum(STEPS[name] * turns for name, (turns, _, _) in self.seen.items()) + TRUST * STEPS["sonnet"]
        taken = sum(steps for _, steps, _ in self.seen.values()) + TRUST * STEPS["sonnet"]
        turns, steps, _ = self.seen.get(tier, _NOTHING)
        return max(1.0, (steps + TRUST * STEPS[tier] * taken / presumed) / (turns + TRUST))

    def after(self, wanted: str, steps: int, is_raised: bool) -> "Past":
        turns, before, raised = self.seen.get(wanted, _NOTHING)
        return Past({**self.seen, wanted: (turns + 1, before + steps, raised + is_raised)})

    def as_dict(self) -> dict[str, list[int]]:
        return {name: list(seen) for name, seen in self.seen.items()}


class Move:
    """What to do, and all that the next prompt must know of it."""

    __slots__ = ("base", "choice", "current", "missed_usd", "past", "since", "wanted")

    def __init__(
        self,
        choice: Choice,
        current: str | None,
        base: str | None,
        wanted: str,
        since: int,
        past: Past,
        missed_usd: float,
    ) -> None:
        self.choice = choice
        self.current = current
        self.base = base
        self.wanted = wanted
        self.since = since
        self.past = past
        self.missed_usd = missed_usd

    def as_dict(self) -> dict[str, object]:
        return {
            "from": self.current,
            "to": self.choice.tier or None,
            "base": self.base,
            "wanted": self.wanted,
            "switch": self.choice.switch,
            "stay_usd": _rounded(self.choice.stay_usd),
            "switch_usd": _rounded(self.choice.switch_usd),
            "why": self.choice.why,
            "since": self.since,
            "missed_usd": round(self.missed_usd, 6),
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
    if usage is None and before.get("to"):  # the history was compacted: what runs is what was set
        served = str(before["to"])
    current = economics.name_of(served, prices)
    base = _base(current, before)
    floor = _floor(wish, current, base)
    past = _past(before, usage, floor)
    missed = _missed(before, usage, current, floor, prices)
    since = _count(before.get("since"), _LONG_AGO)
    choice = _choice(wish, floor, current, base, usage, age_s, past, since + 1, missed, prices, served)
    is_down = choice.switch and current is not None and RANK.get(choice.tier, 0) < RANK[current]
    return Move(choice, current, base, wish.tier, 0 if is_down else min(since + 1, _LONG_AGO), past, missed)


def _choice(
    wish: Wish,
    floor: str,
    current: str | None,
    base: str | None,
    usage: Usage | None,
    age_s: float | None,
    past: Past,
    since: int,
    missed_usd: float,
    prices: Prices,
    served: str | None,
) -> Choice:
    if current is None and served:
        return Choice(False, served, "nothing is known of what this model costs")
    if wish.is_asked:
        return Choice(wish.tier != current, wish.tier, f"the user asked for {wish.tier}")
    if not wish.is_sure and (current is None or RANK[floor] <= RANK[current]):
        return Choice(False, current or "", "the router is unsure")
    if current is None:
        return Choice(True, wish.tier, "a fresh context has no cache to lose")
    return economics.choose(floor, current, usage, prices, age_s, past.horizon(floor), since, base, missed_usd)


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


def _missed(before: dict[str, object], usage: Usage | None, current: str | None, floor: str, prices: Prices) -> float:
    """Since the last switch, and as long as no turn wanted what runs: a long wait is as dear as the switch itself."""
    wanted = before.get("wanted")
    if usage is None or current is None or wanted not in prices or before.get("to") != current or before.get("switch"):
        return 0.0
    if RANK[floor] >= RANK[current] or RANK[str(wanted)] >= RANK[current]:
        return 0.0
    waited = before.get("missed_usd")
    return (waited if isinstance(waited, float) else 0.0) + economics.missed_usd(current, floor, usage, prices)


def _past(before: dict[str, object], usage: Usage | None, floor: str) -> Past:
    past = _past_of(before.get("past"))
    wanted = before.get("wanted")
    if not isinstance(wanted, str) or wanted not in STEPS or usage is None:
        return past
    return past.after(wanted, usage.last_steps, RANK[floor] > RANK[wanted])


def _past_of(kept: object) -> Past:
    if not isinstance(kept, dict):
        return Past({})
    lists = {name: value for name, value in kept.items() if name in STEPS and isinstance(value, list)}
    whole = {name: value for name, value in lists.items() if len(value) == len(_NOTHING)}
    return Past({name: (_count(a, 0), _count(b, 0), _count(c, 0)) for name, (a, b, c) in whole.items()})


def _count(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) and value >= 0 else otherwise


def _rounded(usd: float | None) -> float | None:
    return None if usd is None else round(usd, 6)
