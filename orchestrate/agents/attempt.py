"""One attempt: what the client is started with, and what it is heard to say."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from orchestrate.agents import command, context, definitions, policy, runs
from orchestrate.agents.job import Job
from orchestrate.agents.progress import Progress
from orchestrate.agents.stop import Stop
from orchestrate.agents.stream import Tally

LOOP = 10  # the same tool call so often in a row is no progress
CLIENT_RETRIES = 2  # the client goes over to the fallback model after its third try, and never with fewer
REQUEST_TIMEOUT_S = 600.0

Say = Callable[[str], bool | None]  # whether it can be seen on stdout


class Asked(NamedTuple):
    model: str  # a tier, or the user's own choice
    stand_in: str
    agent: str
    above: Sequence[str]  # the tiers that the agent may ask for
    total_s: float  # of the attempt


def spec(job: Job, passed: Mapping[str, str], asked: Asked) -> command.Spec:
    settings = job.settings
    definition = definitions.find(job.place, job.env, asked.agent)
    return command.Spec(
        program=str(settings["claude_binary"]),
        model=by_name(job, asked.model),
        agent=definition.name,
        definition=definition.as_json() if definition.source == definitions.OURS else None,
        fallback_model=by_name(job, asked.stand_in),
        max_turns=int(settings["run.max_turns"]),
        max_budget_usd=float(settings["run.max_budget_usd"]),
        permission_mode=str(settings["run.permission_mode"]),
        client_session=command.new_session(),  # one that was used before is refused
        note=" ".join([*_note_on(passed), *_way_up(asked.above)]),
        request_timeout_s=min(REQUEST_TIMEOUT_S, asked.total_s),
        retries=CLIENT_RETRIES,
    )


class Ear:
    """Counts, keeps and passes on what one attempt says, and asks for its end when it goes round in circles."""

    def __init__(self, run: runs.Run, say: Say, progress: Progress, stop: Stop) -> None:
        self.tally = Tally()
        self.was_seen = False  # something of it is on stdout
        self._run = run
        self._say = say
        self._progress = progress
        self._stop = stop

    def hear(self, line: bytes) -> None:
        said, fallen = self.tally.text, len(self.tally.fallbacks)
        self.tally.feed(line)
        self._run.keep(line)
        self._progress.update(self.tally)
        if self.tally.text != said and policy.evidence_in({"result": self.tally.text}) == policy.NOTHING:
            with self._progress.aside():
                self.was_seen = bool(self._say(self.tally.text)) or self.was_seen
        for trigger, model, stand_in in self.tally.fallbacks[fallen:]:
            self._progress.note(f"{trigger}: the client goes on with {stand_in} in place of {model}")
        if self.tally.tool_repeats >= LOOP:
            self._stop.ask("loop")


def sendable(request: str, addition: str = "") -> bytes:
    """A request that begins with a slash would be taken as a command of the client."""
    text = f"The request: {request}" if request.lstrip().startswith("/") else request
    return (f"{text}\n\n{addition}" if addition else text).encode("utf-8", "replace")


def by_name(job: Job, model: str) -> str:
    """What the client is to ask for: a tier may stand for a model of the user's choice."""
    return str(job.settings.get(f"models.{model}") or model)


def _note_on(passed: Mapping[str, str]) -> list[str]:
    path = passed.get(context.FILE)
    return [f"What led to this request is in the JSON file {path}; read it if you need it."] if path else []


def _way_up(above: Sequence[str]) -> list[str]:
    """How the agent asks for a stronger one, as long as there is one."""
    if not above:
        return []
    ask = '{"escalate": "' + '" or "'.join(above) + '", "why": "..."}'
    return [f"If the work needs a stronger model, change nothing and answer with this JSON alone: {ask}"]
