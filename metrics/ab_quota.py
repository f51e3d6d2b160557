"""What the work of an experiment weighed in the account's limits, as learned from the readings of them."""

from collections.abc import Mapping
from datetime import datetime

from metrics import quota_report, quota_served
from metrics.ab_sessions import Price
from metrics.days import Window
from metrics.quota_estimate import Model, learn
from metrics.quota_readings import Reading, spans
from metrics.quota_tokens import Tokens, Work, weighed
from state.paths import Place
from state.store import Served

LIMIT = "five_hour"
_EVER = 1e12


def price(place: Place, history: Mapping[str, list[Reading]], window: Window) -> Price | None:
    """None where too little was read to learn from."""
    since, until = (datetime.fromisoformat(end).timestamp() for end in (window.start, window.end))
    readings = history.get(LIMIT, [])
    if len(readings) < 2:  # what was served need not be gathered to learn nothing from it
        return None
    model = learn(spans(readings), quota_served.gather(place, since, until))
    return price_of(model) if model else None


def price_of(model: Model) -> Price:
    """In points: percents of the five-hour limit."""

    def points(message: Served) -> float:
        counts = (message.input_tokens, message.output_tokens, message.cache_read_tokens, message.cache_write_tokens)
        work = Work([Tokens(0.0, str(message.served), *counts)])
        return model.rate * weighed(work.between(-1.0, _EVER), model.weights)

    return points


def utilisation(history: Mapping[str, list[Reading]], window: Window, now: float) -> dict[str, float | None]:
    """Of each of the account's limits over the whole period, whatever the arm."""
    report = quota_report.build(history, window.first, window.last, 1.0, now)
    return {name: limit.total.utilisation for name, limit in report.limits.items()}
