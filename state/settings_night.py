"""The settings of what goes on while nobody is there."""

from typing import Annotated

from pydantic import Field

from state.settings_kinds import Commands, Group, Hour, Switch, TimeOfDay

QUIET_PATTERN = r"^$|^([01]?[0-9]|2[0-3]):[0-5][0-9]-([01]?[0-9]|2[0-3]):[0-5][0-9]$"


class Overnight(Group):
    start_hour: Hour = Field(22, description="The first hour of the night, local time.")
    end_hour: Hour = Field(6, description="The last hour of the night, local time, inclusive.")
    start: TimeOfDay = Field("23:00", description="When the night of `orchestrate overnight` begins, local time.")
    until: TimeOfDay = Field("06:00", description="When it ends: jobs that still run then go back to the queue.")
    floor_percent: float = Field(
        10.0, ge=0, le=100, description="The share of each limit of the account that the night always leaves."
    )
    window_cap_percent: float = Field(
        100.0, ge=0, le=100, description="The share of each window of a limit that one night uses at the most."
    )
    weekly_pace: Switch = Field(
        True,
        description="`true`: the night uses the week's limit no faster than the week goes by; what is left over "
        "before it resets is used then. `false`: down to the floor at any time.",
    )
    max_concurrent: int = Field(3, ge=1, le=16, description="How many jobs of the night run at the same time.")
    blind_jobs: int = Field(
        0,
        ge=0,
        le=1000,
        description="How many jobs follow a probe that brought no reading of the limits; an API key has none.",
    )
    stop_on_activity: Switch = Field(
        False, description="`true`: at the first sign that you are at work yourself the night ends."
    )
    checks: Commands = Field(
        "",
        description="The commands, as `ruff check . && pytest -q`, that a job of this project passes before it is "
        "called shipped; no shell runs them.",
    )


class Resume(Group):
    enabled: Switch = Field(
        True, description="`false`: no session goes on by itself after a limit, whatever was said for it."
    )
    quiet_hours: Annotated[str, Field(pattern=QUIET_PATTERN)] = Field(
        "", description="When none does so, as `22:00-07:00` by the local clock; empty: at any hour."
    )
    max_points: float = Field(
        20.0,
        ge=0,
        le=1000,
        description="What all sessions that went on by themselves may use of a limit within 24 hours, in points; 0: "
        "nothing.",
    )
    max_usd: float = Field(1.0, ge=0, le=100000, description="The same with an API key, in dollars; 0: nothing.")
    give_up_after: int = Field(
        3, ge=1, le=100, description="After so many limits in a row a session waits for its user."
    )
    jitter_s: float = Field(
        120.0, ge=0, le=3600, description="Sessions go on within so many seconds after a reset, not all at once."
    )
