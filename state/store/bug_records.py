"""A bug as the store takes and gives it."""

from collections.abc import Mapping
from typing import NamedTuple


class Bug(NamedTuple):
    bug_hash: str
    task_code: str | None  # the first task that met it
    error_message: str  # cut; `original` has more of it
    file_path: str | None  # relative to the project
    line_number: int | None
    error_type: str
    occurrence_count: int
    captured_at: str
    last_seen: str
    last_task_code: str | None
    context: Mapping[str, object]  # what its reporters gave beside it
    original: str
    stack_trace: str
    resolved_at: str | None = None
    resolution: str | None = None


class Logged(NamedTuple):
    """The bug as it is kept now, and what this occurrence did to it."""

    bug: Bug
    is_new: bool
    is_reopened: bool


class Merged(NamedTuple):
    """One record that takes the place of these; of one alone whose hash or type is another now, too."""

    bug: Bug
    was: tuple[str, ...]


class TypeCount(NamedTuple):
    error_type: str
    bugs: int
    occurrences: int
    open: int
    duplicates: int
