"""Whether the user works himself: by the transcripts that the client writes, but those of the night's own agents, and
of sessions while they go on by themselves after a limit."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from state.store.resume_records import Attempt

LOOK_EVERY_S = 5.0
_WRITES_ON_S = 5.0  # of a client that has ended, the last lines


class Activity:
    """`ours`: the folder below which the night's agents work. A client names the folder of its transcripts after where
    it works, with a dash for all that is neither letter nor digit."""

    def __init__(
        self, env: Mapping[str, str], ours: str, since: float, resumed: Callable[[], Iterable[Attempt]]
    ) -> None:
        config = env.get("CLAUDE_CONFIG_DIR") or f"{env.get('HOME', '')}/.claude"
        self._projects = f"{config}/projects"
        self._ours = tuple({_named(ours), _named(os.path.realpath(ours))})
        self._since = since
        self._resumed = resumed
        self._looked: float | None = None
        self._seen: float | None = None

    def seen(self, monotonic: float) -> float | None:
        """When the user was last seen at work since the night began, in unix seconds; looked for now and then."""
        if self._looked is None or monotonic - self._looked >= LOOK_EVERY_S:
            self._looked = monotonic
            newest = max(self._times(), default=self._since)
            self._seen = newest if newest > self._since else self._seen
        return self._seen

    def _times(self) -> Iterator[float]:
        resumed = [one for one in self._resumed() if one.started_at is not None]
        for folder in _entries(self._projects):
            if folder.name.startswith(self._ours):
                continue
            for entry in _entries(folder.path):
                if entry.name.endswith(".jsonl"):
                    try:
                        written = entry.stat().st_mtime
                    except FileNotFoundError:
                        continue
                    if not any(_went_on(one, entry.name, written) for one in resumed):
                        yield written


def _went_on(attempt: Attempt, name: str, written: float) -> bool:
    if name != f"{attempt.session}.jsonl" or attempt.started_at is None or written < attempt.started_at:
        return False
    return attempt.ended_at is None or written <= attempt.ended_at + _WRITES_ON_S


def _entries(folder: str) -> "list[os.DirEntry[str]]":
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return []


def _named(path: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "-", str(Path(path)))
