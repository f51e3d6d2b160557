"""Record what the pinned client prints for every way a run can end: `python tests/agents/record_corpus.py [SHAPE ...]`.

Each shape becomes corpus/SHAPE.jsonl: a first line that says how it was made and how the process ended, then the lines
of stdout without what belongs to this machine. Shapes that say `by_hand` were written by hand: this leaves them alone.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "client"))
from rig import CLIENT, UNSHARE, World, lacking

CORPUS = Path(__file__).with_name("corpus")
CELL = Path(__file__).with_name("recording_cell.py")
VERSION = json.loads((CLIENT.parent.parent / "@anthropic-ai/claude-code/package.json").read_text())["version"]
PRINT = ["-p", "--output-format", "stream-json", "--verbose"]
DONT_ASK = ["--permission-mode", "dontAsk"]
SESSION = "9e401858-cd5a-4d55-ae9d-331d16fe93d0"
SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"answer": {"type": "string"}, "escalate": {"type": "string"}, "why": {"type": "string"}},
        "required": ["answer"],
    }
)
RESET = 1795255200  # 2026-11-21T10:00:00Z
MODELS = {"opus": "claude-opus-5-5", "sonnet": "claude-sonnet-5-5", "haiku": "claude-haiku-5-5"}


def bash(command, **more):
    return {"tool_use": [{"name": "Bash", "input": {"command": command, "description": "do it"}}], **more}


def spawn(model, background):
    given = {"description": "look", "prompt": "CHILD: look", "subagent_type": "general-purpose", "model": model}
    return {
        "text": "I ask another.",
        "tool_use": [{"name": "Agent", "input": {**given, "run_in_background": background}}],
    }


def refuse(status, kind, message="the fake API refuses", **more):
    return {"status": status, "type": kind, "message": message, **more}


def hooked(event, command):
    return {"hooks": {event: [{"hooks": [{"type": "command", "command": command, "timeout": 5}]}]}}


def says(value):
    return f"echo '{json.dumps(value)}'"


def kill(name, on, after_s=0.5):
    return {"signal": name, "on": on, "after_s": after_s}


OVERLOADED = refuse(529, "overloaded_error", "Overloaded")
SLEEP = bash("sleep 4", times=1)
HANG = {"hang_s": 20}
UNIFIED = {
    "anthropic-ratelimit-unified-status": "rejected",
    "anthropic-ratelimit-unified-reset": str(RESET),
    "anthropic-ratelimit-unified-representative-claim": "five_hour",
}
BLOCK = {"decision": "block", "reason": "not now"}

# What each shape asks of the API (rules), of the client (args, env, stdin, settings, before) and of us (kill, why).
SHAPES = {
    "ok_text": {"rules": [{"text": "All done."}]},
    "ok_tool": {
        "rules": [bash("echo hi", text="I run it.", times=1), {"text": "It said hi."}],
        "args": ["--allowedTools", "Bash"],
    },
    "ok_tool_failed": {"rules": [bash("exit 3", times=1), {"text": "It failed."}], "args": ["--allowedTools", "Bash"]},
    "ok_tools_side_by_side": {
        "rules": [
            {"tool_use": bash("echo a")["tool_use"] + bash("echo b")["tool_use"], "text": "Both.", "times": 1},
            {"text": "a and b"},
        ],
        "args": ["--allowedTools", "Bash"],
    },
    "ok_subagent": {
        "rules": [{"agent": True, "text": "seen"}, {**spawn("haiku", False), "times": 1}, {"text": "It saw."}]
    },
    "ok_subagent_tool": {
        "rules": [
            {"agent": True, **bash("echo seen", times=1)},
            {"agent": True, "text": "seen"},
            {**spawn("haiku", False), "times": 1},
            {"text": "It saw."},
        ],
        "args": ["--allowedTools", "Bash"],
    },
    "ok_subagent_background": {
        "rules": [{"agent": True, "text": "seen"}, {**spawn("sonnet", True), "times": 1}, {"text": "It saw."}]
    },
    "ok_subagent_failed": {
        "rules": [
            {"agent": True, **refuse(429, "rate_limit_error")},
            {**spawn("haiku", False), "times": 1},
            {"text": "I did it myself."},
        ]
    },
    "ok_agent_flag": {
        "args": [
            "--agents",
            json.dumps({"clerk": {"description": "files", "prompt": "File.", "model": "haiku"}}),
            "--agent",
            "clerk",
        ],
        "model": None,
    },
    "ok_structured": {
        "rules": [
            {"tool_use": [{"name": "StructuredOutput", "input": {"answer": "42"}}], "times": 1},
            {"text": "Done."},
        ],
        "args": ["--json-schema", SCHEMA],
    },
    "ok_structured_escalate": {
        "rules": [
            {
                "tool_use": [
                    {
                        "name": "StructuredOutput",
                        "input": {"answer": "", "escalate": "opus", "why": "needs a proof"},
                    }
                ],
                "times": 1,
            },
            {"text": "Done."},
        ],
        "args": ["--json-schema", SCHEMA],
    },
    "ok_long_answer": {"rules": [{"text": "long answer " * 1000}]},
    "ok_unicode": {"rules": [{"text": "Grüße \u2028 \U0001f600 \x1b[31mred\x1b[0m"}]},
    "ok_unknown_model_served": {"model": "claude-nonesuch-9"},
    "ok_other_model_served": {"rules": [{"text": "ok", "model_out": "claude-sonnet-5-5"}]},
    "ok_fallback": {"rules": [{"model": "opus", **OVERLOADED}], "args": ["--fallback-model", "haiku"], "retries": 3},
    "ok_after_retry": {"rules": [{"times": 1, **refuse(500, "api_error")}], "retries": 2},
    "ok_partial_messages": {"args": ["--include-partial-messages"]},
    "ok_hook_events": {"settings": hooked("UserPromptSubmit", "echo remember this"), "args": ["--include-hook-events"]},
    "ok_resumed": {"before": ["--session-id", SESSION], "args": ["--resume", SESSION]},
    "ok_slash_command": {"stdin": "/cost"},
    "ok_unknown_slash_command": {"stdin": "/nonesuch now"},
    "ok_denied_then_done": {
        "rules": [
            {"tool_use": [{"name": "Write", "input": {"file_path": "notes.txt", "content": "x"}}], "times": 1},
            bash("echo instead", times=1),
            {"text": "Done in another way."},
        ],
        "args": [*DONT_ASK, "--allowedTools", "Bash(echo:*)"],
    },
    "blocked": {"settings": hooked("UserPromptSubmit", says(BLOCK))},
    "blocked_suppressed": {"settings": hooked("UserPromptSubmit", says({**BLOCK, "suppressOriginalPrompt": True}))},
    "blocked_stopped": {
        "settings": hooked("UserPromptSubmit", says({"continue": False, "stopReason": "closed today"}))
    },
    "blocked_exit_2": {"settings": hooked("UserPromptSubmit", "echo no entry >&2; exit 2")},
    "blocked_by_tool_hook": {
        "rules": [bash("echo hi", times=1)],
        "settings": hooked("PreToolUse", says({"continue": False, "stopReason": "no tools today"})),
        "args": ["--allowedTools", "Bash"],
    },
    "ok_stop_hook_prevented": {"settings": hooked("Stop", says({"continue": False, "stopReason": "enough"}))},
    "rate_limited": {"rules": [refuse(429, "rate_limit_error")]},
    "rate_limited_retry_after": {"rules": [refuse(429, "rate_limit_error", headers={"retry-after": "30"})]},
    "rate_limited_reset": {"rules": [refuse(429, "rate_limit_error", headers=UNIFIED)]},
    "rate_limited_after_retries": {
        "rules": [refuse(429, "rate_limit_error", headers={"retry-after": "1"})],
        "retries": 2,
    },
    "rate_limited_midway": {
        "rules": [bash("echo hi", times=1), refuse(429, "rate_limit_error")],
        "args": ["--allowedTools", "Bash"],
    },
    "overloaded": {"rules": [OVERLOADED]},
    "overloaded_after_retries": {"rules": [OVERLOADED], "retries": 2},
    "overloaded_fallback_needs_retries": {
        "rules": [{"model": "opus", **OVERLOADED}],
        "args": ["--fallback-model", "haiku"],
    },
    "overloaded_fallback_too": {"rules": [OVERLOADED], "args": ["--fallback-model", "haiku"], "retries": 3},
    "api_error_500": {"rules": [refuse(500, "api_error")]},
    "api_error_503": {"rules": [refuse(503, "api_error")]},
    "api_error_400": {"rules": [refuse(400, "invalid_request_error", "tools.0: no such thing")]},
    "api_error_too_long": {
        "rules": [refuse(400, "invalid_request_error", "prompt is too long: 250000 tokens > 200000 maximum")]
    },
    "api_error_413": {"rules": [refuse(413, "request_too_large")]},
    "api_error_refused_connection": {"env": {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9"}},
    "ok_cut_then_answered": {"rules": [{"text": "half an ans", "cut": 3, "times": 1}, {"text": "the whole answer"}]},
    "api_error_cut_text": {"rules": [{"text": "half an ans", "cut": 3}]},
    "api_error_cut_tool": {"rules": [bash("echo hi", cut=2)], "args": ["--allowedTools", "Bash"]},
    "api_error_cut_at_once": {"rules": [{"cut": 0}]},
    "api_error_slow": {"rules": [HANG], "env": {"API_TIMEOUT_MS": "1500"}},
    "budget_max_tokens": {"rules": [{"text": "and so on and", "stop_reason": "max_tokens"}]},
    "blocked_refusal": {"rules": [{"text": "", "stop_reason": "refusal"}]},
    "auth_401": {"rules": [refuse(401, "authentication_error", "invalid x-api-key")]},
    "auth_403": {"rules": [refuse(403, "permission_error", "your key may not")]},
    "auth_credit": {
        "rules": [refuse(400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API.")]
    },
    "auth_no_key": {"env": {"ANTHROPIC_API_KEY": ""}},
    "model_not_found": {"rules": [refuse(404, "not_found_error", "model: claude-opus-5-5")]},
    "model_not_found_unknown": {
        "rules": [refuse(404, "not_found_error", "model: claude-nonesuch-9")],
        "model": "claude-nonesuch-9",
    },
    "ok_fallback_from_missing_model": {
        "rules": [{"model": "opus", **refuse(404, "not_found_error", "model: claude-opus-5-5")}],
        "args": ["--fallback-model", "haiku"],
    },
    "max_turns": {"rules": [bash("echo hi")], "args": ["--max-turns", "2", "--allowedTools", "Bash"]},
    "max_turns_same_call": {"rules": [bash("make test")], "args": ["--max-turns", "5", *DONT_ASK]},
    "budget": {"rules": [bash("echo hi")], "args": ["--max-budget-usd", "0.0001", "--allowedTools", "Bash"]},
    "permission_denied": {
        "rules": [
            {"tool_use": [{"name": "Write", "input": {"file_path": "notes.txt", "content": "x"}}], "times": 1},
            {"text": "I may not write."},
        ],
        "args": DONT_ASK,
    },
    "permission_denied_default_mode": {
        "rules": [bash("rm -r build", times=1), {"text": "I was not allowed to."}],
    },
    "permission_denied_auto_mode": {
        "rules": [bash("curl http://127.0.0.1:9", times=1), {"text": "It could not be checked."}],
        "args": ["--permission-mode", "auto"],
    },
    "permission_denied_auto_agent": {
        "rules": [{**spawn("haiku", False), "times": 1}, {"text": "It could not be checked."}],
        "args": ["--permission-mode", "auto"],
    },
    "ok_structured_never": {"rules": [{"text": "42"}], "args": ["--json-schema", SCHEMA]},
    "empty": {"rules": [{"text": ""}]},
    "empty_blanks": {"rules": [{"text": " \n "}]},
    "aborted_sigint_tool": {"rules": [SLEEP], "args": ["--allowedTools", "Bash"], "kill": kill("SIGINT", "tool")},
    "aborted_sigint_idle": {"rules": [HANG], "kill": kill("SIGINT", "request")},
    "aborted_by_user": {"rules": [HANG], "kill": kill("SIGTERM", "request"), "why": "aborted"},
    "timeout_hang": {"rules": [HANG], "kill": kill("SIGTERM", "request"), "why": "timed_out"},
    "timeout_tool": {
        "rules": [SLEEP],
        "args": ["--allowedTools", "Bash"],
        "kill": kill("SIGTERM", "tool"),
        "why": "timed_out",
    },
    "stalled_hang": {"rules": [HANG], "kill": kill("SIGKILL", "request"), "why": "stalled"},
    "killed_sigterm": {"rules": [HANG], "kill": kill("SIGTERM", "request")},
    "killed_sigterm_tool": {"rules": [SLEEP], "args": ["--allowedTools", "Bash"], "kill": kill("SIGTERM", "tool")},
    "killed_sigkill": {"rules": [HANG], "kill": kill("SIGKILL", "request")},
    "killed_sigkill_tool": {"rules": [SLEEP], "args": ["--allowedTools", "Bash"], "kill": kill("SIGKILL", "tool")},
    "killed_at_start": {"kill": kill("SIGKILL", "start", 0.05)},
    "crashed_no_prompt": {"stdin": ""},
    "crashed_bad_flag": {"args": ["--no-such-flag"]},
    "crashed_bad_session_id": {"args": ["--session-id", "not-a-uuid"]},
    "crashed_unknown_resume": {"args": ["--resume", SESSION]},
    "crashed_session_in_use": {"before": ["--session-id", SESSION], "args": ["--session-id", SESSION]},
    "crashed_unknown_agent": {"args": ["--agent", "nobody"]},
    "crashed_bad_settings": {"args": ["--settings", "{not json"]},
    "crashed_bad_schema": {"args": ["--json-schema", "{not json"]},
    "no_json_text": {"args": ["--output-format", "text"], "rules": [{"text": "plain words"}]},
}


def run(world, spec, args):
    """One run of the client in a cell of its own: {code, stdout, stderr, asked}."""
    model = [] if spec.get("model", "opus") is None else ["--model", spec.get("model", "opus")]
    env = {**world.client_env, "CLAUDE_CODE_MAX_RETRIES": str(spec.get("retries", 0)), **spec.get("env", {})}
    job = {
        "argv": [str(CLIENT), *PRINT, *model, *args],
        "env": {name: value for name, value in env.items() if value},
        "cwd": str(world.project),
        "stdin": spec.get("stdin", "Do what is to be done"),
        "rules": spec.get("rules", []),
        "kill": spec.get("kill"),
    }
    argv = [*UNSHARE, sys.executable, str(CELL)]
    done = subprocess.run(argv, input=json.dumps(job), text=True, capture_output=True, timeout=90, check=True)
    return json.loads(done.stdout)


class Scrub:
    """Takes out of a recording what belongs to the machine and the moment."""

    UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
    INIT = ("type", "subtype", "cwd", "session_id", "model", "permissionMode", "apiKeySource", "claude_code_version")
    DULL = (
        "uuid",
        "subagent_stats",
        "safety_stops",
        "queued_turn_count",
        "fast_mode_state",
        "fast_mode_disabled_reason",
        "ttft_ms",
        "ttft_stream_ms",
        "time_to_request_ms",
    )

    def __init__(self, world):
        self.world = world
        self.seen = {}

    def text(self, text):
        slug = re.sub(r"[^A-Za-z0-9]", "-", str(self.world.project))
        for real, said in (
            (str(self.world.project), "/home/me/project"),
            (str(self.world.home), "/home/me"),
            (slug, "-home-me-project"),
            (str(CLIENT), "claude"),
            (str(CLIENT.resolve()), "claude"),
        ):
            text = text.replace(real, said)
        text = re.sub(r"/tmp/claude-\d+", "/tmp/claude", text)
        return self.UUID.sub(self.number, text)

    def number(self, match):
        count = self.seen.setdefault(match[0], len(self.seen) + 1)
        return f"00000000-0000-4000-8000-{count:012d}"

    def line(self, line):
        try:
            value = json.loads(line)
        except ValueError:
            return self.text(line)
        if value.get("subtype") == "init":
            value = {name: value[name] for name in self.INIT} | {"tools": value["tools"][:3]}
        value = {name: part for name, part in value.items() if name not in self.DULL}
        return self.text(json.dumps(value, separators=(",", ":"))) + "\n"


def ended(code, why):
    """The fields of orchestrate.agents.outcome.Ended that are not their defaults."""
    return {("code" if code >= 0 else "signal"): abs(code), **({why: True} if why else {})}


def record(name, spec):
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        if "settings" in spec:
            (world.config / "settings.json").write_text(json.dumps(spec["settings"]))
        if "before" in spec:
            run(world, {}, spec["before"])
        got = run(world, spec, spec.get("args", []))
        scrub = Scrub(world)
        lines = [scrub.line(line) for line in got["stdout"]]
        head = {
            "client": VERSION,
            "made_by": {part: spec[part] for part in spec if part in ("args", "retries", "stdin", "kill")},
            "requests": got["asked"],
            "ended": ended(got["code"], spec.get("why")),
            "stderr": scrub.text(got["stderr"]),
        }
        (CORPUS / f"{name}.jsonl").write_text(json.dumps(head) + "\n" + "".join(lines))
    return head, lines


def main(names):
    if reason := lacking():
        sys.exit(reason)
    for name in names or SHAPES:
        head, lines = record(name, SHAPES[name])
        print(
            name, head["ended"], "lines", len(lines), "asked", head["requests"], repr(head["stderr"][:200]), flush=True
        )


if __name__ == "__main__":
    main(sys.argv[1:])
