"""The door for other code: read the logs, report a period."""

from collections.abc import Iterable
from datetime import date

from metrics.days import Window, window
from metrics.ingest import Ingested, ingest
from metrics.report import Report, build
from metrics.savings import Rate
from metrics.transcripts import Taken, take
from state import log
from state.paths import Place
from state.store import Store, open_store


def collect(
    place: Place, period: Window | None = None, groups: Iterable[str] = (), rate: Rate | None = None
) -> tuple[Report, Ingested]:
    """The report of a period, else of today, and what was read for it. `rate`: the prices of models."""
    with open_store(place) as store:
        ingested, taken = read(place, store)
        span = period or window(date.today(), date.today())
        return build(store, span, groups, rate, taken.unreadable), ingested


def read(place: Place, store: Store) -> tuple[Ingested, Taken]:
    """What is new in the logs, and in the transcripts that they name."""
    ingested = ingest(place, store)
    log.tell("info", "ingest.finished", project=place.project, **ingested._asdict())
    taken = take(store)
    log.tell("info", "transcripts.taken", project=place.project, **taken._asdict())
    return ingested, taken
