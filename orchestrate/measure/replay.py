"""What a session would have cost under other rules for the main thread's model: the same prompts, the same tokens.

Each rule says which model a turn runs on; metrics.savings says what its calls then read from and write to the caches.
"""

from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import NamedTuple

from metrics import savings
from metrics.savings import Call
from orchestrate.measure import replay_read
from orchestrate.measure.replay_read import Session, Turn
from orchestrate.request import usage
from orchestrate.request.usage import Step
from routing import economics, main_thread
from routing.economics import RANK
from state.errors import UserError

NEVER, ENOUGH, FOLLOW, OURS = "never", "enough", "follow", "ours"
SEEN_STEPS = 60  # about what the hook reads of a transcript
# The main model, the turns so far as they were served, the next turn -> the model that it runs on.
Rule = Callable[[str, list[usage.Turn], Turn], str]


class Played(NamedTuple):
    """`served_share`: of the turns whose wish was sure, those that got at least that tier; None when there are none."""

    usd: float
    switches: int
    served_share: float | None


class Replay(NamedTuple):
    """`enough`: the cheapest single model, from the main one up, that serves every sure wish; else as `never`.

    `gross_usd`: what `ours` would save against `never` if no cache were lost; `recorded_usd`: by the usage as it was.
    """

    name: str
    main: str
    turns: int
    steps: int
    recorded_usd: float
    rules: dict[str, Played]
    gross_usd: float

    @property
    def net_usd(self) -> float:
        return self.rules[NEVER].usd - self.rules[OURS].usd

    @property
    def cache_loss_usd(self) -> float:
        return self.gross_usd - self.net_usd

    @property
    def is_main_enough(self) -> bool:
        """Whether the main model alone serves every sure wish."""
        return self.rules[NEVER].served_share in (None, 1.0)

    @property
    def best_usd(self) -> float:
        """The better of not switching and always following, at the same quality."""
        return min(self.rules[ENOUGH].usd, self.rules[FOLLOW].usd)


def replay(path: Path, main: str | None = None) -> Replay:
    return played(replay_read.read(path), main)


def played(session: Session, main: str | None = None) -> Replay:
    main = _named(main or session.main)
    if main not in economics.PRICES:
        raise UserError(f"{session.name}: {main}: no price is known of this model: name another with --main")
    calls = [call._replace(model=_named(call.model)) for call in session.calls]
    models = {name: served_by(session, main, rule) for name, rule in _rules(session, main).items()}
    served = {name: savings.served(calls, chosen) for name, chosen in models.items()}
    whole = _usd(served[NEVER])
    lossless = sum(_priced(call, model) for call, model in zip(served[NEVER], models[OURS], strict=True))
    return Replay(
        session.name,
        main,
        len(session.turns),
        len(calls),
        _usd(calls),
        {name: _judged(session, main, chosen, served[name]) for name, chosen in models.items()},
        whole - lossless,
    )


def _named(model: str) -> str:
    """One name for a model, whether it is told by its alias or by its id."""
    return economics.name_of(model) or model


def _rules(session: Session, main: str) -> dict[str, Rule]:
    wishes = [turn.wish.tier for turn in session.turns if turn.wish and turn.wish.is_sure]
    enough = max([main, *wishes], key=RANK.__getitem__)
    return {
        NEVER: lambda main, _, __: main,
        ENOUGH: lambda *_: enough,
        FOLLOW: follow,
        OURS: Ours(),
    }


def follow(main: str, before: list[usage.Turn], turn: Turn) -> str:
    """Where the router is unsure it stays, unless that is less than the user chose and the router wants."""
    now = before[-1].steps[-1].model if before else main
    wish = turn.wish
    if wish is None:
        return now
    if wish.is_sure:
        return wish.tier
    least = min(wish.tier, main, key=RANK.__getitem__)
    return max(now, least, key=RANK.__getitem__)


class Ours:
    """The hook's own rule, with what one prompt leaves to the next."""

    def __init__(self) -> None:
        self._left: dict[str, object] = {}

    def __call__(self, main: str, before: list[usage.Turn], turn: Turn) -> str:
        now = before[-1].steps[-1].model if before else main
        if turn.wish is None:
            return now
        found = None if turn.is_rewritten else usage.summary(_end(before))
        age_s = turn.at - found.at if found else None
        move = main_thread.decide(turn.wish, now, found, age_s, self._left)
        self._left = move.as_dict()
        return move.choice.tier


def _end(turns: list[usage.Turn]) -> list[usage.Turn]:
    kept: list[usage.Turn] = []
    steps = 0
    for turn in reversed(turns):
        if steps >= SEEN_STEPS:
            break
        steps += len(turn.steps)
        kept.append(turn)
    return kept[::-1]


def served_by(session: Session, main: str, rule: Rule) -> list[str]:
    """The model of each call."""
    before, models = list[usage.Turn](), list[str]()
    for turn in session.turns:
        model = rule(main, before, turn)
        run = usage.Turn(turn.at)
        run.steps = [_on(model, step) for step in turn.steps]
        before.append(run)
        models += [model] * len(turn.steps)
    return models


def _on(model: str, step: Step) -> Step:
    """What our rule looks at are the sizes of contexts, which are the same on each model."""
    return Step(step.at, model, step.input, step.output, step.cache_read, step.cache_write, step.is_1h)


def _judged(session: Session, main: str, models: Sequence[str], served: Sequence[Call]) -> Played:
    ends = accumulate(len(turn.steps) for turn in session.turns)
    by_turn = [models[end - 1] for end in ends]
    wished = [(turn.wish, model) for turn, model in zip(session.turns, by_turn, strict=True) if turn.wish]
    met = [RANK[model] >= RANK[wish.tier] for wish, model in wished if wish.is_sure]
    switches = sum(before != after for before, after in pairwise([main, *by_turn]))
    return Played(_usd(served), switches, sum(met) / len(met) if met else None)


def _usd(calls: Sequence[Call]) -> float:
    return sum(_priced(call) for call in calls)


def _priced(call: Call, model: str | None = None) -> float:
    return savings.usd(call, economics.rate, model) or 0.0
