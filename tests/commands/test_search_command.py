import json
import os
import time
from pathlib import Path

import pytest

from orchestrate.agents import ask
from state import journal, snapshot
from state.store import Event, open_store

AT = journal.stamp(time.time() - 3600)  # what is new is rated above what is old


def event(key, payload, task=None, session="s", kind="note.told", ts=AT):
    return Event(key, ts, kind, session, None, "user", "note", "n", payload, task)


@pytest.fixture
def told(place):
    with open_store(place) as store:
        store.emit([
            event("a", '{"text":"User LOGIN failed\\nagain"}', "TSK-001"),
            event("b", '{"text":"login worked \\u001b[2J\\u202e"}', "TSK-002", "other"),
            event("c", '{"text":"very old login"}', ts="2020-01-01T00:00:00.000Z"),
        ])  # fmt: skip
    return place


def hits(ran):
    assert (ran.code, ran.err) == (0, "")
    return [hit["id"] for hit in json.loads(ran.out)["hits"]]


@pytest.mark.parametrize("name", ["search", "context-search"])
def test_the_documents_flags(cli, told, name):
    assert hits(cli(name, "login", "--scope=task", "--id=TSK-001", "--limit=5", "--no-cache", "--json")) == ["a"]
    assert hits(cli(name, "LOGIN", "--scope", "session", "--id", "other", "--json")) == ["b"]
    assert hits(cli(name, "login", "--scope", "project", "--json")) == ["a", "b", "c"]
    assert hits(cli(name, "login", "--scope", "project", "--since", "2021-01-01", "--json")) == ["a", "b"]
    assert hits(cli(name, "login", "--scope", "project", "--limit", "1", "--json")) == ["a"]


def test_the_default_is_twenty_of_the_task(cli, told):
    ran = cli("search", "login")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "orchestrate: no task is being worked on: give --id TSK-001, or --scope project\n"
    assert json.loads(cli("search", "login", "--id", "TSK-002", "--json").out)["scope"] == "task"
    help_text = cli("search", "--help").out
    assert all(
        flag in help_text
        for flag in ("--scope", "--id", "--limit", "--summary", "--no-cache", "[default: 20", "[default: task")
    )


@pytest.mark.parametrize(("scope", "given"), [("task", "TSK-9"), ("sprint", "SPR-9"), ("session", "nobody")])
def test_an_unknown_scope_is_not_the_project(cli, told, scope, given):
    ran = cli("search", "login", "--scope", scope, "--id", given)
    assert (ran.code, ran.out) == (3, "")
    assert given in ran.err


