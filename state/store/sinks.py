"""How far each sink has been told of the events, and what it did not take."""

from collections.abc import Sequence
from typing import NamedTuple

from state.store.appending import append
from state.store.engine import Engine
from state.store.records import Event


class Standing(NamedTuple):
    name: str
    told_seq: int  # every event up to this one is done with
    delivered: int
    tries: int  # of the next one
    next_at: str | None  # not before
    problem: str | None


class Letter(NamedTuple):
    """An event that a sink did not take."""

    sink: str
    event_id: str
    died_at: str
    tries: int
    problem: str
    letter: str  # JSON, as it is sent


class Sinks:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, name: str) -> Standing | None:
        found = self._engine.rows("sink", (name,))
        return Standing(*found[0]) if found else None

    def begin(self, name: str, since: str) -> Standing:
        """One that is new hears of what is told from `since` on."""
        with self._engine.writing():
            self._engine.run("begin_sink", {"name": name, "since": since})
        found = self.find(name)
        if found is None:
            raise LookupError(name)
        return found

    def after(self, seq: int, most: int) -> list[tuple[int, Event]]:
        return [(row[0], Event(*row[1:])) for row in self._engine.rows("events_after", (seq, most))]

    def behind(self, seq: int) -> int:
        return int(self._engine.rows("count_events_after", (seq,))[0][0])

    def advance(self, name: str, seq: int, delivered: int) -> None:
        with self._engine.writing():
            self._engine.run("advance_sink", {"name": name, "told_seq": seq, "delivered": delivered})

    def hold(self, name: str, tries: int, next_at: str | None, problem: str) -> None:
        """The next event is tried again, not before `next_at`."""
        with self._engine.writing():
            values = {"name": name, "tries": tries, "next_at": next_at, "problem": problem}
            self._engine.run("hold_sink", values)

    def bury(self, letter: Letter, seq: int, told: Sequence[Event]) -> None:
        """Give the event up and go on behind it."""
        with self._engine.writing():
            self._engine.run("bury_letter", letter._asdict())
            self._engine.run("advance_sink", {"name": letter.sink, "told_seq": seq, "delivered": 0})
            append(self._engine, told)

    def dead(self) -> list[Letter]:
        return [Letter(*row) for row in self._engine.rows("dead_letters")]

    def died_again(self, letter: Letter) -> None:
        with self._engine.writing():
            self._engine.run("bury_letter", letter._asdict())

    def delivered_late(self, letter: Letter, told: Sequence[Event]) -> None:
        with self._engine.writing():
            self._engine.run("forget_letter", (letter.sink, letter.event_id))
            append(self._engine, told)
