"""Sessions as the client and our hooks leave them behind: transcripts in the client's form, and our events."""

import itertools
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from state import journal

OPUS, SONNET, HAIKU = "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"
IDS = {"opus": OPUS, "sonnet": SONNET, "haiku": HAIKU}
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DELEGATED = {"mode": "directive", "action": "delegate", "agent": "haiku-general", "tier": "haiku", "rung": "directive"}
STAYED = {"mode": "directive", "action": "stay", "agent": "opus-general", "tier": "opus", "rung": "none"}


class Machine:
    """A user's machine: every id and every moment is another, and the same in every run."""

    def __init__(self, place, folder):
        self.place = place
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.numbers = itertools.count(1)
        self.seconds = itertools.count(1)

    def name(self, kind):
        return f"{next(self.numbers):08x}-{kind}"

    def now(self):
        return NOON + timedelta(milliseconds=100 * next(self.seconds))

    def session(self, source="startup"):
        session = Session(self, self.name("session"))
        session.start(source)
        return session

    def files(self):
        return sorted(self.folder.rglob("*.jsonl"))


class Thread:
    """One transcript: its lines hang on one another."""

    def __init__(self, machine, session, path, agent=None):
        self.machine, self.session, self.path, self.agent = machine, session, path, agent
        self.parent = None
        self.prompt_id = None
        self.model = OPUS  # that answered last
        path.parent.mkdir(parents=True, exist_ok=True)

    def write(self, kind, parent="", **fields):
        """One line; its uuid."""
        uuid = self.machine.name("line")
        entry = {
            "parentUuid": self.parent if parent == "" else parent,
            "isSidechain": self.agent is not None,
            **({"agentId": self.agent} if self.agent else {}),
            **fields,
            "type": kind,
            "uuid": uuid,
            "timestamp": stamp(self.machine.now()),
            "sessionId": self.session,
            "version": "2.1.329",
        }
        self.append(entry)
        self.parent = uuid
        return uuid

    def append(self, entry):
        with self.path.open("ab") as file:
            file.write(json.dumps(entry, separators=(",", ":")).encode() + b"\n")

    def raw(self, data):
        with self.path.open("ab") as file:
            file.write(data)

    def user(self, prompt_id, content="go", **fields):
        self.prompt_id = prompt_id
        self.write("user", promptId=prompt_id, message={"role": "user", "content": content}, **fields)
        self.write("attachment", attachment={"type": "environment", "snapshot": {"platform": "linux"}})

    def result(self, content="done"):
        block = {"type": "tool_result", "tool_use_id": "toolu_x", "content": content}
        message = {"role": "user", "content": [block]}
        self.write("user", promptId=self.prompt_id, message=message, toolUseResult={"stdout": content})

    def noise(self, text="x"):
        """What the client keeps for itself."""
        self.append({"type": "api-request-shape", "system": text, "sessionId": self.session})

    def answer(self, model, requested=None, blocks=("text",), tokens=(10, 5, 0, 0), key=None, **fields):
        """One message: a line for each of its blocks, the count of its output growing; its id."""
        self.model = model
        key = key or f"msg_{self.machine.name('message')}"
        for number, block in enumerate(blocks, start=1):
            usage = {
                "input_tokens": tokens[0],
                "cache_creation_input_tokens": tokens[3],
                "cache_read_input_tokens": tokens[2],
                "output_tokens": tokens[1] if number == len(blocks) else 1,
            }
            message = {"id": key, "type": "message", "role": "assistant", "model": model, "usage": usage}
            self.write(
                "assistant",
                message={**message, "content": [{"type": block}]},
                requestedModel=requested or model,
                effort="medium",
                **fields,
            )
        return key

    def synthetic(self, text="API Error", **fields):
        message = {
            "id": self.machine.name("synthetic"),
            "model": "<synthetic>",
            "role": "assistant",
            "content": [{"type": "text", "text": text}],
            "usage": {"input_tokens": 0, "output_tokens": 0},
        }
        self.write("assistant", message=message, **fields)

    def fails(self, status=529):
        self.write("system", subtype="api_error", error={"status": status})

    def falls_back(self, from_model, to_model):
        fields = {"originalModel": from_model, "fallbackModel": to_model, "trigger": "overloaded"}
        self.write("system", subtype="model_fallback", **fields)


