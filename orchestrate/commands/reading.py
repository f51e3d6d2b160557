"""Bringing the store up to what the session logs say, before a command lists or searches."""

import sys
import time

import click

from metrics.ingest import Ingested, ingest
from state.paths import Place
from state.store import Store

TOLD_AFTER_S = 1.0


def read_logs(place: Place, store: Store) -> Ingested:
    """Progress on stderr where it takes long; what cannot be read is told, and the rest is searched."""
    told = _Progress()
    found = ingest(place, store, tell=told)
    told.end()
    if found.unreadable:
        click.echo(f"could not open {found.unreadable} logs: check their owner and permissions", err=True)
    return found


class _Progress:
    def __init__(self) -> None:
        self._began = self._last = time.monotonic()
        self._is_open = False

    def __call__(self, events: int) -> None:
        now = time.monotonic()
        if now - self._began < TOLD_AFTER_S or now - self._last < TOLD_AFTER_S:
            return
        self._last = now
        start, end = ("\r", "") if sys.stderr.isatty() else ("", "\n")
        click.echo(f"{start}reading the session logs: {events} events", err=True, nl=False)
        click.echo(end, err=True, nl=False)
        self._is_open = bool(start)

    def end(self) -> None:
        if self._is_open:
            click.echo("", err=True)
