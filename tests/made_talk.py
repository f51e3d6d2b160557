"""A session as hook and client leave it: the hook's own records, and a transcript with the texts."""

import json
import time
from pathlib import Path

from orchestrate import entry
from orchestrate.learning import events
from state import journal

SESSION = "9e401858-cd5a-4d55-ae9d-331d16fe93d0"


class Talk:
    """One session; the hook is called as the client calls it."""

    def __init__(self, project, home, session=SESSION, **env):
        self.session, self.project = session, project
        self.transcript = home / f"{session}.jsonl"
        self.env = {"HOME": str(home), "CLAUDE_PROJECT_DIR": str(project), "CLAUDE_CODE_ENTRYPOINT": "cli", **env}
        self.call("SessionStart", source="startup")

    def call(self, event, prompt_id=None, **more):
        payload = {
            "hook_event_name": event,
            "session_id": self.session,
            "transcript_path": str(self.transcript),
            "cwd": str(self.project),
            **({"prompt_id": prompt_id} if prompt_id else {}),
            **more,
        }
        return entry.handle(json.dumps(payload).encode(), self.env)

    def ask(self, prompt_id, text, **more):
        self.call("UserPromptSubmit", prompt_id, prompt=text, **more)
        self.write({"type": "user", "promptId": prompt_id, "message": {"role": "user", "content": text}})

    def end(self, prompt_id):
        self.call("Stop", prompt_id)

    def write(self, line):
        with self.transcript.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n")

    def tell(self, place, kind, prompt_id, payload, entity=("run", "r-1"), now=None):
        """An event that another part of the product writes."""
        now = time.time() if now is None else now
        event = journal.event(place, f"orchestration.{kind}", self.session, prompt_id, entity, payload, now)
        journal.record(place, event)


def decided(place):
    return [told for told in events.read([place]) if told.kind == events.DECIDED]


def lines(place, name, session=SESSION):
    path = Path(place.state, "sessions", session, "feedback", name)
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
