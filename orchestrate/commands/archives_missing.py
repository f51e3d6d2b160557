"""What a command that looks into the archives says of those that are not here, or not whole."""

from orchestrate.commands import here
from orchestrate.memory import archive_read
from orchestrate.memory.archive_file import FOLDER
from orchestrate.memory.archive_read import Damaged
from state.paths import Place
from state.store import Store


def tell_missing(place: Place, store: Store) -> None:
    if lost := archive_read.missing(place, store):
        here.tell(f"archives that are not in {place.state}/{FOLDER}: {len(lost)}: {', '.join(lost[:3])}")


def tell_damaged(damaged: Damaged) -> None:
    for _, line in sorted(damaged.items()):
        here.tell(line)