class Session:
    def __init__(self, machine, name):
        self.machine, self.name = machine, name
        self.main = Thread(machine, name, machine.folder / f"{name}.jsonl")
        self.prompt_id = None

    def event(self, kind, entity=("prompt", ""), prompt_id=None, **payload):
        now = self.machine.now().timestamp()
        entry = journal.event(
            self.machine.place, f"orchestration.{kind}", self.name, prompt_id, entity, payload, now, "hook"
        )
        journal.record(self.machine.place, entry)

    def start(self, source="startup"):
        self.event("session.start", ("session", self.name), source=source, transcript_path=str(self.main.path))

    def prompt(self, decided=None, content="go"):
        """A prompt that was decided, or that none of ours saw; its id."""
        self.prompt_id = self.machine.name("prompt")
        if decided is not None:
            self.event("prompt.decided", ("prompt", self.prompt_id), self.prompt_id, **decided)
        self.main.noise()
        self.main.user(self.prompt_id, content)
        return self.prompt_id

    def stop(self, kind="turn.end"):
        self.event(kind, ("prompt", self.prompt_id), self.prompt_id)

    def spawn(
        self,
        agent_type="general-purpose",
        call_model=None,
        resolved=HAIKU,
        served=(HAIKU,),
        requested=None,
        rung="none",
        model_set=None,
        meta_model="",
        background=False,
        within=None,
        ran_type=None,
        env_model=None,
        env_forced=False,
        **decided,
    ):
        """An agent: asked for by the main thread or `within` another agent, launched where `resolved`, with a message
        for each model of `served`, None of them synthetic; its thread."""
        tool, agent = f"toolu_{self.machine.name('call')}", f"a{self.machine.name('agent')}"
        parent = within or self.main
        parent.answer(parent.model, blocks=("text", "tool_use"))
        self.event(
            "spawn.requested",
            ("spawn", tool),
            self.prompt_id,
            tool="Agent",
            agent_type=agent_type,
            model=call_model,
            by_agent=within.agent if within else None,
            rung=rung,
            model_set=model_set,
            env_model=env_model,
            env_forced=env_forced,
            **decided,
        )
        told = {"agent_id": agent, "agent_type": ran_type or agent_type, "model": resolved}
        if background and resolved:
            self.event("spawn.launched", ("spawn", tool), self.prompt_id, **told, status="async_launched")
        if served:
            meta = {"toolUseId": tool, "agentType": ran_type or agent_type}
            meta |= {"model": meta_model or resolved, "parentAgentId": within.agent if within else None}
            child = self._child(agent, {name: value for name, value in meta.items() if value})
            for model in served:
                if model is None:
                    child.synthetic(isApiErrorMessage=True, error="rate_limit")
                else:
                    child.answer(model, requested or model, blocks=("thinking", "text"))
        if not background and resolved:
            self.event("spawn.launched", ("spawn", tool), self.prompt_id, **told, status="completed")
        parent.result()
        return child if served else None

    def workflow(self, *agents):
        """Agents (rung, model set, model that served) of one workflow: their files lie deeper and name no call."""
        tool = f"toolu_{self.machine.name('call')}"
        for rung, model_set, _ in agents:
            asked = {"tool": "WorkflowAgent", "rung": rung, "model_set": model_set}
            self.event("spawn.requested", ("spawn", tool), **asked)
        self._ran(agents)

    def rewritten_workflow(self, *agents):
        """Agents (model set in the script, model that served) of one workflow whose script the hook changed."""
        tool = f"toolu_{self.machine.name('call')}"
        told = [{"tier": model_set, "model_set": model_set} for model_set, _ in agents]
        asked = {"tool": "Workflow", "rung": "rewrite", "model_set": None, "agents": told}
        self.event("spawn.requested", ("spawn", tool), **asked)
        self._ran([("rewrite", *agent) for agent in agents])

    def _ran(self, agents):
        for _, _, model in agents:
            agent = f"a{self.machine.name('agent')}"
            child = self._child(agent, {"agentType": "workflow-subagent", "model": model}, "workflows/wf_1")
            child.answer(model)

    def _child(self, agent, meta, within=""):
        folder = self.main.path.with_suffix("") / "subagents" / within
        child = Thread(self.machine, self.name, folder / f"agent-{agent}.jsonl", agent)
        child.path.with_suffix(".meta.json").write_text(json.dumps(meta))
        child.user(self.prompt_id, "CHILD")
        return child

    def resume(self):
        self.start("resume")

    def compact(self):
        self.start("compact")
        self.main.write("system", parent=None, subtype="compact_boundary", logicalParentUuid=self.main.parent)
        self.main.user(self.prompt_id, "This session is being continued", isCompactSummary=True)

    def fork(self):
        """Another session that begins with this one's lines, under its own id and the id of its first prompt."""
        other = self.machine.session("fork")
        other.prompt_id = self.machine.name("prompt")
        for line in self.main.path.read_text().splitlines():
            if not line.startswith("{"):
                continue
            entry = {**json.loads(line), "sessionId": other.name}
            if "promptId" in entry:
                entry["promptId"] = other.prompt_id
            other.main.append(entry)
        other.main.parent = self.main.parent
        other.event("prompt.decided", ("prompt", other.prompt_id), other.prompt_id, **STAYED)
        other.main.user(other.prompt_id, "three")
        return other

    def run(self, requested="haiku", served=HAIKU, outcome="ok"):
        run = self.machine.name("run")
        usage = {served: {"input_tokens": 7, "output_tokens": 3}} if served else {}
        self.event(
            "run.finished",
            ("run", run),
            self.prompt_id,
            agent="haiku-general",
            model_requested=requested,
            model_served=served,
            outcome=outcome,
            usage=usage,
        )


def stamp(moment):
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
