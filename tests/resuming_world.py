"""A session as it lies on the disk: the hooks' log, a transcript, and the clients' register; and a client."""

import json
import re

from orchestrate.overnight import resuming_seen
from state import journal

ID = "4f0813b4-3f41-4a2a-9327-d96b8a30839e"
STOPPED = 1_735_572_161.0  # on 30 December 2024: long ago for every machine, whatever its clock shows


class Session:
    def __init__(self, place, home):
        self.place, self.home = place, home
        self.now = STOPPED - 60
        folder = home / ".claude" / "projects" / re.sub(r"[^A-Za-z0-9]", "-", place.root)
        folder.mkdir(parents=True)
        self.transcript = folder / f"{ID}.jsonl"
        self.says("user", "write a poem")
        self.records("session.start", source="startup", transcript_path=str(self.transcript), cwd=place.root)
        self.records("prompt.decided")

    def records(self, verb, at=None, **payload):
        self.now = at or self.now + 1
        event = journal.event(
            self.place, f"orchestration.{verb}", ID, None, ("session", ID), {**payload, "overhead_ms": 1.0}, self.now
        )
        journal.record(self.place, event)
        return event["id"]

    def says(self, who, text, **told):
        line = {"type": who, "timestamp": journal.stamp(self.now), "message": {"content": text}, **told}
        with self.transcript.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def is_limited(self, **info):
        self.now = STOPPED
        told = {"apiErrorParams": {"rate_limit_info": info}} if info else {}
        self.says("assistant", "limit", isApiErrorMessage=True, error="rate_limit", **told)
        return self.records("turn.failed", STOPPED, error="rate_limit")

    def seen(self, *attempts, **env):
        return resuming_seen.look(self.place, ID, list(attempts), {"HOME": str(self.home), **env})

    def register(self, pid, started, session=ID):
        folder = self.home / ".claude" / "sessions"
        folder.mkdir(exist_ok=True)
        (folder / f"{pid}.json").write_text(json.dumps({"pid": pid, "sessionId": session, "procStart": started}))


CLIENT = """\
#!/bin/sh
cat > "$DESK/stdin"
for word; do printf '%s\\n' "$word"; done > "$DESK/argv"
env > "$DESK/env"
pwd > "$DESK/pwd"
echo started >> "$DESK/starts"
cat "$DESK/says"
[ ! -e "$DESK/hangs" ] || sleep 600
exit "$(cat "$DESK/code")"
"""


def line(**told):
    return json.dumps(told)


def init(source="none"):
    return line(type="system", subtype="init", session_id=ID, model="claude-opus-5-5", apiKeySource=source)


def limits(used, resets_at, window="five_hour", status="allowed"):
    """What the stream tells of a limit; `used` in percent."""
    info = {"status": status, "rateLimitType": window, "resetsAt": resets_at, "utilization": used / 100}
    return line(type="rate_limit_event", rate_limit_info=info)


def answered(text="Grey sheets", usd=0.25):
    usage = {"inputTokens": 10, "outputTokens": 5, "costUSD": usd}
    message = {"id": "m", "model": "claude-opus-5-5", "content": [{"type": "text", "text": text}], "usage": {}}
    return "\n".join([
        line(type="assistant", message=message, parent_tool_use_id=None),
        line(type="result", subtype="success", is_error=False, result=text, modelUsage={"claude-opus-5-5": usage}),
    ])  # fmt: skip


def refused(resets_at=None):
    info = {"status": "rejected", "rateLimitType": "five_hour", "resetsAt": resets_at}
    message = {"id": "m", "model": "<synthetic>", "content": [{"type": "text", "text": "limit"}], "usage": {}}
    told = {"is_api_error_message": True, "error": "rate_limit", "api_error_status": 429}
    if resets_at is not None:
        told["api_error_params"] = {"rate_limit_info": info}
    return "\n".join([
        line(type="assistant", message=message, parent_tool_use_id=None, **told),
        line(type="result", subtype="success", is_error=True, result="limit", terminal_reason="api_error",
             api_error_status=429, modelUsage={}),
    ])  # fmt: skip


class Client:
    """A `claude` that says what it is told to, and writes down how it was started."""

    def __init__(self, folder, monkeypatch):
        self.folder = folder
        folder.mkdir()
        program = folder / "claude"
        program.write_text(CLIENT)
        program.chmod(0o755)
        monkeypatch.setenv("DESK", str(folder))
        monkeypatch.setenv("ORCHESTRATOR_CLAUDE_BINARY", str(program))
        self.will(init(), answered())

    def will(self, *says, code=0, hangs=False):
        (self.folder / "says").write_text("\n".join(says) + "\n")
        (self.folder / "code").write_text(str(code))
        if hangs:
            (self.folder / "hangs").touch()

    @property
    def starts(self):
        path = self.folder / "starts"
        return path.read_text().count("started") if path.exists() else 0

    def got(self, name):
        return (self.folder / name).read_text()

    @property
    def env(self):
        return dict(entry.partition("=")[::2] for entry in self.got("env").splitlines())
