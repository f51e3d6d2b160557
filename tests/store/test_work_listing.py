"""The queue read a page at a time, its sums by the database, and what has ended forgotten."""

import pytest

from orchestrate.work import figures, listing, standing
from orchestrate.work.listing import Wanted
from state.store import statements
from state.store.records import Kept
from state.store.work_records import New

LATER = "2027-01-01T00:00:00.000Z"


def ids(queue, most=100, **wanted):
    rows, has_more = listing.listed(queue.work, Wanted(**wanted), most)
    return " ".join(row.item.id for row in rows), has_more


@pytest.fixture
def mixed(queue):
    """C1 and C2 are completed, D is dead, H is claimed; the rest is queued, each for another reason."""
    queue.add("C1", "C2", New("", "D", tags=("x",)), New("", "H", project="web"))
    tokens = [queue.take().claim.token for _ in range(4)]
    for name, token in zip(("C1", "C2"), tokens, strict=False):
        queue.work.complete(name, token, "ok", queue.tell)
    queue.work.fail("D", tokens[2], "no key", None, queue.tell)
    queue.add(New("", "B1", needs=("D", "C1")), New("", "B2", needs=("B1",), tags=("x",)), New("", "R", project="web"))
    queue.add(New("", "W1", needs=("H",)), New("", "W2", not_before=LATER), New("", "W3", needs=("W2", "C2")))
    return queue


@pytest.mark.parametrize(
    ("wanted", "most", "found"),
    [
        ({}, 100, ("C1 C2 D H B1 B2 R W1 W2 W3", False)),
        ({}, 10, ("C1 C2 D H B1 B2 R W1 W2 W3", False)),
        ({}, 9, ("C2 D H B1 B2 R W1 W2 W3", True)),
        ({}, 7, ("H B1 B2 R W1 W2 W3", True)),
        ({}, 2, ("H B1", True)),
        ({"state": "ready"}, 100, ("R", False)),
        ({"state": "waiting"}, 100, ("W1 W2 W3", False)),
        ({"state": "waiting"}, 2, ("W1 W2", True)),
        ({"state": "blocked"}, 100, ("B1 B2", False)),
        ({"state": "claimed"}, 100, ("H", False)),
        ({"state": "completed"}, 1, ("C2", True)),
        ({"state": "completed"}, 2, ("C1 C2", False)),
        ({"state": "dead"}, 100, ("D", False)),
        ({"tag": "x"}, 100, ("D B2", False)),
        ({"tag": "x", "state": "blocked"}, 100, ("B2", False)),
        ({"project": "web"}, 100, ("H R", False)),
        ({"project": "elsewhere"}, 100, ("", False)),
    ],
)
def test_open_items_come_before_the_newest_of_what_has_ended(mixed, wanted, most, found):
    assert ids(mixed, most, **wanted) == found


def test_a_page_says_why_as_the_whole_would(mixed):
    for state in standing.STATES:
        rows, _ = listing.listed(mixed.work, Wanted(state), 1)
        assert [row.standing for row in rows] == [mixed.stands()[row.item.id] for row in rows]


def test_many_pages_are_one_list(queue, monkeypatch):
    monkeypatch.setattr(listing, "_AT_ONCE", 3)
    queue.add(*[New("", f"I{number}", tags=("t",) if number % 4 == 0 else ()) for number in range(20)])
    assert ids(queue, 4, tag="t") == ("I0 I4 I8 I12", True)
    assert ids(queue, 5, tag="t") == ("I0 I4 I8 I12 I16", False)


@pytest.mark.parametrize("statement", ["work_page", "work_page_back"])
def test_a_page_is_found_by_its_index(place, statement):
    from state.store import opening

    engine = opening.engine(place, "", 30.0, lambda: None)
    sql = statements.load("sqlite")[statement]
    values = {"status": "completed", "project": None, "beyond": 0, "most": 9}
    plan = engine._db.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
    engine.close()
    assert [row[3] for row in plan] == ["SEARCH work USING INDEX work_listed (status=? AND number{}?)".format(
        "<" if statement.endswith("back") else ">"
    )]  # fmt: skip


def test_the_sums_are_those_of_the_list(mixed):
    mixed.clock.move(90)
    told = figures.of(mixed.work.listing.totals(), 3)
    stands = [one.state for one in mixed.stands().values()]
    assert {state: told[state] for state in standing.STATES} == {
        state: stands.count(state) for state in standing.STATES
    }
    assert told["items"] == len(stands)


def test_waits_are_of_the_nearest_rank(queue):
    queue.add(*[f"I{number}" for number in range(11)])
    for _ in range(11):
        queue.clock.move(1.5)
        found = queue.take()
        queue.work.complete(found.item.id, found.claim.token, None, queue.tell)
    assert figures.of(queue.work.listing.totals(), 3)["wait_s"] == {"count": 11, "p50": 9.0, "p90": 15.0, "p99": 16.5}


def test_what_ended_long_ago_is_forgotten_unless_something_open_needs_it(mixed):
    mixed.clock.move(10)
    mixed.add("last")
    before = mixed.store.count_before(LATER)
    assert (before.work, mixed.store.forget_before(LATER).work) == (0, 0)  # B1 needs C1 and D, W3 needs C2
    for name in ("B1", "B2", "W3"):
        mixed.work.fail(name, None, "given up", None, mixed.tell)
    assert mixed.store.count_before(LATER).work == 4  # C1, C2, B2, W3; B1 is dead, and B2 that needs it is still there
    events = mixed.store.count_before(LATER).events
    assert mixed.store.forget_before(LATER) == Kept(events, 0, 0, 4)
    assert ids(mixed)[0] == "D H B1 R W1 W2 last"
    assert mixed.store.forget_before(LATER).work == 1  # B1, and with it what holds D
    assert mixed.store.forget_before(LATER).work == 1
    assert ids(mixed)[0] == "H R W1 W2 last"


def test_neither_a_number_nor_a_token_is_given_twice(queue):
    queue.add(New("x"), New("y"))
    tokens = {}
    for _ in range(2):
        found = queue.take()
        tokens[found.item.id] = found.claim.token
        queue.work.complete(found.item.id, found.claim.token, None, queue.tell)
    queue.clock.move(10)
    assert queue.store.forget_before(LATER).work == 1  # the newest stays
    (new,) = queue.add(New("z"))
    assert new.id == "W-3"
    queue.add(New("again", "W-1"))
    assert {queue.take().claim.token for _ in range(2)} == {1, 2}
