"""What every engine finds, and that it finds the same."""

import multiprocessing

import pytest
from tiers import some

from state.store import Event, open_store
from state.store.search_records import Filter
from state.store.search_terms import HOW, Scope, expression, terms

ALL = Scope()
AT = "2026-11-21T10:00:00.000Z"
SAID = {
    "login": '{"text":"User LOGIN\\nfailed in snake_case_name, src/app/main.py, TSK-001"}',
    "logins": '{"a":"logins 1e5 3abc v1.2 Übergröße \\\\new \\"quoted\\""}',
    "other": '{"b":[1,{"deep":"nothing"}]}',
}


def event(
    key, payload="{}", ts=AT, session="s", task=None, kind="orchestration.turn.end", entity=("prompt", "p/ath-1")
):
    return Event(key, ts, kind, session, None, "hook", *entity, payload, task)


@pytest.fixture
def told(store):
    store.emit([event(key, payload) for key, payload in SAID.items()])
    return store


def found(store, query, how="words", scope=ALL, since="", most=100):
    return [hit.id for hit in store.search.matching(terms(query), how, scope, since, most)]


@pytest.mark.parametrize(
    ("query", "words", "beginnings"),
    some(
        [
            ("login", ["login"], ["logins", "login"]),
            ("LOGIN", ["login"], ["logins", "login"]),
            ("failed login", ["login"], ["login"]),
            ("snake_case", ["login"], ["login"]),
            ("case_name", ["login"], ["login"]),
            ("TSK-001", ["login"], ["login"]),
            ("tsk_001", ["login"], ["login"]),
            ("src/app/main.py", ["login"], ["login"]),
            ("app/mai", [], ["login"]),
            ('"failed in"', ["login"], ["login"]),
            ('"in failed"', [], []),
            ("1e5", ["logins"], ["logins"]),
            ("3abc", ["logins"], ["logins"]),
            ("v1.2", ["logins"], ["logins"]),
            ("ÜBERGRÖSSE", [], []),
            ("ÜBERGRÖßE", ["logins"], ["logins"]),
            ("über", [], ["logins"]),
            ("new", ["logins"], ["logins"]),
            ("lo", [], []),
            ("ailed", [], []),
            ("turn.end", ["other", "logins", "login"], ["other", "logins", "login"]),
            ("path-1", [], []),
            ("ath-1", ["other", "logins", "login"], ["other", "logins", "login"]),
            ("...", [], []),
        ],
        8,
    ),
)
def test_words_are_found_by_their_beginnings(told, query, words, beginnings):
    assert (found(told, query), found(told, query, "beginnings")) == (words, beginnings)


def test_any_of_the_terms_is_less_than_all(told):
    assert [found(told, "login deep", how) for how in HOW] == [[], [], ["other", "logins", "login"]]


HOSTILE = [
    'a" OR "1"="1',
    "'; DROP TABLE events; --",
    "said : (x)",
    "NEAR(a b)",
    "login*",
    "^login",
    "-login",
    "login AND",
    "{said scope} : s",
    "%",
    "_",
    "a:*b & | !c <-> ()",
    "\\",
    "'",
    '"',
    "\x00login\x00",
    "\x1b[31m",
    "\ud800",
    "a" * 100_000,
    " ".join(f"w{number}" for number in range(5000)),
    "🙂",
    "日本語",
]


@pytest.mark.parametrize("query", some(HOSTILE, 8), ids=range(len(HOSTILE)))
def test_nothing_of_a_query_is_an_operator(told, query):
    for how in HOW:
        assert set(found(told, query, how)) <= set(SAID)
    assert told.search.holding(query[:1000], ALL, "", 10) is not None
    assert found(told, "login") == ["login"]


def test_no_wildcard_of_sql_is_one_here(told):
    assert [hit.id for hit in told.search.holding("100%", ALL, "", 9)] == []
    assert [hit.id for hit in told.search.holding("snake_case", ALL, "", 9)] == ["login"]
    assert [hit.id for hit in told.search.holding("snakeXcase", ALL, "", 9)] == []
    assert [hit.id for hit in told.search.holding("AILED", ALL, "", 9)] == ["login"]


