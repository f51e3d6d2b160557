"""What the groups of settings are made of."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from state.snapshot import WORDS


def _word(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value.strip().lower() not in WORDS:
        raise ValueError("expected true or false")
    return WORDS[value.strip().lower()]


Switch = Annotated[bool, BeforeValidator(_word)]
Hour = Annotated[int, Field(ge=0, le=23)]
TimeOfDay = Annotated[str, Field(pattern=r"^([01]?[0-9]|2[0-3]):[0-5][0-9]$")]


class Group(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
