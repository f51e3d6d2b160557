"""Days are local in what people read, UTC in the store."""

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple


class Window(NamedTuple):
    """Whole local days, the last included; `start` and `end` in UTC, as the store has them."""

    first: date
    last: date
    start: str
    end: str
    zone: str

    @property
    def title(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first} to {self.last}"


def window(first: date, last: date) -> Window:
    midnight = _midnight(first)
    return Window(first, last, stamp(midnight), stamp(_midnight(last + timedelta(days=1))), _zone(midnight))


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min).astimezone()  # a naive moment is local, by its own day's rules


def _zone(moment: datetime) -> str:
    name, offset = moment.tzname() or "", moment.strftime("%z")
    offset = f"UTC{offset[:3]}:{offset[3:5]}"
    return "UTC" if name == "UTC" else offset if name[:1] in "+-" else f"{name}, {offset}"
