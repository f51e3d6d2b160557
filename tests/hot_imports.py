"""What a hook imports: asked of a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent


def loaded(project, home, prompt):
    """The modules that are there after a prompt."""
    env = {"HOME": str(home), "CLAUDE_PROJECT_DIR": str(project), "CLAUDE_CODE_ENTRYPOINT": "cli"}
    payload = {"hook_event_name": "UserPromptSubmit", "session_id": "s", "prompt_id": "p", "prompt": prompt}
    code = (
        f"import sys\nsys.path.insert(0, {str(REPO)!r})\nfrom orchestrate.entry import handle\n"
        f"handle({json.dumps(payload).encode()!r}, {env!r})\nprint(*sys.modules)"
    )
    argv = [sys.executable, "-I", "-S", "-c", code]
    done = subprocess.run(argv, capture_output=True, text=True, cwd=project, env=os.environ, check=True)
    return set(done.stdout.split())
