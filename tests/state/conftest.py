import pytest

from state.paths import locate


@pytest.fixture
def ours(project, home):
    """An initialised project, and a home whose own folder exists."""
    (project / ".orchestrator").mkdir()
    (home / ".orchestrator").mkdir()
    return locate(str(project), {"HOME": str(home)})
