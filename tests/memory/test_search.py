"""What a search answers, on every engine: where it looks, how it widens, what it keeps."""

import os
import time
from datetime import UTC, datetime, timedelta

import pytest

from orchestrate.memory import search_cache, search_scope
from orchestrate.memory.search import MORE, VECTOR, WITHIN, search
from orchestrate.memory.search_answer import answer
from orchestrate.memory.search_found import Wanted
from orchestrate.memory.search_scope import Where
from state import snapshot
from state.errors import NOT_FOUND, USAGE, UserError
from state.store.bug_records import Bug
from state.store.knowledge import Known
from state.store.search_terms import Scope
from state.store.task_records import Sprint, Task

PROJECT = Where("project", "", Scope())
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()


def asked(place, store, query, **more):
    wanted = Wanted(query, more.pop("where", PROJECT), **more)
    return search(place, store, wanted, str, NOW)


def ids(found):
    return [hit.item.id for hit in found.hits]


@pytest.fixture
def told(store, event):
    store.emit([
        event("exact", '{"a":"the login failed"}'),
        event("longer", '{"a":"the logins failing"}'),
        event("half", '{"a":"login worked"}'),
        event("other", '{"a":"nothing"}'),
    ])  # fmt: skip
    return store


def test_it_looks_wider_while_too_little_is_found(place, told):
    found = asked(place, told, "login failed")
    assert (ids(found)[0], set(ids(found))) == ("exact", {"exact", "half", "longer"})
    assert found.stages == {"words": 1, "beginnings": 0, "any": 2, "bugs and knowledge": 0}
    assert asked(place, told, "login failed", limit=1).stages == {"words": 1, "bugs and knowledge": 0}
    assert ids(asked(place, told, "login fail")) == ["exact", "longer", "half"]


def test_within_words_is_the_last_resort(place, told):
    found = asked(place, told, "ogin")
    assert (set(ids(found)), found.stages[WITHIN]) == ({"exact", "longer", "half"}, 3)
    assert WITHIN not in asked(place, told, "login").stages


def test_the_newer_comes_first(place, store, event):
    store.emit([
        event("old", '{"a":"login"}', "2026-01-01T00:00:00.000Z"),
        event("new", '{"a":"login"}', "2026-11-20T00:00:00.000Z"),
        event("odd", '{"a":"login"}', "no time"),
    ])  # fmt: skip
    assert ids(asked(place, store, "login")) == ["new", "old", "odd"]


def test_further_words_find_more_and_rank_below(place, told, event):
    told.emit([event("synonym", '{"a":"authentication broke"}')])
    assert "synonym" not in ids(asked(place, told, "login"))
    found = asked(place, told, "login", more=("authentication",))
    assert (ids(found)[-1], found.stages[MORE]) == ("synonym", 1)


def test_meaning_finds_what_words_do_not(place, store, event):
    store.emit([
        event("meant", '{"text":"The user could not sign in because the password was rejected"}'),
        event("other", '{"text":"The disk of the log server is full"}'),
    ])  # fmt: skip
    assert ids(asked(place, store, "authentication failure")) == []
    found = asked(place, store, "authentication failure", driver="vector")
    assert (ids(found)[0], found.stages[VECTOR] >= 1) == ("meant", True)
    store.emit([event("later", '{"text":"password verification broke"}')])
    assert "later" in ids(asked(place, store, "authentication failure", driver="vector"))
    assert (
        ids(
            asked(
                place, store, "authentication failure", driver="vector", where=Where("task", "T", Scope(None, ("T",)))
            )
        )
        == []
    )


def bug(key, message, task=None):
    at = "2026-11-21T09:00:00.000Z"
    return Bug(key, task, message, "app/Test.php", 42, "type", 1, at, at, task, {}, message, "")


def test_bugs_and_knowledge_are_found_too(place, store):
    store.bugs.log(bug("b1", "Undefined variable: foo", "TSK-001"), lambda _logged: [])
    store.knowledge.record(
        Known("api.limit", '"the foo limit is 5"', "user", None, None, "2026-11-21T08:00:00.000Z"), []
    )
    found = asked(place, store, "foo")
    assert {(hit.item.source, hit.item.entity[1]) for hit in found.hits} == {("bug", "b1"), ("knowledge", "api.limit")}
    task = Where("task", "TSK-001", Scope(tasks=("TSK-001",)))
    assert [hit.item.source for hit in asked(place, store, "foo", where=task).hits] == ["bug"]
    assert ids(asked(place, store, "foo", where=Where("session", "s", Scope(sessions=("s",))))) == []
    assert ids(asked(place, store, "foo", since="2026-11-22T00:00:00.000Z")) == []


