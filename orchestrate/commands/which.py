"""The session that a command means."""

import os

from state import sessions
from state.errors import NOT_FOUND, UserError
from state.paths import Place


def session(place: Place, given: str | None) -> str:
    """The one given, that of ORCHESTRATOR_SESSION, the current one or that used last; its folder's name."""
    chosen = sessions.choose(place, given, os.environ) or sessions.last_used(place)
    if chosen is None:
        raise UserError("no session is named: give its id, see `orchestrate session list`", NOT_FOUND)
    return sessions.find(place, chosen)
