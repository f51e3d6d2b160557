"""Past prompts of this project that may be tried out again: whose text there is, and which stand alone."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from orchestrate.learning import events, texts
from orchestrate.shadow import classes
from orchestrate.shadow.pairs import Line
from routing.correction import Correction
from state.paths import Place

MOST = 3000  # the newest decisions


class Subject(NamedTuple):
    ts: str
    hash: str
    text: str


def found(place: Place, learned: Correction | None) -> dict[str, list[Subject]]:
    """By class, one for each text, the oldest first."""
    told = events.read([place])
    decided = [each for each in told if each.kind == events.DECIDED and each.prompt_id][-MOST:]
    known = texts.of(decided, told)
    by_class: defaultdict[str, list[Subject]] = defaultdict(list)
    seen: set[str] = set()
    for each in decided:
        text, mark = known.get((each.session, each.prompt_id or "")), each.word("hash")
        if text is None or mark is None or mark in seen:
            continue
        seen.add(mark)
        for group in classes.of(text, learned):
            by_class[group.name].append(Subject(each.ts, mark, text))
    return dict(by_class)


def left(subjects: Iterable[Subject], tried: Iterable[Line]) -> list[Subject]:
    """Those that no pair of the class is of yet."""
    known = {line.get("hash") for line in tried}
    return [subject for subject in subjects if subject.hash not in known]
