"""What the vector driver finds that full text does not: questions that share hardly a word with what they ask for."""

import os
from pathlib import Path

import pytest
from gates import kept

from orchestrate.memory import vector_table
from orchestrate.memory.search import search
from orchestrate.memory.search_found import Wanted
from orchestrate.memory.search_scope import Where
from state.paths import locate
from state.store import Event, open_store
from state.store.search_terms import Scope

PAIRS = [line.split("\t") for line in Path(__file__).parent.joinpath("search/paraphrases.tsv").read_text().splitlines()]
PROJECT = Where("project", "", Scope())
FIRST = 5  # a hit counts among so many
MISSED = 0.4  # of the questions, at most
WORDS_FIND = 0.1  # of them, at most: otherwise the set is too easy to show anything


@pytest.fixture
def place(tmp_path):
    (tmp_path / "project" / ".git").mkdir(parents=True)
    place = locate(str(tmp_path / "project"), os.environ)
    with open_store(place) as store:
        store.emit([event(number, text) for number, (text, _) in enumerate(PAIRS)])
    return place


def event(number, text):
    ts = "2026-11-21T10:00:00.000Z"
    return Event(f"e{number}", ts, "note.told", "s", None, "bench", "note", "n", f'{{"text":"{text}"}}')


def found(place, driver):
    """Of how many questions the answer is among the first."""
    with open_store(place) as store:
        answers = [search(place, store, Wanted(query, PROJECT, limit=FIRST, driver=driver), str) for _, query in PAIRS]
    return sum(f"e{number}" in [hit.item.id for hit in answer.hits] for number, answer in enumerate(answers))


def test_meaning_finds_paraphrases(place, benchmark):
    by_words = found(place, "fulltext")
    by_meaning = benchmark.pedantic(found, (place, "vector"), rounds=1)
    benchmark.extra_info.update(questions=len(PAIRS), words=by_words, meaning=by_meaning)
    assert len(PAIRS) >= 60
    assert by_words <= WORDS_FIND * len(PAIRS)
    assert kept(benchmark, 1 - by_meaning / len(PAIRS), MISSED)


def test_a_table_that_means_nothing_exceeds_its_gate(place, monkeypatch):
    monkeypatch.setattr(vector_table, "vector", lambda text: os.urandom(vector_table.table().dimensions))
    assert 1 - found(place, "vector") / len(PAIRS) > MISSED
