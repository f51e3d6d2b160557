"""From events to signals: which tiers would have been right for a prompt, and how much that is to be believed.

A verdict is about the tier that did the work, which need not be the one decided. `accept` are the tiers that are right
as far as the signal tells: after "too weak" every stronger one.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from orchestrate.learning.events import (
    DECIDED,
    FEEDBACK,
    LAUNCHED,
    RUN_FINISHED,
    RUN_STARTED,
    TURN_ENDED,
    TURN_FAILED,
    Told,
)
from routing.routing_core import tier_of
from routing.score import TIERS

GOOD, TOO_WEAK, TOO_STRONG = VERDICTS = ("good", "too-weak", "too-strong")
USER, FORCED, ESCALATION, RED_CHECK, RAISED, REPEAT = SOURCES = (
    "user",
    "forced",
    "escalation",
    "red-check",
    "raised",
    "repeat",
)
# What a signal counts beside the user's own word. A repeat may have many reasons.
WEIGHTS = {USER: 1.0, FORCED: 0.8, ESCALATION: 0.8, RED_CHECK: 0.6, RAISED: 0.6, REPEAT: 0.3}
RETRY_S = 600.0
REPEAT_LENGTH = 24  # characters: what is shorter, as "run the tests", is said again without complaint
ALL = frozenset(TIERS)
Accept = frozenset[str]


class Signal(NamedTuple):
    session: str
    prompt_id: str
    source: str
    verdict: str
    tier: str  # that it speaks of
    accept: Accept
    ts: str  # of the event that gave it

    @property
    def weight(self) -> float:
        return WEIGHTS[self.source]


class Label(NamedTuple):
    """What all signals of a prompt say together."""

    decided: Told
    accept: Accept
    weight: float
    sources: tuple[str, ...]


class Prompt:
    """A decided prompt with what came of it."""

    def __init__(self, decided: Told) -> None:
        self.decided = decided
        self.feedback: list[Told] = []
        self.launched: list[str] = []  # tiers of the agents that it started
        self.started: dict[str, str] = {}  # tiers of its runs
        self.finished: list[Told] = []
        self.has_ended = self.has_failed = False

    @property
    def tier(self) -> str:
        """That did the work, as far as that is told, else the one decided."""
        decided = self.decided
        tier = decided.word("tier") or ""
        main = tier_of(decided.word("main_tier"))
        if decided.word("main_model"):
            return tier_of(decided.word("main_model")) or tier
        if decided.word("rung") == "orchestration":
            return tier
        if decided.word("action") == "stay":
            return main or tier
        if len(set(self.launched)) == 1:
            return self.launched[0]
        return main if main and self.has_ended and not self.launched else tier


def signals(events: Iterable[Told]) -> list[Signal]:
    """Every signal, in the order of the prompts; `events` are in the order they came."""
    prompts = gather(events)
    found: list[Signal] = []
    by_session: defaultdict[str, list[Prompt]] = defaultdict(list)
    for prompt in prompts:
        by_session[prompt.decided.session].append(prompt)
        found += [*_told(prompt), *_forced(prompt), *_escalated(prompt)]
    for session in by_session.values():
        for earlier, later in pairwise(session):
            found += _retried(earlier, later)
    return sorted(found, key=lambda signal: signal.ts)


def labels(events: Iterable[Told]) -> tuple[list[Label], int]:
    """One for each prompt with a signal, and how many prompts were left out because their signals contradict."""
    events = [*events]
    decided = {(prompt.decided.session, prompt.decided.prompt_id): prompt.decided for prompt in gather(events)}
    by_prompt: defaultdict[tuple[str, str], list[Signal]] = defaultdict(list)
    for signal in signals(events):
        by_prompt[signal.session, signal.prompt_id].append(signal)
    found = [_label(decided[key], told) for key, told in by_prompt.items()]
    return [label for label in found if label], sum(label is None for label in found)


def gather(events: Iterable[Told]) -> list[Prompt]:
    prompts: dict[tuple[str, str], Prompt] = {}
    loose: list[Told] = []
    for told in events:
        if not told.prompt_id:
            continue
        if told.kind == DECIDED:
            prompts[told.session, told.prompt_id] = Prompt(told)
        else:
            loose.append(told)
    for told in loose:
        prompt = prompts.get((told.session, told.prompt_id or ""))
        if prompt:
            _note(prompt, told)
    return [*prompts.values()]


def _note(prompt: Prompt, told: Told) -> None:
    tier = tier_of(told.word("model"))
    if told.kind == FEEDBACK and told.word("verdict") in VERDICTS:
        prompt.feedback.append(told)
    elif told.kind == LAUNCHED and tier:
        prompt.launched.append(tier)
    elif told.kind == RUN_STARTED:
        prompt.started[told.entity_id] = told.word("tier") or ""
    elif told.kind == RUN_FINISHED:
        prompt.finished.append(told)
    prompt.has_ended = prompt.has_ended or told.kind == TURN_ENDED
    prompt.has_failed = prompt.has_failed or told.kind == TURN_FAILED


def _label(decided: Told, told: list[Signal]) -> Label | None:
    """The user's last word stands alone; what is derived has to agree."""
    own = [signal for signal in told if signal.source == USER][-1:]
    counted = own or told
    accept = frozenset.intersection(*(signal.accept for signal in counted))
    if not accept:
        return None
    sources = tuple(sorted({signal.source for signal in counted}, key=SOURCES.index))
    return Label(decided, accept, max(signal.weight for signal in counted), sources)


