"""The DAG as lines of text: one row for each step in the order of the levels, with the lanes of what it waits for."""

from collections.abc import Sequence
from typing import NamedTuple

from orchestrate.workflow import dag
from orchestrate.workflow.spec import AGENT, COMMAND, GATE, ROUTE, WORKFLOW, Step, Workflow

LANES_MOST = 16  # with more of them the lines say nothing: what a step waits for is written out
_UP, _DOWN, _LEFT, _RIGHT = 1, 2, 4, 8
_LINES = " ╵╷│╴╯╮┤╶╰╭├─┴┬┼"
_ASCII_OF = {" ": " ", "│": "|", "╵": "|", "╷": "|", "─": "-", "╴": "-", "╶": "-"}
_MARKS = {AGENT: "●", ROUTE: "◉", COMMAND: "■", GATE: "◆", WORKFLOW: "▣"}
_ASCII_MARKS = {"●": "*", "◉": "o", "■": "#", "◆": "?", "▣": "@", "…": "~", "←": "<-"}


class Row(NamedTuple):
    level: str  # on the first row of each level
    lanes: str
    step: Step | None  # None: connectors alone


def text(workflow: Workflow, width: int = 80) -> list[str]:
    """Lines of at most `width` characters."""
    rows = _rows(workflow.steps)
    if rows is None:
        return _listed(workflow, width)
    lanes = max((len(row.lanes) for row in rows), default=0)
    levels = max((len(row.level) for row in rows), default=0)
    ids = min(32, max((len(step.id) for step in workflow.steps), default=0))
    lines = []
    for row in rows:
        label = "" if row.step is None else f"{_fitted(row.step.id, ids)}  {what(row.step)}"
        lines.append(_clipped(f"{row.level:>{levels}}  {row.lanes:{lanes}}  {label}".rstrip(), width))
    return lines


def plain(line: str) -> str:
    """For an output that has no such characters."""
    return "".join(_ASCII_OF.get(char) or _ASCII_MARKS.get(char) or ("+" if char in _LINES else char) for char in line)


def what(step: Step) -> str:
    """What a step does, in a few words."""
    done = {
        AGENT: step.agent,
        ROUTE: "by the router",
        COMMAND: f"$ {' '.join(step.command)}",
        GATE: f"gate: {step.gate}",
        WORKFLOW: f"workflow {step.workflow.rpartition('/')[2]}",
    }[step.kind]
    notes = [
        f"when {step.when}" if step.when else "",
        f"for each {step.foreach if isinstance(step.foreach, str) else f'of {len(step.foreach)}'}"
        if step.foreach
        else "",
        f"if it fails: {step.fallback}" if step.fallback else "",
    ]
    return " · ".join(" ".join(part.split()) for part in (done, *notes) if part)


def _rows(steps: Sequence[Step]) -> list[Row] | None:
    """None where there are too many lanes."""
    waits = dag.needs(steps)
    drawing = _Drawing({name: len(after) for name, after in dag.followers(waits).items()})
    by_id = {step.id: step for step in steps}
    rows: list[Row] = []
    for number, level in enumerate(dag.levels(steps), 1):
        for place, name in enumerate(level):
            connectors, lanes = drawing.step(name, waits[name], _MARKS[by_id[name].kind])
            if len(lanes) > LANES_MOST * 2:
                return None
            rows += [Row("", connectors, None)] if connectors else []
            rows.append(Row(str(number) if place == 0 else "", lanes, by_id[name]))
    return rows


class _Drawing:
    """The lanes that are open: each belongs to a step that others still wait for."""

    def __init__(self, followers: dict[str, int]) -> None:
        self._left = followers
        self._lanes: list[str | None] = []
        self._ended = -1  # the lane of the last mark, where nobody waits for it: the next mark is not put below it

    def step(self, name: str, waits: Sequence[str], mark: str) -> tuple[str, str]:
        """The row of connectors above a step, empty where none is needed, and its own row."""
        froms = [self._lanes.index(other) for other in waits]
        for other in waits:
            self._left[other] -= 1
        ending = {lane for lane in froms if not self._left[self._lanes[lane] or ""]}
        own = min(ending) if ending else self._free()
        connectors = "" if not froms or froms == [own] else self._connect(froms, ending, own)
        for lane in ending:
            self._lanes[lane] = None
        self._lanes[own] = name
        row = self._row({lane: "│" for lane, owner in enumerate(self._lanes) if owner} | {own: mark})
        self._ended = -1 if self._left[name] else own
        if not self._left[name]:
            self._lanes[own] = None
        while self._lanes and self._lanes[-1] is None:
            self._lanes.pop()
        return connectors, row

    def _free(self) -> int:
        for lane, owner in enumerate(self._lanes):
            if owner is None and lane != self._ended:
                return lane
        if len(self._lanes) == self._ended:
            self._lanes.append(None)
        self._lanes.append(None)
        return len(self._lanes) - 1

    def _connect(self, froms: Sequence[int], ending: set[int], own: int) -> str:
        first, last = min([*froms, own]), max([*froms, own])
        cells = {}
        for lane in range(len(self._lanes)):
            sides = (_LEFT if first < lane <= last else 0) | (_RIGHT if first <= lane < last else 0)
            if lane in froms:
                sides |= _UP | (_DOWN if lane == own or lane not in ending else 0)
            elif lane == own:
                sides |= _DOWN
            elif self._lanes[lane]:
                sides = _UP | _DOWN  # crossed: the line goes on behind it
            cells[lane] = _LINES[sides]
        dashes = range(first, last)
        return "".join(cells[lane] + ("─" if lane in dashes else " ") for lane in cells).rstrip()

    def _row(self, cells: dict[int, str]) -> str:
        return "".join(f"{cells.get(lane, ' ')} " for lane in range(len(self._lanes))).rstrip()


def _listed(workflow: Workflow, width: int) -> list[str]:
    waits = dag.needs(workflow.steps)
    by_id = {step.id: step for step in workflow.steps}
    lines = []
    for number, level in enumerate(dag.levels(workflow.steps), 1):
        for name in level:
            mark = _MARKS[by_id[name].kind]
            after = f" ← {', '.join(waits[name])}" if waits[name] else ""
            lines.append(_clipped(f"{number:>4}  {mark} {name}{after}  {what(by_id[name])}", width))
    return lines


def _fitted(word: str, width: int) -> str:
    return _clipped(word, width).ljust(width)


def _clipped(line: str, width: int) -> str:
    return line if len(line) <= width else line[: width - 1] + "…"
