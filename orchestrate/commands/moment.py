"""A moment or an age, as --since and --older-than take them, in UTC as the store has times."""

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import click

from metrics.days import stamp

HOURS = {"h": 1, "d": 24, "w": 168}
FORMS = "expected an age as 90m, 12h, 7d, 2w, or a day or a time as 2026-11-21, 2026-11-21T10:00"


class At(NamedTuple):
    ts: str
    typed: str


NEVER = At("", "")


class Moment(click.ParamType[At]):
    name = "moment"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> At:
        text = str(value).strip()
        try:
            return At(stamp(_ago(text) or datetime.fromisoformat(text).astimezone()), text)  # a naive time is local
        except (ValueError, OverflowError):
            self.fail(f"{value!r}: {FORMS}", param, ctx)


class Age(click.ParamType[str]):
    """The moment so long ago."""

    name = "age"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            found = _ago(str(value).strip())
        except OverflowError:
            found = None
        if found is None:
            self.fail(f"{value!r}: expected hours, days or weeks as 12h, 90d, 12w", param, ctx)
        return stamp(found)


def _ago(text: str) -> datetime | None:
    found = re.fullmatch(r"(\d{1,6})([mhdw])", text)
    if not found:
        return None
    hours = int(found[1]) / 60 if found[2] == "m" else int(found[1]) * HOURS[found[2]]
    return datetime.now(UTC) - timedelta(hours=hours)
