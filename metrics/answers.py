"""Which models answered, as the transcripts have it: for the main thread of each prompt, each agent and each spawn."""

from collections import defaultdict
from collections.abc import Iterable

from metrics.turns import Key
from state.store import Served

Models = set[str]


class Answers:
    def __init__(self, served: Iterable[Served] = ()) -> None:
        self.mains: defaultdict[Key, Models] = defaultdict(set)  # by prompt
        self.agents: defaultdict[Key, dict[str, str | None]] = defaultdict(dict)  # by prompt: each agent's type
        self._of_prompt: defaultdict[tuple[str, str, str], Models] = defaultdict(set)  # an agent's, by prompt
        self._of_agent: defaultdict[Key, Models] = defaultdict(set)
        self._of_call: defaultdict[Key, Models] = defaultdict(set)
        for message in served:
            if message.served is not None:
                self._note(message, message.served)

    def told_of(self, prompt: Key) -> bool:
        return prompt in self.mains or prompt in self.agents

    def of_agent(self, prompt: Key, agent_id: str) -> Models:
        """What served it for this prompt, else at all."""
        return self._of_prompt.get((*prompt, agent_id)) or self._of_agent.get((prompt[0], agent_id), set())

    def of_call(self, session: str, call: str, agent_id: str | None) -> Models:
        return self._of_call.get((session, call)) or self._of_agent.get((session, agent_id or ""), set())

    def _note(self, message: Served, model: str) -> None:
        prompt = None if message.prompt_id is None else (message.session, message.prompt_id)
        if message.agent_id is None:
            if prompt and not message.is_sidechain:
                self.mains[prompt].add(model)
            return
        self._of_agent[message.session, message.agent_id].add(model)
        if prompt:
            self.agents[prompt].setdefault(message.agent_id, message.agent_type)
            self._of_prompt[(*prompt, message.agent_id)].add(model)
        if message.tool_use_id:
            self._of_call[message.session, message.tool_use_id].add(model)
