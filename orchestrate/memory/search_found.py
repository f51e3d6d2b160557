"""What a search asks for and what it gives."""

from collections.abc import Mapping
from typing import NamedTuple

from orchestrate.memory.search_rank import Candidate, Parts
from orchestrate.memory.search_scope import Where
from orchestrate.memory.search_snippet import Snippet
from state.store.search_terms import Term

EVENT = "event"
ARCHIVED = "archived"


class Wanted(NamedTuple):
    query: str
    where: Where
    since: str = ""  # UTC; empty: from the beginning
    limit: int = 20
    archived: bool = False
    driver: str = "fulltext"
    more: tuple[str, ...] = ()  # further words that were thought of


class Item(NamedTuple):
    """Something that was found, whatever it is."""

    source: str  # event, archived, bug, knowledge
    id: str
    ts: str
    type: str
    session: str | None
    task: str | None
    entity: tuple[str, str]
    text: str
    seq: int | None = None
    how: str = "words"  # by which it was found
    near: float = 0.0  # in meaning, where that was looked for: 1 is the same

    def candidate(self, age_days: float, sure: int) -> Candidate:
        return Candidate(f"{self.type} {self.entity[1]}", self.text, age_days, sure, self.near)


class Ranked(NamedTuple):
    item: Item
    parts: Parts
    snippet: Snippet

    def as_json(self) -> dict[str, object]:
        item, parts = self.item, self.parts
        return {
            "source": item.source,
            "id": item.id,
            "ts": item.ts,
            "type": item.type,
            "session": item.session,
            "task": item.task,
            "entity": {"type": item.entity[0], "id": item.entity[1]},
            "score": round(parts.score, 4),
            "snippet": self.snippet.text,
            "marks": [list(span) for span in self.snippet.marks],
            "how": item.how,
            "parts": {
                "text": round(parts.text, 4),
                "recency": round(parts.recency, 4),
                "counts": list(parts.counts),
                "near": round(item.near, 4),
            },
        }


class Answer(NamedTuple):
    terms: tuple[Term, ...]
    stages: Mapping[str, int]  # how many more each look found, in their order
    found: int  # at least
    hits: tuple[Ranked, ...]

    def as_json(self) -> dict[str, object]:
        return {
            "terms": [term.text for term in self.terms],
            "stages": dict(self.stages),
            "found": self.found,
            "hits": [hit.as_json() for hit in self.hits],
        }