def _told(prompt: Prompt) -> list[Signal]:
    found = []
    for told in prompt.feedback:
        verdict = told.word("verdict") or ""
        found += _signal(prompt, USER, verdict, prompt.tier, _meant(prompt, verdict), told.ts)
    return found


def _meant(prompt: Prompt, verdict: str) -> Accept:
    tier = prompt.tier
    if tier not in TIERS:
        return ALL
    if verdict == TOO_WEAK:
        return above(tier)
    if verdict == TOO_STRONG:
        return below(tier)
    decided = prompt.decided.word("tier") or tier
    # Good work of a stronger tier than the one decided says nothing of whether the weaker one would have done.
    return ALL if _rank(tier) > _rank(decided) else frozenset((tier,))


def _forced(prompt: Prompt) -> list[Signal]:
    decided = prompt.decided
    tier = decided.word("tier")
    if decided.payload.get("override") is not True or tier not in TIERS:
        return []
    return _signal(prompt, FORCED, GOOD, tier, frozenset((tier,)), decided.ts)


def _escalated(prompt: Prompt) -> list[Signal]:
    found = []
    for told in prompt.finished:
        first, last = prompt.started.get(told.entity_id, ""), told.word("tier") or ""
        if first not in TIERS or last not in TIERS:
            continue
        if told.word("outcome") == "red_check":
            found += _signal(prompt, RED_CHECK, TOO_WEAK, last, above(last), told.ts)
        elif _rank(last) > _rank(first):
            found += _signal(prompt, ESCALATION, TOO_WEAK, first, above(first), told.ts)
    return found


def _retried(earlier: Prompt, later: Prompt) -> list[Signal]:
    """What followed at once: the same again, or the next one on a stronger tier by the user's own choice."""
    before, after = earlier.decided, later.decided
    if earlier.has_failed or _seconds(before.ts, after.ts) > RETRY_S:
        return []
    tier, chosen = earlier.tier, after.word("tier") or ""
    if after.payload.get("override") is True and chosen in TIERS and tier in TIERS and _rank(chosen) > _rank(tier):
        return _signal(earlier, RAISED, TOO_WEAK, tier, above(tier), after.ts)
    length = before.payload.get("length")
    is_long = isinstance(length, int) and length >= REPEAT_LENGTH
    if is_long and before.word("hash") and before.word("hash") == after.word("hash") and tier in TIERS:
        return _signal(earlier, REPEAT, TOO_WEAK, tier, above(tier), after.ts)
    return []


def _signal(prompt: Prompt, source: str, verdict: str, tier: str, accept: Accept, ts: str) -> list[Signal]:
    """None where it rules nothing out, or everything."""
    decided = prompt.decided
    if not accept or accept == ALL:
        return []
    return [Signal(decided.session, decided.prompt_id or "", source, verdict, tier, accept, ts)]


def above(tier: str) -> Accept:
    return frozenset(TIERS[TIERS.index(tier) + 1 :])


def below(tier: str) -> Accept:
    return frozenset(TIERS[: TIERS.index(tier)])


def _rank(tier: str) -> int:
    return TIERS.index(tier) if tier in TIERS else -1


def _seconds(earlier: str, later: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()
