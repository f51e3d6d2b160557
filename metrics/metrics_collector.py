"""The door for other code: read the logs, report a period."""

from collections.abc import Iterable
from datetime import date

from metrics.days import Window, window
from metrics.ingest import Ingested, ingest
from metrics.report import Report, build
from state import log
from state.paths import Place
from state.store import open_store


def collect(place: Place, period: Window | None = None, groups: Iterable[str] = ()) -> tuple[Report, Ingested]:
    """The report of a period, else of today, and what was read for it."""
    with open_store(place) as store:
        ingested = ingest(place, store)
        log.tell("info", "ingest.finished", project=place.project, **ingested._asdict())
        return build(store, period or window(date.today(), date.today()), groups), ingested
