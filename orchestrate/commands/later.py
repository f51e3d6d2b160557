"""A moment to come, as --not-before takes it."""

import re
from datetime import datetime, time, timedelta

import click

_HOURS = {"m": 1 / 60, "h": 1, "d": 24, "w": 168}
FORMS = "expected a time as 90m, 12h, 2d from now, 22:00, or 2026-11-21T22:00"


class Later(click.ParamType[str]):
    """As ISO 8601. A time of day is the next one; what names no zone is local."""

    name = "moment"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return _moment(str(value).strip(), datetime.now().astimezone()).isoformat()
        except (ValueError, OverflowError):
            self.fail(f"{value!r}: {FORMS}", param, ctx)


def _moment(text: str, now: datetime) -> datetime:
    age = re.fullmatch(r"(\d{1,6})([mhdw])", text)
    if age:
        return now + timedelta(hours=int(age[1]) * _HOURS[age[2]])
    if re.fullmatch(r"\d{1,2}:\d{2}", text):
        # Naive until the day is chosen: a night with a change of the clocks has its own offset.
        today = datetime.combine(now.date(), time.fromisoformat(text.zfill(5)))
        return (today if today.astimezone() > now else today + timedelta(days=1)).astimezone()
    return datetime.fromisoformat(text).astimezone()
