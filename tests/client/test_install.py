"""What `orchestrate install` writes is what the client reads, and `uninstall` leaves nothing behind."""

import pytest
from rig import REPO

pytestmark = pytest.mark.client

PROMPT = "Fix typo in README.md"
SETTINGS = b"""{
    "model": "opus", "cleanupPeriodDays": 30,
\t"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "true"}]}]},
    "env": {"GREETING": "gr\\u00fc\\u00df dich"}
}"""


def test_the_client_is_the_pinned_one(new_world):
    pin = next(line for line in (REPO / "Makefile").read_text().splitlines() if line.startswith("CLIENT_VERSION = "))
    shown = new_world(installed=False).client("--version").lines[0]["text"]
    assert shown == f"{pin.split()[-1]} (Claude Code)\n"


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("scope", ["user", "project", "local"])
def test_uninstall_leaves_settings_byte_for_byte(new_world, scope):
    world = new_world(installed=False)
    folder = world.config if scope == "user" else world.project / ".claude"
    folder.mkdir(exist_ok=True)
    settings = folder / ("settings.local.json" if scope == "local" else "settings.json")
    settings.write_bytes(SETTINGS)
    before = files(folder)
    world.orchestrate("install", "--scope", scope)
    run = world.claude(PROMPT)
    assert run.heard.count('subagent_type "haiku-general"') == 1
    world.orchestrate("uninstall", "--scope", scope)
    assert {name: data for name, data in files(folder).items() if name in before} == before
    assert [name for name in files(folder) if name.startswith(("settings", "agents"))] == [settings.name]
    assert "[orchestrate" not in world.claude(PROMPT).heard


def test_uninstall_removes_a_settings_file_that_install_made(new_world):
    world = new_world()
    world.orchestrate("uninstall")
    assert files(world.config) == {}
