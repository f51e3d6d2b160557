"""A run on a terminal: a table that is drawn anew while the run goes on, and stays when it is over."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from orchestrate.workflow import progress
from orchestrate.workflow.progress import WAITING, Board, Row
from orchestrate.workflow.runs import CANCELLED, FAILED, FINISHED, RUNNING, SKIPPED, Header

ROWS_MOST = 30  # what works and what failed first; a screen is no longer
_STYLES = {FINISHED: "green", FAILED: "red", RUNNING: "cyan", CANCELLED: "yellow", SKIPPED: "dim", WAITING: "dim"}
_ORDER = (RUNNING, FAILED, CANCELLED, WAITING, FINISHED, SKIPPED)


def watch(header: Header, board: Board, events: Iterable[Mapping[str, Any] | None]) -> None:  # Any: what JSON holds
    with Live(console=Console(stderr=True), auto_refresh=False, transient=False) as live:
        drawn = 0.0
        for event in events:
            if event:
                board.take(event)
            if time.monotonic() - drawn >= 0.2:
                live.update(table(header, board, time.monotonic()), refresh=True)
                drawn = time.monotonic()
        live.update(table(header, board, time.monotonic()), refresh=True)


def table(header: Header, board: Board, now: float) -> Table:
    found = Table(title=_title(header, board, now), title_justify="left", box=None, pad_edge=False)
    found.add_column("step")
    found.add_column("", no_wrap=True)
    for name in ("agent", "model"):
        found.add_column(name)
    for name in ("elapsed", "tokens"):
        found.add_column(name, justify="right", no_wrap=True)
    found.add_column("")
    for row in _shown(board):
        found.add_row(*_cells(row, now))
    return found


def _title(header: Header, board: Board, now: float) -> Text:
    over = sum(row.status in progress.OVER for row in board.rows.values())
    left_s = board.left_s(now)
    eta = f", about {progress.clock(left_s)} left" if left_s else ""
    return Text(f"{header.workflow}  {header.run}  {over} of {len(board.rows)} steps{eta}")


def _shown(board: Board) -> list[Row]:
    rows = list(board.rows.values())
    if len(rows) <= ROWS_MOST:
        return rows
    return sorted(rows, key=lambda row: _ORDER.index(row.status))[:ROWS_MOST]


def _cells(row: Row, now: float) -> list[Text]:
    took_s = row.elapsed_s(now)
    words = (
        row.step,
        row.status,
        row.agent,
        row.model,
        progress.clock(took_s) if took_s or row.status == RUNNING else "",
        progress.short(row.tokens) if row.tokens else "",
        row.detail or row.note,
    )
    return [_cell(word, _STYLES[row.status] if number == 1 else "") for number, word in enumerate(words)]


def _cell(word: str, style: str) -> Text:
    """Cut where there is no room. A column that could not wrap would take the room of time and tokens."""
    return Text(_plain(word), style=style, no_wrap=True, overflow="ellipsis")


def _plain(text: str) -> str:
    """What a model or a step is called cannot move the cursor."""
    return "".join(char if char.isprintable() else " " for char in text)
