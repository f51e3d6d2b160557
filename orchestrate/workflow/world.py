"""What all runs of one runner share: its environment, its settings, and how many agents work at once."""

import asyncio
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from orchestrate.agents.stop import Stop
from orchestrate.workflow.admission import Admission, Tell
from state import snapshot
from state.paths import Place, locate
from state.snapshot import Value


class World:
    def __init__(self, env: Mapping[str, str], at_once: int, admission: Admission | None = None) -> None:
        self.env = dict(env)
        self.agents = asyncio.Semaphore(at_once)
        self._admission = admission

    def admitted(self, stop: Stop, tell: Tell) -> AbstractContextManager[None]:
        """An agent's turn among those of all machines."""
        return self._admission.admitted(stop, tell) if self._admission else nullcontext()

    def settings(self, place: Place, overlay: Mapping[str, str]) -> Mapping[str, Value]:
        """As they were compiled last, which every command sees to."""
        return snapshot.read(place, {**self.env, **overlay}).values

    def locate(self, repo: str, place: Place) -> Place:
        path = os.path.normpath(Path(place.root, Path(repo).expanduser()))
        env = {name: value for name, value in self.env.items() if name != "ORCHESTRATOR_ROOT"}
        return locate(path, env)
