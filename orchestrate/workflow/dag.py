"""What waits for what: pure, without recursion, quick with ten thousand steps."""

from collections import deque
from collections.abc import Mapping, Sequence

from orchestrate.workflow import conditions
from orchestrate.workflow.spec import Step
from state.errors import UserError

CYCLES_MOST = 10


def needs(steps: Sequence[Step]) -> dict[str, tuple[str, ...]]:
    """The steps each one waits for. A fallback waits for the step it stands in for; who waits for that step waits for
    its fallback as well. Ids that there are not are left out."""
    known = {step.id for step in steps}
    stands_in = {step.fallback: step.id for step in steps if step.fallback in known and step.fallback != step.id}
    if not stands_in:
        return {step.id: tuple(dict.fromkeys(name for name in step.depends_on if name in known)) for step in steps}
    fallback = {owner: name for name, owner in stands_in.items()}
    found = {}
    for step in steps:
        waits = dict.fromkeys(name for name in step.depends_on if name in known)
        waits |= dict.fromkeys(other for name in list(waits) for other in _after(name, fallback) if other != step.id)
        own = stands_in.get(step.id)
        found[step.id] = (*waits, *([own] if own and own not in waits else ()))
    return found


def _after(name: str, fallback: Mapping[str, str]) -> list[str]:
    """What stands in for a step, and what stands in for that."""
    found: list[str] = []
    while name in fallback and fallback[name] not in found:
        name = fallback[name]
        found.append(name)
    return found


def order(steps: Sequence[Step]) -> list[str]:
    """As they may run one after the other; those in a cycle, and after one, are missing."""
    waits = needs(steps)
    open_needs = {name: len(them) for name, them in waits.items()}
    after = followers(waits)
    ready = deque(name for name, count in open_needs.items() if not count)
    found = []
    while ready:
        name = ready.popleft()
        found.append(name)
        for follower in after[name]:
            open_needs[follower] -= 1
            if not open_needs[follower]:
                ready.append(follower)
    return found


def followers(waits: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {name: [] for name in waits}
    for name, them in waits.items():
        for other in them:
            found[other].append(name)
    return found


def levels(steps: Sequence[Step]) -> list[list[str]]:
    """The waves: each step in the first one in which nothing it waits for is missing."""
    waits = needs(steps)
    depth: dict[str, int] = {}
    for name in order(steps):
        depth[name] = 1 + max((depth[other] for other in waits[name]), default=-1)
    found: list[list[str]] = [[] for _ in range(1 + max(depth.values(), default=-1))]
    for step in steps:
        if step.id in depth:
            found[depth[step.id]].append(step.id)
    return found


def waves(steps: Sequence[Step], most: int | None = None) -> list[list[str]]:
    """The levels, each in as many parts as it takes when no more than `most` steps run at once."""
    found = []
    for level in levels(steps):
        size = most or len(level)
        found += [level[at : at + size] for at in range(0, len(level), size)]
    return found


def cycles(steps: Sequence[Step]) -> list[list[str]]:
    """Each as [a, b, a], where a waits for b and b for a; at most one through any step, and not more than are read."""
    waits = needs(steps)
    state = dict.fromkeys(order(steps), True)  # True: done with; False: on the path
    found: list[list[str]] = []
    for start in waits:
        if start not in state and len(found) < CYCLES_MOST:
            _walk(start, waits, state, found)
    return found


def _walk(start: str, waits: Mapping[str, Sequence[str]], state: dict[str, bool], found: list[list[str]]) -> None:
    path = [start]
    state[start] = False
    untried = [iter(waits[start])]
    while path:
        name = next(untried[-1], None)
        if name is None:
            state[path.pop()] = True
            untried.pop()
        elif name not in state:
            state[name] = False
            path.append(name)
            untried.append(iter(waits[name]))
        elif not state[name] and len(found) < CYCLES_MOST:
            found.append([*path[path.index(name) :], name])


def before(steps: Sequence[Step]) -> dict[str, int]:
    """For each step, everything that has ended when it starts, as a set of bits: bit n is the n-th of `steps`."""
    waits = needs(steps)
    bit = {step.id: 1 << number for number, step in enumerate(steps)}
    found: dict[str, int] = {}
    for name in order(steps):
        reached = 0
        for other in waits[name]:
            reached |= found[other] | bit[other]
        found[name] = reached
    return found


def unreachable(steps: Sequence[Step]) -> dict[str, str]:
    """Steps that never run, and why: a condition that is always false, or nothing but such steps before."""
    by_id = {step.id: step for step in steps}
    owners = {step.fallback: step.id for step in steps if step.fallback}
    found: dict[str, str] = {}
    for name in order(steps):
        step = by_id[name]
        waits = [other for other in step.depends_on if other in by_id]
        if step.when and _is_never(step.when):
            found[name] = f"when: {step.when} is never true"
        elif waits and all(other in found for other in waits):
            found[name] = f"it waits for {', '.join(waits[:5])} alone, which never {'run' if waits[1:] else 'runs'}"
        elif owners.get(name) in found:
            found[name] = f"it stands in for {owners[name]}, which never runs"
    return found


def _is_never(condition: str) -> bool:
    try:
        return conditions.parse(condition).is_constant and not conditions.holds(condition, {})
    except UserError:  # told where the step is read
        return False
