"""What a night has used of each window, as it tells it and as it finds it again when it was cut off. Pure.

What was in flight then has used what was set aside for it: more is not known of it.
"""

from collections.abc import Mapping
from typing import Any

from orchestrate.overnight.night import Spent, State
from orchestrate.overnight.window import SHARE

KEY = "account"


def account(state: State) -> dict[str, object]:
    """`in_flight`: points of the five-hour window."""
    return {
        "spent": [one._asdict() for one in state.spent],
        "in_flight": sum(flight.reserve for flight in state.flights),
    }


def resumed(state: State, told: Mapping[str, Any] | None) -> State:  # Any: what JSON holds
    if told is None:
        return state
    spent = (Spent(**one) for one in told["spent"])
    lost = float(told["in_flight"])
    return state._replace(spent=tuple(one._replace(points=one.points + lost * SHARE[one.window]) for one in spent))