@pytest.mark.parametrize("text", ["\x00", "\ud800", "\x1b[2J", "\u202e", "'", '"', "\\", "%s", "{}", "\n"])
def test_every_text_of_an_event_is_only_text(store, text):
    store.emit(
        [
            event(
                "a",
                '{"a":"word"}',
                session=f"s{text}",
                kind=f"k{text}",
                entity=(f"e{text}", f"i{text}"),
                task=f"t{text}",
            )
        ]
    )
    kept = store.listing.newest(Filter(), 1)[0].event
    assert found(store, "word") == ["a"]
    assert found(store, "word", scope=Scope(sessions=(kept.session,))) == ["a"]
    assert found(store, "word", scope=Scope(tasks=(kept.task,))) == ["a"]
    assert store.listing.newest(Filter(task=kept.task, session=kept.session, type=kept.type), 9)[0].event == kept


def test_a_scope_is_exactly_what_it_names(store):
    store.emit([
        event("a", '{"a":"word"}', session="s", task="T"),
        event("b", '{"a":"word"}', session="s2", task="T-1"),
        event("c", '{"a":"word"}', session="S", task="t"),
        event("d", '{"a":"word s T"}', session="x"),
    ])  # fmt: skip
    assert found(store, "word", scope=Scope(sessions=("s",))) == ["a"]
    assert found(store, "word", scope=Scope(tasks=("T",))) == ["a"]
    assert found(store, "word", scope=Scope(tasks=("T", "T-1", "unknown"))) == ["b", "a"]
    assert found(store, "word", scope=Scope(tasks=())) == []
    assert found(store, "word") == ["d", "c", "b", "a"]


def test_the_newest_come_first_and_not_more_than_wanted(store):
    store.emit([event(f"e{number}", '{"a":"word"}', f"2026-11-{number + 1:02}T10:00:00.000Z") for number in range(9)])
    assert found(store, "word", most=2) == ["e8", "e7"]
    assert found(store, "word", since="2026-11-08T10:00:00.000Z") == ["e8", "e7"]


def test_an_event_that_came_twice_is_found_once(store):
    store.emit([event("a", '{"a":"word"}')])
    store.emit([event("a", '{"a":"word"}'), event("b", '{"a":"word"}')])
    assert found(store, "word") == ["b", "a"]


def test_what_is_forgotten_is_not_found(store):
    old, new = event("old", '{"a":"word"}', "2026-01-01T00:00:00.000Z"), event("new", '{"a":"word"}')
    store.emit([old, new])
    store.forget_before("2026-06-01T00:00:00.000Z")
    assert (found(store, "word"), [hit.id for hit in store.search.holding("word", ALL, "", 9)]) == (["new"], ["new"])
    store.emit([old])
    assert found(store, "word") == ["old", "new"]


def test_the_index_is_whole_after_much_coming_and_going(place):
    with open_store(place) as store:
        for turn in range(5):
            store.emit(
                [
                    event(f"{turn}-{n}", f'{{"a":"word{n} both"}}', f"2026-11-{turn + 1:02}T10:00:00.000Z")
                    for n in range(50)
                ]
            )
            store.forget_before(f"2026-11-{turn + 1:02}T00:00:00.000Z")
        assert len(found(store, "both", most=1000)) == 50
        engine = store._engine
        engine._db.execute("INSERT INTO events_index (events_index, rank) VALUES ('integrity-check', 1)")


def test_the_mark_changes_with_each_event_of_the_scope(store):
    scopes = (ALL, Scope(sessions=("s",)), Scope(tasks=("T",)))
    store.emit([event("a", session="s", task="T")])
    before = [store.search.mark(scope) for scope in scopes]
    store.emit([event("b", session="other", task="other")])
    after = [store.search.mark(scope) for scope in scopes]
    assert [one == other for one, other in zip(before, after, strict=True)] == [False, True, True]
    store.emit([event("c", session="s", task="T")])
    assert all(store.search.mark(scope) != mark for scope, mark in zip(scopes, after, strict=True))


