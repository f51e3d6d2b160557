"""A transcript as replay needs it: the main thread's prompts, what the router wants for each, and their steps."""

from pathlib import Path
from typing import NamedTuple

import orjson

from metrics.savings import Call
from orchestrate.request import prompt, usage
from orchestrate.request.usage import Step
from routing import routing_core
from routing.economics import TIERS
from routing.main_thread import Wish
from state.errors import UserError
from state.transcript import text_of

LABEL = "wantedTier"  # on a user line: what the router is to want, whatever the text says


class Turn(NamedTuple):
    """`wish` is None before the first prompt; `is_rewritten`: the history before it was compacted away."""

    at: float
    wish: Wish | None
    steps: list[Step]
    is_rewritten: bool = False


class Session(NamedTuple):
    name: str
    turns: list[Turn]

    @property
    def calls(self) -> list[Call]:
        return [as_call(step) for turn in self.turns for step in turn.steps]

    @property
    def main(self) -> str:
        """The model that it began with."""
        return self.turns[0].steps[0].model


class Reader:
    """Takes a transcript's lines one by one; like the hook, the router knows of its last decision."""

    def __init__(self) -> None:
        self.turns = [Turn(0.0, None, [])]
        self._places: dict[str, tuple[Turn, int]] = {}
        self._decided: tuple[str, float] | None = None
        self._is_rewritten = False

    def take(self, line: bytes) -> None:
        entry = _object(line)
        if entry.get("isSidechain") is True:
            return
        if entry.get("type") == "assistant":
            self._answer(line)
        elif entry.get("type") == "user" and usage.is_prompt(line):
            self._prompt(entry)
        elif entry.get("subtype") == "compact_boundary":
            self._is_rewritten = True

    def _answer(self, line: bytes) -> None:
        found = usage.step(line)
        if found is None:
            return
        self._is_rewritten = False
        message, step = found
        if message not in self._places:
            self._places[message] = self.turns[-1], len(self.turns[-1].steps)
            self.turns[-1].steps.append(step)
            return
        turn, place = self._places[message]
        turn.steps[place] = step

    def _prompt(self, entry: dict[str, object]) -> None:
        text = text_of(entry)
        at = _at(entry)
        if at is None or prompt.machine_made(text):
            return
        label = entry.get(LABEL)
        wish = Wish(label) if isinstance(label, str) and label in TIERS else self._routed(text, at, entry)
        self._decided = wish.tier, at
        self.turns.append(Turn(at, wish, [], self._is_rewritten))

    def _routed(self, text: str, at: float, entry: dict[str, object]) -> Wish:
        tier, decided_at = self._decided or (None, at)
        decision = routing_core.decide(
            text,
            routing_core.Situation(
                last_tier=tier,
                last_age_s=at - decided_at if tier else None,
                plan_mode=entry.get("permissionMode") == "plan",
            ),
        )
        return Wish(decision.tier, not decision.abstained, decision.override)


def read(path: Path) -> Session:
    reader = Reader()
    try:
        with path.open("rb") as file:
            for line in file:
                reader.take(line)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}: name a transcript of the client (*.jsonl)") from error
    turns = [turn for turn in reader.turns if turn.steps]
    if not turns:
        raise UserError(f"{path}: no step of a main thread in it: name a transcript of the client (*.jsonl)")
    return Session(path.stem, turns)


def as_call(step: Step) -> Call:
    return Call(step.at, step.model, step.input, step.output, step.cache_read, step.cache_write, step.is_1h)


def _object(line: bytes) -> dict[str, object]:
    try:
        entry = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return entry if isinstance(entry, dict) else {}


def _at(entry: dict[str, object]) -> float | None:
    try:
        return usage.unix(str(entry.get("timestamp")))
    except ValueError:
        return None