@pytest.mark.parametrize("words", [["a\udcff"], ["a", "--id", "\udcff"]])
def test_what_is_no_text_is_told(cli, told, words):
    ran = cli("search", "--scope", "project", *words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.endswith("is not UTF-8\n")


def test_a_person_reads_marks_and_no_control_characters(cli, told):
    ran = cli("search", "login", "--scope", "project", "--id", "x\x1b[31m")
    assert "*LOGIN* failed again" in ran.out
    assert not {"\x1b", "\u202e"} & set(ran.out + ran.err)


def test_explained(cli, told):
    out = cli("search", "login fail", "--scope", "project", "--since", "30000d", "--explain").out
    assert out.startswith("terms: login · fail\nfilter: project, since ")
    assert "found: words 0, beginnings 1, any 2, bugs and knowledge 0" in out
    assert "score = 0.75 x text + 0.25 x recency" in out
    assert "each term 1, 1 times" in out


def test_the_second_answer_is_from_the_cache(cli, told, monkeypatch):
    def is_kept(*words):
        return json.loads(cli("search", "login", "--scope", "project", "--json", *words).out)["from_cache"]

    assert [is_kept(), is_kept(), is_kept("--no-cache"), is_kept("--since", "9d"), is_kept("--since", "9d")] == [
        False, True, False, False, True,
    ]  # fmt: skip
    with open_store(told) as store:
        store.emit([event("d", '{"text":"login"}')])
    assert [is_kept(), is_kept()] == [False, True]
    monkeypatch.setenv("ORCHESTRATOR_SEARCH__CACHE_TTL", "0")
    assert is_kept() is False


def test_an_empty_query_gives_the_figures(cli, told):
    found = json.loads(cli("search", "", "--scope", "task", "--id", "TSK-001", "--summary", "--json").out)
    figures = {"total_events": 1, "event_types": {"note.told": 1}, "first_event": AT, "last_event": AT}
    assert found | figures | {"time_span_hours": 0.0} == found
    assert cli("search", "", "--scope", "project", "--summary").out.splitlines()[0] == "project: 3 events"
    both = json.loads(cli("search", "login", "--scope", "project", "--summary", "--json").out)
    assert (both["total_events"], len(both["hits"])) == (3, 3)
    assert cli("search", "", "--scope", "project").code == 2
    assert cli("search", "  ", "--scope", "project").code == 2


def test_nothing_found_is_said(cli, told):
    ran = cli("search", "nowhere", "--id", "TSK-001")
    assert (ran.code, ran.out) == (0, "")
    assert (
        ran.err
        == "orchestrate: nothing found in task TSK-001: try fewer words, or the beginning of one, or --scope project\n"
    )


def test_the_drivers(cli, told, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_SEARCH__DRIVER", "pgvector")
    ran = cli("search", "login", "--scope", "project")
    assert (ran.code, ran.err) == (
        2,
        "orchestrate: search.driver: pgvector is not available: set it to fulltext or vector\n",
    )
    monkeypatch.setenv("ORCHESTRATOR_SEARCH__DRIVER", "vector")
    found = json.loads(cli("search", "could not sign in", "--scope", "project", "--json").out)
    assert found["driver"] == "vector"
    assert "meaning" in found["stages"]


def test_logs_are_read_before(cli, place):
    entry = journal.event(place, "orchestration.turn.end", "s", None, ("prompt", "p"), {"why": "zebra"}, 1.79e9)
    journal.record(place, entry)
    assert hits(cli("search", "zebra", "--scope", "project", "--json")) == [entry["id"]]


def test_a_damaged_archive_is_one_line_and_the_rest_is_found(cli, told):
    for age in ("2000d", "0h"):
        cli("events", "archive", "--older-than", age)
    old, _ = sorted(Path(told.state, "archive").glob("*.gz"))
    old.write_bytes(old.read_bytes()[:-9] + b"damaged")
    words = ("search", "login", "--scope", "project", "--archived")
    for more in ((), ("--summary",)):  # nothing of it is kept, so it is said again
        ran = cli(*words, "--json", *more)
        assert (ran.code, {hit["id"] for hit in json.loads(ran.out)["hits"]} >= {"a", "b"}) == (0, True)
        assert (ran.err.count("\n"), ran.err.startswith(f"orchestrate: {old}: is damaged (")) == (1, True)
    assert "damaged" not in cli(*words[:-1]).err


@pytest.fixture
def model(monkeypatch):
    asked = []

    def put(asker, question):
        asked.append(question)
        return ask.Answer("authentication\x1b[2J, sign-in; DROP", "", "haiku", 1.0)

    monkeypatch.setattr(ask, "put", put)
    return asked


def test_a_model_is_asked_for_further_words_when_wanted(cli, place, model, monkeypatch):
    with open_store(place) as store:
        store.emit([event("a", '{"text":"login"}'), event("b", '{"text":"authentication broke"}')])
    words = ("search", "login", "--scope", "project", "--json")
    assert (hits(cli(*words)), model) == (["a"], [])
    assert hits(cli(*words, "--expand")) == ["a", "b"]
    assert hits(cli(*words, "--expand", "--since", "2020-01-01")) == ["a", "b"]
    assert [(question.text, question.tier, question.timeout_s) for question in model] == [("login", "haiku", 20.0)]
    monkeypatch.setenv("ORCHESTRATOR_SEARCH__EXPAND", "1")
    monkeypatch.setenv("ORCHESTRATOR_SEARCH__EXPAND_TIMEOUT_S", "3")
    assert hits(cli(*words, "--no-cache")) == ["a", "b"]
    assert model[-1].timeout_s == 3.0
    assert (hits(cli(*words, "--no-expand", "--no-cache")), len(model)) == (["a"], 2)


def test_without_further_words_the_search_goes_on(cli, told, monkeypatch):
    monkeypatch.setattr(
        ask, "put", lambda asker, question: ask.Answer("", "haiku does not answer\x1b just now", None, 1.0)
    )
    ran = cli("search", "login", "--scope", "project", "--expand", "--json")
    assert (ran.code, len(json.loads(ran.out)["hits"])) == (0, 3)
    assert ran.err == "orchestrate: no further words: haiku does not answer  just now\n"


def test_the_task_that_is_worked_on_is_the_default(cli, place, told):
    from state import files

    assert cli("task", "create", "TSK-001", "--title", "x").code == 0
    assert cli("session", "start", "TSK-001").code == 0
    assert hits(cli("search", "login failed", "--json")) == ["a"]
    assert files.read(snapshot.phase_file(place)) is not None


def test_a_locked_store_is_told(cli, told):
    import sqlite3

    held = sqlite3.connect(f"{told.state}/store.db", isolation_level=None)
    held.execute("BEGIN EXCLUSIVE")
    try:
        assert cli("search", "login", "--scope", "project", "--json").code == 0  # WAL: readers do not wait
    finally:
        held.close()
    assert os.path.exists(f"{told.state}/store.db")
