"""The DAG as one SVG: levels from left to right, an arrow to each step from what it waits for; no scripts, no links."""

import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

from orchestrate.workflow import dag, graph
from orchestrate.workflow.spec import AGENT, COMMAND, GATE, ROUTE, WORKFLOW, Step, Workflow

WIDTH, HEIGHT = 200, 48  # of a box
ACROSS, DOWN = 280, 68  # from one box to the next
THIN = 22  # what a line takes that passes a level
BENDS_MOST = 20_000  # with more of them lines go straight, behind the boxes
MARGIN, TOP = 24, 56
LETTERS = 27  # that fit into a box
_COLOURS = {
    AGENT: ("#dbeafe", "#1d4ed8"),
    ROUTE: ("#e0e7ff", "#4338ca"),
    COMMAND: ("#f3f4f6", "#4b5563"),
    GATE: ("#fef3c7", "#b45309"),
    WORKFLOW: ("#d1fae5", "#047857"),
}
_STYLE = "font-family=\"system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif\" font-size=\"12\""
_STROKE = 'fill="none" stroke="#6b7280" stroke-width="1.3"'
_HEAD = ' marker-end="url(#arrow)"'


class Spot(NamedTuple):
    x: float
    y: float  # of its middle


class Bend(NamedTuple):
    """Where the arrows from a step pass a level on their way to a later one."""

    step: str
    level: int


Item = str | Bend


class Plan(NamedTuple):
    spots: Mapping[Item, Spot]
    lines: Sequence[tuple[Item, Item]]
    width: float
    height: float


def svg(workflow: Workflow) -> str:
    plan = _plan(workflow.steps)
    size = f'width="{plan.width:g}" height="{plan.height:g}"'
    title = _safe(workflow.name)
    stands_in = {step.fallback: step.id for step in workflow.steps if step.fallback}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {plan.width:g} {plan.height:g}" {_STYLE}>',
        f"<title>{title}</title>",
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#6b7280"/></marker></defs>',
        f'<rect {size} fill="#ffffff"/>',
        f'<text x="{MARGIN}" y="34" font-size="16" font-weight="600" fill="#111827">{title}</text>',
        *(_line(start, end, plan.spots, stands_in.get(str(end)) == start) for start, end in plan.lines),
        *(_passing(plan.spots[item]) for item in plan.spots if isinstance(item, Bend)),
        *(_box(step, plan.spots[step.id]) for step in workflow.steps if step.id in plan.spots),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _plan(steps: Sequence[Step]) -> Plan:
    levels: list[list[Item]] = [list(level) for level in dag.levels(steps)]
    at = {str(name): number for number, level in enumerate(levels) for name in level}
    lines = _lines({name: waits for name, waits in dag.needs(steps).items() if name in at}, at)
    for bend in dict.fromkeys(end for _, end in lines if isinstance(end, Bend)):
        levels[bend.level].append(bend)
    tallest = max((sum(map(_height, level)) for level in levels), default=0)
    spots: dict[Item, Spot] = {}
    for number, level in enumerate(_uncrossed(levels, lines)):
        y = TOP + (tallest - sum(map(_height, level))) / 2
        for item in level:
            spots[item] = Spot(MARGIN + ACROSS * number, y + _height(item) / 2)
            y += _height(item)
    return Plan(spots, lines, 2 * MARGIN + ACROSS * (len(levels) - 1) + WIDTH, TOP + tallest + MARGIN)


def _lines(needs: Mapping[str, Sequence[str]], at: Mapping[str, int]) -> list[tuple[Item, Item]]:
    """From level to level; what goes further bends around the boxes between, all from one step by the same way."""
    edges = [(other, name) for name, waits in needs.items() for other in waits]
    if sum(at[name] - at[other] - 1 for other, name in edges) > BENDS_MOST:
        return [(other, name) for other, name in edges]
    found: dict[tuple[Item, Item], None] = {}
    for other, name in edges:
        way: list[Item] = [other, *(Bend(other, level) for level in range(at[other] + 1, at[name])), name]
        found |= dict.fromkeys(itertools.pairwise(way))
    return list(found)


def _uncrossed(levels: Sequence[list[Item]], lines: Sequence[tuple[Item, Item]]) -> list[list[Item]]:
    """Each level in the order of the middle of what its items come from, so that few lines cross."""
    come_from: dict[Item, list[Item]] = {}
    for start, end in lines:
        come_from.setdefault(end, []).append(start)
    place: dict[Item, float] = {}
    ordered = []
    for level in levels:
        middles = {item: _middle([place[other] for other in come_from.get(item, ())]) for item in level}
        ordered.append(sorted(level, key=middles.__getitem__))
        place |= {item: number - len(level) / 2 for number, item in enumerate(ordered[-1])}
    return ordered


def _middle(places: Sequence[float]) -> float:
    return sum(places) / len(places) if places else 0


def _height(item: Item) -> float:
    return THIN if isinstance(item, Bend) else DOWN


def _line(start: Item, end: Item, spots: Mapping[Item, Spot], is_fallback: bool) -> str:
    x, y = spots[start].x + WIDTH, spots[start].y
    is_arrow = not isinstance(end, Bend)
    to_x, to_y = spots[end].x - (2 if is_arrow else 0), spots[end].y
    bend = min((to_x - x) / 2, ACROSS / 2)
    path = f"M{x:g} {y:g}C{x + bend:g} {y:g} {to_x - bend:g} {to_y:g} {to_x:g} {to_y:g}"
    dash = ' stroke-dasharray="5 4"' if is_fallback else ""
    return f'<path d="{path}" {_STROKE}{dash}{_HEAD if is_arrow else ""}/>'


def _passing(spot: Spot) -> str:
    return f'<path d="M{spot.x:g} {spot.y:g}h{WIDTH}" {_STROKE}/>'


def _box(step: Step, spot: Spot) -> str:
    fill, line = _COLOURS[step.kind]
    dash = ' stroke-dasharray="5 4"' if step.when else ""
    x, y, done = spot.x, spot.y - HEIGHT / 2, graph.what(step)
    return (
        f"<g><title>{_safe(f'{step.id}: {done}')}</title>"
        f'<rect x="{x:g}" y="{y:g}" width="{WIDTH}" height="{HEIGHT}" rx="7" fill="{fill}" stroke="{line}"{dash}/>'
        f'<text x="{x + 12:g}" y="{y + 20:g}" font-weight="600" fill="#111827">{_fitted(step.id)}</text>'
        f'<text x="{x + 12:g}" y="{y + 37:g}" font-size="11" fill="{line}">{_fitted(done)}</text></g>'
    )


def _fitted(text: str) -> str:
    return _safe(text if len(text) <= LETTERS else text[: LETTERS - 1] + "…")


def _safe(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return escape("".join(char if char.isprintable() else " " for char in text), {'"': "&quot;"})
