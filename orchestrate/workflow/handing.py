"""What is known of a project, as a file for the agents of a workflow."""

from pathlib import Path

from orchestrate.memory import knowledge as memory
from state import codec
from state.errors import UserError
from state.paths import Place
from state.store import FILE, open_store, opening

MOST = 200


def knowledge(place: Place, path: str) -> list[str]:
    """The file's path, or nothing where nothing is known; a store that cannot be opened is no reason not to work."""
    if not opening.url(place) and not Path(place.state, FILE).exists():
        return []
    try:
        with open_store(place) as store:
            found = sorted(store.knowledge.beginning(""), key=lambda known: known.recorded_at, reverse=True)[:MOST]
    except UserError:
        return []
    if not found:
        return []
    Path(path).write_bytes(codec.dumps([memory.shown(known) for known in found]))
    return [path]