def task(code, sprint=None, active=False, key=None):
    session = {"session_key": key or f"sess_{code}", "active": active, "current_phase": "plan"}
    return Task(code, "t", "", sprint, "in_progress", "P2", {"session": session}, "2026", "2026")


@pytest.fixture
def tasks(store, event):
    store.sprints.create(Sprint("SPR-1", "s", "active", {}, "2026", "2026"), [])
    store.sprints.create(Sprint("SPR-2", "s", "active", {}, "2026", "2026"), [])
    for code, sprint in (("T1", "SPR-1"), ("T2", "SPR-1"), ("T3", None)):
        store.tasks.create(task(code, sprint), [event(f"made-{code}", task=code, session=f"sess_{code}")])
    return store


@pytest.mark.parametrize(
    ("kind", "given", "scope"),
    [
        ("project", None, Scope()),
        ("task", "T1", Scope(tasks=("T1",))),
        ("sprint", "SPR-1", Scope(tasks=("T1", "T2"))),
        ("sprint", "SPR-2", Scope(tasks=())),
        ("session", "sess_T1", Scope(sessions=("sess_T1",))),
        ("session", "sess_T3", Scope(sessions=("sess_T3",))),
        ("session", None, Scope(sessions=("sess_T2",))),
    ],
)
def test_a_scope_is_what_was_named(place, tasks, kind, given, scope):
    found = search_scope.where(place, tasks, kind, given, "sess_T2").scope
    assert found._replace(tasks=found.tasks and tuple(sorted(found.tasks))) == scope


@pytest.mark.parametrize(
    ("kind", "given", "code"),
    [
        ("task", "unknown", NOT_FOUND),
        ("task", "t1", NOT_FOUND),
        ("task", "%", NOT_FOUND),
        ("sprint", "unknown", NOT_FOUND),
        ("session", "unknown", NOT_FOUND),
        ("session", "sess_", NOT_FOUND),
        ("session", None, USAGE),
        ("task", None, USAGE),
        ("sprint", None, USAGE),
    ],
)
def test_what_is_unknown_is_never_taken_for_the_project(place, tasks, kind, given, code):
    with pytest.raises(UserError) as refused:
        search_scope.where(place, tasks, kind, given, "-")
    assert refused.value.code == code


def worked_on(store, code, sprint=None):
    before = store.tasks.one(code)
    store.tasks.revise(before, task(code, before.sprint, active=True), [])


def test_the_task_that_is_worked_on_is_the_default(place, tasks):
    worked_on(tasks, "T1")
    assert search_scope.where(place, tasks, "task", None, None).id == "T1"
    assert search_scope.where(place, tasks, "sprint", None, None).id == "SPR-1"
    worked_on(tasks, "T3")
    with pytest.raises(UserError, match="2 tasks are being worked on"):
        search_scope.where(place, tasks, "task", None, None)
    assert search_scope.where(place, tasks, "task", None, "sess_T3").id == "T3"
    with pytest.raises(UserError, match="T3 is in no sprint"):
        search_scope.where(place, tasks, "sprint", None, "sess_T3")


def test_the_clients_session_knows_its_task(place, tasks):
    from state import files

    worked_on(tasks, "T1")
    worked_on(tasks, "T3")
    entries = (
        b'{"v":1,"tasks":[{"task":"T3","client":"mine"},{"task":"T1","client":"other"},{"task":"T2","client":"mine"}]}'
    )
    files.replace(snapshot.phase_file(place), entries)
    assert search_scope.where(place, tasks, "task", None, "mine").id == "T3"


def document(place, store, query="login", ttl_s=3600.0, is_summary=False, **more):
    return answer(place, store, Wanted(query, more.pop("where", PROJECT), **more), {}, is_summary, ttl_s, str)


def test_the_same_question_is_answered_from_the_cache(place, told, event):
    first = document(place, told)
    again = document(place, told)
    assert (first["from_cache"], again["from_cache"]) == (False, True)
    assert {**first, "from_cache": 0, "took_ms": 0} == {**again, "from_cache": 0, "took_ms": 0}
    told.emit([event("another", '{"a":"login"}')])
    assert document(place, told)["from_cache"] is False
    assert document(place, told, ttl_s=0)["from_cache"] is False
    assert document(place, told)["from_cache"] is True


