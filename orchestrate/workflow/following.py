"""A run watched from outside: its events as they come, and a new runner when the one that worked on it is gone."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orchestrate.workflow import inbox, launching, runs
from orchestrate.workflow.runs import Header
from orchestrate.workflow.telling import ENDS
from state.errors import UserError

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.02, 0.2
_LOOK_S = 1.0
_ANEW_S = 2.0  # between two runners that are started for it
_TRIES = 5  # without a word from any of them
_TOLD_WITHIN_S = 10.0  # of having been written down: else it could not be told


def follow(header: Header) -> Iterator[dict[str, Any] | None]:  # Any: what JSON holds
    """Until the run, in this generation, is over; None now and then, when there is nothing new."""
    at, pause_s, tries = 0, _FIRST_PAUSE_S, _TRIES
    looked = started = time.monotonic()
    ended: float | None = None
    while True:
        for after, event in runs.events(header, at):
            at, pause_s, tries = after, _FIRST_PAUSE_S, _TRIES
            if event:
                yield event
            if event.get("type") in ENDS and event.get("generation") == header.generation and _is_over(header):
                return
        yield None
        now = time.monotonic()
        if now - looked >= _LOOK_S:
            looked = now
            ended = (ended or now) if _is_over(header) else None
            if ended and (now - ended >= _TOLD_WITHIN_S or not Path(header.folder).exists()):
                return
            user = launching.shared(header.place)
            if now - started >= _ANEW_S and not inbox.is_running(user):
                started, tries = now, tries - 1
                if tries < 0:
                    raise UserError(f"{header.run}: the runner ends again and again: see {inbox.log(user)}")
                inbox.wake(user)
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def _is_over(header: Header) -> bool:
    """As its record says, which is written before the end is told, and may have stayed behind what was told."""
    found = runs.read(header.state, header.run)
    return found is None or found.generation > header.generation or found.is_over
