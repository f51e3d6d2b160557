"""The status line at a real terminal: the user's own line, ours under it, and the whole payload of the client."""

import json

import pytest
from terminal import WIDTH

pytestmark = pytest.mark.client

PROMPT = "Fix typo in README.md"


@pytest.fixture
def world(new_world):
    """A user who has a status line, and puts ours behind it."""
    made = new_world(installed=False)
    # Each whole at once: the client ends a line that is still at work when it leaves.
    kept = f"cd {made.home}; cat > $$ && mv $$ payload.json; env > $$ && mv $$ env"
    own = f"{kept}; printf '\\033[1mmine\\033[0m\\n'"
    (made.config / "settings.json").write_text(json.dumps({"statusLine": {"type": "command", "command": own}}))
    made.orchestrate("install", "--statusline")
    return made


def test_the_user_s_own_line_and_ours_are_on_the_screen(world):
    with world.interactive(rules=[{"text": "done"}]) as tty:
        tty.wait_for("mine opus · rewrite")
        tty.type(PROMPT)
        tty.wait_for("● done")
        tty.wait_for("mine opus · rewrite")
        assert tty.leave() == 0
    env = dict(line.partition("=")[::2] for line in (world.home / "env").read_text().splitlines())
    assert (env["COLUMNS"], env["CLAUDE_PROJECT_DIR"]) == (str(WIDTH), str(world.project))
    payload = json.loads((world.home / "payload.json").read_bytes())
    assert payload["model"]["id"].startswith("claude-opus-")
    assert isinstance(payload["cost"]["total_api_duration_ms"], int)
    assert "rate_limits" not in payload  # an API key has none
    assert not (world.home / ".orchestrator/quota.jsonl").exists()
    assert json.loads(world.orchestrate("quota", "status", "--json"))["data"] is False


def test_switched_off_the_user_s_own_line_stays(world):
    with world.interactive(rules=[{"text": "done"}], ORCHESTRATOR_DISABLED="1") as tty:
        tty.wait_for("mine")
        tty.type(PROMPT)
        tty.wait_for("● done")
        assert "rewrite" not in tty.text
        assert tty.leave() == 0
