"""What the groups of settings are made of."""

from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from state import command_line
from state.snapshot import WORDS


def _word(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value.strip().lower() not in WORDS:
        raise ValueError("expected true or false")
    return WORDS[value.strip().lower()]


def _read_by(reader: Callable[[str], object]) -> AfterValidator:
    """The text is kept as it is, once it was read."""

    def check(text: str) -> str:
        reader(text)
        return text

    return AfterValidator(check)


Switch = Annotated[bool, BeforeValidator(_word)]
Hour = Annotated[int, Field(ge=0, le=23)]
Command = Annotated[str, _read_by(command_line.words)]
Commands = Annotated[str, _read_by(command_line.chained)]
TimeOfDay = Annotated[str, Field(pattern=r"^([01]?[0-9]|2[0-3]):[0-5][0-9]$")]


class Group(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
