"""What a night has used of each window, as it tells it and as it finds it again. Pure.

A date has one night: who begins it again, cut off or ended, goes on with what it has used. What was in flight when it
was cut off has used what was set aside for it: more is not known of it.
"""

from collections.abc import Mapping
from typing import Any

from orchestrate.overnight.night import Spent, State

KEY = "account"


def account(state: State) -> dict[str, object]:
    """`in_flight`: points of the five-hour window."""
    return {
        "spent": [one._asdict() for one in state.spent],
        "in_flight": state.lost + sum(flight.reserve for flight in state.flights),
        "blind": state.blind,
    }


def resumed(state: State, told: Mapping[str, Any] | None) -> State:  # Any: what JSON holds
    if told is None:
        return state
    spent = tuple(Spent(**one) for one in told["spent"])
    return state._replace(spent=spent, lost=float(told["in_flight"]), blind=int(told.get("blind", 0)))