def test_the_figures_of_a_scope(store):
    store.emit([
        event("a", ts="2026-11-21T09:00:00.000Z", task="T", kind="x"),
        event("b", ts="2026-11-21T11:30:00.000Z", task="T", kind="y"),
        event("c", ts="2026-11-21T11:00:00.000Z", task="T", kind="y"),
        event("d", task="other"),
    ])  # fmt: skip
    scope = Scope(tasks=("T",))
    assert store.search.span(scope, "") == (3, "2026-11-21T09:00:00.000Z", "2026-11-21T11:30:00.000Z")
    assert list(store.search.types(scope, "").items()) == [("y", 2), ("x", 1)]
    assert store.search.span(scope, "2026-11-21T11:00:00.000Z")[0] == 2
    assert store.search.span(Scope(tasks=("none",)), "") == (0, None, None)
    assert (store.search.is_task_told("T"), store.search.is_task_told("none")) == (True, False)
    assert store.search.sessions_beginning("", 5) == ["s"]


FILTERS = [
    (Filter(), "abcd"),
    (Filter(type="y"), "bc"),
    (Filter(prefix="x."), "ad"),
    (Filter(session="s"), "ac"),
    (Filter(task="T"), "ab"),
    (Filter(entity_type="task"), "bd"),
    (Filter(entity_type="task", entity_id="1"), "b"),
    (Filter(task="T", type="y", session="t", entity_type="task"), "b"),
    (Filter(type="y", session="s"), "c"),
    (Filter(prefix="%"), ""),
    (Filter(since="2026-11-21T12:00:00.000Z"), "cd"),
    (Filter(since="2026-11-21T12:00:00.000Z", until="2026-11-21T13:00:00.000Z"), "c"),
]


@pytest.mark.parametrize(("wanted", "keys"), some(FILTERS, 5))
def test_a_list_has_what_passes(store, wanted, keys):
    from state.store.listing import passes

    every = [
        event("a", ts="2026-11-21T10:00:00.000Z", kind="x.1", session="s", task="T"),
        event("b", ts="2026-11-21T11:00:00.000Z", kind="y", session="t", task="T", entity=("task", "1")),
        event("c", ts="2026-11-21T12:00:00.000Z", kind="y", session="s"),
        event("d", ts="2026-11-21T13:00:00.000Z", kind="x.2", session="t", entity=("task", "2")),
    ]
    store.emit(every)
    assert [entry.event.id for entry in store.listing.newest(wanted, 9)] == list(keys)
    assert [one.id for one in every if passes(one, wanted)] == list(keys)
    assert [entry.event.id for entry in store.listing.newest(wanted, 1)] == list(keys[-1:])


def test_events_behind_a_number_come_in_their_order(store):
    store.emit([event(key) for key in "abc"])
    first = store.listing.after(0, 1)[0]
    assert [entry.event.id for entry in store.listing.after(first.seq, 9)] == ["b", "c"]


def test_expressions_hold_letters_and_digits_alone():
    query = terms("a\"b') OR x:* 'y' -- \\ ü")
    assert expression("sqlite", query, "words", ALL) == 'said : ("a b" AND "or" AND "x" AND "y" AND "ü")'
    assert expression("postgres", query, "any", ALL) == "('a' <-> 'b') | ('or') | ('x') | ('y') | ('ü')"


def _tell(place, writer, count):
    with open_store(place) as store:
        for number in range(count):
            store.emit([event(f"{writer}-{number}", f'{{"a":"shared w{writer}"}}'), event("once", '{"a":"once"}')])


@pytest.mark.slow
def test_searching_while_eight_write(place, dialect):
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_tell, args=(place, writer, 20)) for writer in range(8)]
    with open_store(place) as store:
        for writer in writers:
            writer.start()
        counts = []
        while any(writer.is_alive() for writer in writers):
            counts.append(len(found(store, "shared", most=1000)))
        assert [writer.exitcode for writer in writers] == [0] * 8
        assert counts == sorted(counts)
        assert (len(found(store, "shared", most=1000)), found(store, "once")) == (160, ["once"])


@pytest.mark.slow
def test_an_event_of_100_mb_does_no_harm(store):
    import time

    store.emit([event("giant", '{"a":"first ' + "word " * (20 << 20) + 'last"}'), event("small", '{"a":"first"}')])
    began = time.monotonic()
    assert found(store, "first") == ["small", "giant"]
    assert found(store, "last") == []
    assert [hit.id for hit in store.search.holding("irst", ALL, "", 9)] == ["small", "giant"]
    assert max(len(hit.text) for hit in store.search.matching(terms("first"), "words", ALL, "", 9)) == 2048
    assert time.monotonic() - began < 60
