from typing import NamedTuple

import pytest
from flowing import Desk, Fifo

from orchestrate.workflow import inbox, loading
from state.errors import UserError
from state.paths import locate


class Flows(NamedTuple):
    """A project whose state is its own, and its user; what is put into their folders is loaded by name."""

    project: object
    place: object
    user: object

    def put(self, name, text, user=False):
        path = (self.user if user else self.project) / ".orchestrator/workflows" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    def read(self, name, agents=None):
        return loading.read(name, self.place, agents)

    def load(self, name, agents=None):
        return loading.load(name, self.place, agents)

    def mistakes(self, text, name="w.yaml", agents=None):
        """What loading tells of a file, without its path."""
        path = self.put(name, text)
        with pytest.raises(UserError) as caught:
            self.load(path, agents)
        return [line.removeprefix(f"{path}:") for line in str(caught.value).splitlines()]


@pytest.fixture
def flows(project, home):
    (project / ".orchestrator").mkdir()
    return Flows(project, locate(str(project), {"HOME": str(home)}), home)


@pytest.fixture
def desk(flows, tmp_path, monkeypatch):
    """Makes a desk whose client does as it is told. Runs are asked of nobody: the test runs them itself."""
    monkeypatch.setattr(inbox, "start", lambda user: None)
    return lambda fake="ok", **env: Desk(flows, tmp_path / "desk", fake, **env)


@pytest.fixture
def fifo(tmp_path):
    opened = Fifo(tmp_path / "fifo")
    yield opened
    opened.close()
