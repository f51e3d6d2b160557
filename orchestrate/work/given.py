"""An item as somebody gives it, by options or in a file, checked."""

import re
from datetime import UTC, datetime
from typing import Annotated, Literal

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from state.errors import USAGE, UserError
from state.store.work_records import New

TEXT_MOST_BYTES = 65_536
ITEMS_MOST = 10_000
ATTEMPTS_MOST = 20
MINUTES_MOST = 100_000
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
_UNSOUND = re.compile("[\0\ud800-\udfff]")


def sound(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty")
    if _UNSOUND.search(text):
        raise ValueError("holds a NUL, or is not UTF-8")
    if len(text.encode()) > TEXT_MOST_BYTES:
        raise ValueError(f"is longer than {TEXT_MOST_BYTES} bytes: put it into a file, and name that")
    return text


def _moment(text: str) -> str:
    """A time without a zone is local."""
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("expected a time as 2026-11-21T22:00") from None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


Text = Annotated[str, AfterValidator(sound)]
Label = Annotated[str, Field(max_length=200), AfterValidator(sound)]


class Given(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    text: Text
    id: Name | None = None
    priority: Literal["P0", "P1", "P2", "P3"] = "P2"
    depends: Annotated[list[Name], Field(max_length=1000)] = []
    project: Label | None = None
    tags: Annotated[list[Label], Field(max_length=50)] = []
    not_before: Annotated[str, AfterValidator(_moment)] | None = None
    max_attempts: Annotated[int, Field(ge=1, le=ATTEMPTS_MOST)] | None = None
    estimate_minutes: Annotated[int, Field(ge=1, le=MINUTES_MOST)] | None = None

    def new(self, session: str | None, max_attempts: int) -> New:
        return New(
            self.text, self.id, self.priority, tuple(dict.fromkeys(self.depends)), self.project, tuple(self.tags),
            session, self.not_before, self.max_attempts or max_attempts, self.estimate_minutes,
        )  # fmt: skip


_MANY = TypeAdapter(Annotated[list[Given], Field(min_length=1, max_length=ITEMS_MOST)])


def one(values: dict[str, object]) -> Given:
    try:
        return Given.model_validate(values)
    except ValidationError as error:
        raise UserError(_complaint(error), USAGE) from None


def many(raw: bytes, where: str) -> list[Given]:
    """A JSON array of objects with the fields of `Given`."""
    try:
        return _MANY.validate_python(orjson.loads(raw))
    except orjson.JSONDecodeError as error:
        raise UserError(f"{where}:{error.lineno}: not valid JSON: {error.msg}", USAGE) from None
    except ValidationError as error:
        raise UserError(f"{where}: {_complaint(error)}", USAGE) from None


def _complaint(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).lstrip(".")
    return f"{where or 'the document'}: {first['msg'].removeprefix('Value error, ')}"
