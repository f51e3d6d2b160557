"""A job for the night: the record is the store's, what follows from it is here."""

from collections.abc import Iterable, Mapping

from state import command_line
from state.errors import USAGE, UserError
from state.store.night_records import DONE, ENDED, STATUSES, Change, Job, New

__all__ = ["ATTEMPTS_MOST", "DONE", "ENDED", "PRIORITIES", "STATUSES", "Change", "Job", "New", "checks"]

PRIORITIES = ("P0", "P1", "P2", "P3")
ATTEMPTS_MOST = 3  # begun so often and never ended by itself: it has failed


def checks(text: str, where: str) -> tuple[tuple[str, ...], ...]:
    """The commands of `ruff check . && pytest -q`. No shell runs them: each is a program and its arguments."""
    try:
        found = command_line.chained(text)
    except ValueError as error:
        raise UserError(f"{where}: {text!r}: {error}", USAGE) from None
    return tuple(map(tuple, found))


def by_id(jobs: Iterable[Job]) -> Mapping[str, Job]:
    return {job.id: job for job in jobs}
