"""The sessions of an experiment by their arm, and of each what is known prompt by prompt."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from metrics.compliance import FOLLOWED, IGNORED, Finding, tier_of
from metrics.facts import Facts
from metrics.findings import Ruled, decided, requested
from metrics.turns import ORCHESTRATION, Key
from state.store import Served

TIERS = ("haiku", "sonnet", "opus")
OTHER = "other"  # a model of none of these tiers
GOOD = "good"
FEEDBACK = (GOOD, "too-weak", "too-strong")
Price = Callable[[Served], float | None]  # what a message weighs in the account's limit, in points


class Prompt(NamedTuple):
    """None is what nothing tells."""

    rung: str
    is_followed: bool | None
    is_finished: bool | None
    is_override: bool
    overhead_ms: float | None
    tokens: Counter[str] | None  # by tier, without what was read from a cache
    points: float | None


@dataclass(slots=True)
class Session:
    prompts: list[Prompt] = field(default_factory=list)
    spawns: list[bool] = field(default_factory=list)  # whether each was served as decided, where that is known
    feedback: list[bool] = field(default_factory=list)  # whether it was good


class Assigned(NamedTuple):
    arms: dict[str, list[Session]]
    left_out: int  # sessions of more than one arm


def gather(facts: Facts, price: Price | None = None) -> Assigned:
    """What a session did while it was in no arm is no part of the experiment."""
    ruled = [one for one in decided(facts) if one.decision.arm]
    names: defaultdict[str, set[str]] = defaultdict(set)
    for one in ruled:
        names[one.turn.session].add(str(one.decision.arm))
    arms = {session: min(found) for session, found in names.items() if len(found) == 1}
    sessions = {session: Session() for session in arms}
    work = _work(facts.served)
    for one in ruled:
        if one.turn.session in sessions:
            messages = work.get((one.turn.session, one.turn.prompt_id), [])
            sessions[one.turn.session].prompts.append(_prompt(one, messages, price))
    for spawn, finding in requested(facts):
        if spawn.session in sessions and (is_followed := _is_followed(finding)) is not None:
            sessions[spawn.session].spawns.append(is_followed)
    for word in facts.feedback:
        if word.session in sessions and word.verdict in FEEDBACK:
            sessions[word.session].feedback.append(word.verdict == GOOD)
    found: defaultdict[str, list[Session]] = defaultdict(list)
    for session, arm in arms.items():
        found[arm].append(sessions[session])
    return Assigned(dict(found), len(names) - len(arms))


def _work(served: Iterable[Served]) -> dict[Key, list[Served]]:
    work: defaultdict[Key, list[Served]] = defaultdict(list)
    for message in served:
        if message.prompt_id is not None and message.served is not None:
            work[message.session, message.prompt_id].append(message)
    return work


def _prompt(one: Ruled, messages: list[Served], price: Price | None) -> Prompt:
    return Prompt(
        one.decision.rung,
        _is_followed(one.finding),
        _is_finished(one),
        one.decision.override,
        sum(one.turn.overheads_ms) if one.turn.overheads_ms else None,
        _tokens(messages) if messages else None,
        _points(messages, price) if messages and price else None,
    )


def _is_followed(finding: Finding | None) -> bool | None:
    return {FOLLOWED: True, IGNORED: False}.get(finding.verdict) if finding else None


def _is_finished(one: Ruled) -> bool | None:
    """What we ran ourselves has finished when a run of it ended well; else when the turn ended, and in no error."""
    turn = one.turn
    if one.decision.rung == ORCHESTRATION:
        outcomes = {run.is_ok for run in turn.runs.values()}
        return True if True in outcomes else None if None in outcomes or not outcomes else False
    return False if turn.failed else True if turn.ended else None


def _tokens(messages: Iterable[Served]) -> Counter[str]:
    found: Counter[str] = Counter()
    for message in messages:
        tier = tier_of(message.served)
        fresh = message.input_tokens + message.output_tokens + message.cache_write_tokens
        found[tier if tier in TIERS else OTHER] += fresh
    return found


def _points(messages: Iterable[Served], price: Price) -> float | None:
    points = [price(message) for message in messages]
    known = [one for one in points if one is not None]
    return sum(known) if len(known) == len(points) else None
