"""Whether the user works himself: by the transcripts that the client writes, but those of the night's own agents."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

LOOK_EVERY_S = 5.0


class Activity:
    """`ours`: the folder below which the night's agents work. A client names the folder of its transcripts after where
    it works, with a dash for all that is neither letter nor digit."""

    def __init__(self, env: Mapping[str, str], ours: str, since: float) -> None:
        config = env.get("CLAUDE_CONFIG_DIR") or f"{env.get('HOME', '')}/.claude"
        self._projects = f"{config}/projects"
        self._ours = tuple({_named(ours), _named(os.path.realpath(ours))})
        self._since = since
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
        for folder in _entries(self._projects):
            if folder.name.startswith(self._ours):
                continue
            for entry in _entries(folder.path):
                if entry.name.endswith(".jsonl"):
                    try:
                        yield entry.stat().st_mtime
                    except FileNotFoundError:
                        continue


def _entries(folder: str) -> "list[os.DirEntry[str]]":
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return []


def _named(path: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "-", str(Path(path)))