OTHERS = [
    {"query": "logins"},
    {"limit": 3},
    {"archived": True},
    {"driver": "vector"},
    {"is_summary": True},
    {"where": Where("task", "T", Scope(tasks=("T",)))},
    {"more": ("word",)},
]


@pytest.mark.parametrize("more", OTHERS)
def test_another_question_is_another_entry(place, told, more):
    document(place, told)
    assert document(place, told, **more)["from_cache"] is False


def test_an_event_elsewhere_does_not_empty_the_cache_of_a_scope(place, told, event):
    where = Where("task", "T", Scope(tasks=("T",)))
    told.emit([event("in", '{"a":"login"}', task="T")])
    document(place, told, where=where)
    told.emit([event("out", '{"a":"login"}', task="U")])
    assert document(place, told, where=where)["from_cache"] is True
    told.emit([event("in2", '{"a":"login"}', task="T")])
    assert document(place, told, where=where)["from_cache"] is False


def test_an_answer_expires(place):
    search_cache.keep(place, "k", [1], {"a": 1}, now=1000.0)
    assert search_cache.found(place, "k", (1,), 60, now=1059.0) == {"a": 1}
    assert search_cache.found(place, "k", (1,), 60, now=1060.0) is None
    assert search_cache.found(place, "k", (2,), 60, now=1001.0) is None
    assert search_cache.found(place, "k", (1,), 60, now=999.0) is None


@pytest.mark.parametrize(
    "raw", [b"", b"no json", b"[]", b"{}", b'{"v":1,"mark":[1],"kept_at":"x","answer":{}}', b'{"v":9}']
)
def test_a_spoilt_entry_is_none(place, raw):
    from pathlib import Path

    search_cache.keep(place, "k", [1], {"a": 1})
    Path(place.state, search_cache.FOLDER, "k.json").write_bytes(raw)
    assert search_cache.found(place, "k", [1], 3600) is None


def test_the_cache_stays_small_and_private(place):
    from pathlib import Path

    for number in range(search_cache.MOST + 5):
        search_cache.keep(place, f"k{number}", [1], {"a": number})
    folder = Path(place.state, search_cache.FOLDER)
    kept = list(folder.iterdir())
    assert len(kept) <= search_cache.MOST
    assert {oct(path.stat().st_mode & 0o777) for path in kept} == {"0o600"}
    assert {oct(path.stat().st_mode & 0o777) for path in (folder, folder.parent)} == {"0o700"}


def test_a_cache_that_cannot_be_written_costs_nothing(place, told):
    os.makedirs(place.state, exist_ok=True)
    with open(f"{place.state}/cache", "w") as file:
        file.write("in the way")
    assert document(place, told)["found"] == 3
    assert document(place, told)["from_cache"] is False


def test_the_figures_of_a_scope(place, told, event):
    hour_ago = datetime.fromisoformat("2026-11-21T10:00:00+00:00") - timedelta(hours=1.5)
    told.emit([event("e", ts=hour_ago.isoformat(timespec="milliseconds").replace("+00:00", "Z"), kind="x.y")])
    found = document(place, told, query="", is_summary=True)
    assert {
        name: found[name] for name in ("total_events", "event_types", "time_span_hours", "first_event", "last_event")
    } == {
        "total_events": 5,
        "event_types": {"note.told": 4, "x.y": 1},
        "time_span_hours": 1.5,
        "first_event": "2026-11-21T08:30:00.000Z",
        "last_event": "2026-11-21T10:00:00.000Z",
    }
    assert "hits" not in found


def test_only_the_ten_most_frequent_types_are_told(place, store, event):
    store.emit([event(f"{kind}-{number}", kind=f"k{kind:02}") for kind in range(12) for number in range(kind + 1)])
    types = document(place, store, query="", is_summary=True)["event_types"]
    assert list(types.items())[::9] == [("k11", 12), ("k02", 3)]


def test_a_search_takes_little_time(place, told):
    def took_s():
        began = time.perf_counter()
        document(place, told, ttl_s=0)
        return time.perf_counter() - began

    assert min(took_s() for _ in range(10)) < 2
