"""Finding events by what they say, and telling a scope's figures."""

from collections.abc import Sequence

import orjson

from state.store.engine import Engine
from state.store.search_records import Hit, Span
from state.store.search_terms import Scope, Term, expression, pattern

NEWEST = 20_000  # as many events are looked through for what is within a word
Mark = tuple[object, ...]
Narrowed = tuple[str, str, str]  # a statement for all, for sessions, for tasks: so each has its own index
MATCHING = ("events_matching", "events_matching_in_sessions", "events_matching_in_tasks")
HOLDING = ("events_holding", "events_holding_in_sessions", "events_holding_in_tasks")
MARK = ("mark", "mark_of_sessions", "mark_of_tasks")
SPAN = ("span", "span_of_sessions", "span_of_tasks")
TYPES = ("types", "types_of_sessions", "types_of_tasks")


class Search:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def matching(self, terms: Sequence[Term], how: str, scope: Scope, since: str, most: int) -> list[Hit]:
        """The newest first. `how` is one of search_terms.HOW."""
        query = expression(self._engine.dialect, terms, how, scope)
        if not query or _is_empty(scope):
            return []
        return self._hits(MATCHING, scope, {"query": query, "since": since, "most": most})

    def holding(self, text: str, scope: Scope, since: str, most: int) -> list[Hit]:
        """Those of the newest that have `text` anywhere, within a word too; the newest first."""
        if _is_empty(scope):
            return []
        values = {"pattern": pattern(text), "since": since, "most": most, "newest": NEWEST}
        return self._hits(HOLDING, scope, values)

    def texts_of(self, seqs: Sequence[int]) -> dict[int, str]:
        """The payloads, as far as they are searched."""
        among = orjson.dumps(list(seqs)).decode()
        return {int(row[0]): str(row[1]) for row in self._engine.rows("event_texts_of", {"among": among})}

    def mark(self, scope: Scope) -> Mark:
        """Another as soon as there is another event in the scope, or one less."""
        statement, values = narrowed(MARK, scope, {})
        return tuple(self._engine.rows(statement, values)[0])

    def span(self, scope: Scope, since: str) -> Span:
        statement, values = narrowed(SPAN, scope, {"since": since})
        return Span(*self._engine.rows(statement, values)[0])

    def types(self, scope: Scope, since: str) -> dict[str, int]:
        """The events of each type, the most frequent first."""
        statement, values = narrowed(TYPES, scope, {"since": since})
        rows = sorted(self._engine.rows(statement, values), key=lambda row: (-row[1], row[0]))
        return {str(row[0]): int(row[1]) for row in rows}

    def sessions_beginning(self, beginning: str, most: int) -> list[str]:
        """Of the sessions that told anything; an exact one first."""
        values = {"low": beginning, "high": beginning + "\U0010ffff", "most": most}
        return [str(row[0]) for row in self._engine.rows("sessions_beginning", values)]

    def is_task_told(self, code: str) -> bool:
        return bool(self._engine.rows("is_task_told", (code,))[0][0])

    def _hits(self, statements: Narrowed, scope: Scope, values: dict[str, object]) -> list[Hit]:
        statement, values = narrowed(statements, scope, values)
        return [Hit(*row) for row in self._engine.rows(statement, values)]


def narrowed(statements: Narrowed, scope: Scope, values: dict[str, object]) -> tuple[str, dict[str, object]]:
    for statement, among in zip(statements[1:], (scope.sessions, scope.tasks), strict=True):
        if among is not None:
            return statement, {**values, "among": orjson.dumps(among).decode()}
    return statements[0], values


def _is_empty(scope: Scope) -> bool:
    return () in (scope.sessions, scope.tasks)
