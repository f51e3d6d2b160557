"""The queue of work in the store, the same on every engine."""

import pytest
from evil import evil
from work_world import START

from orchestrate.work import figures
from orchestrate.work.given import one as given
from state.errors import FAILED, NOT_FOUND, REFUSED, UserError
from state.store import work_order
from state.store.work_records import Claimed, Idle, New

EVIL = evil("work", 60_000)


def refused(call, *arguments):
    with pytest.raises(UserError) as caught:
        call(*arguments)
    return caught.value.code, str(caught.value)


def silent(_changes):
    return []


def names(items):
    return [item.id for item in items]


def test_an_item_is_added_claimed_and_completed(queue):
    (item,) = queue.add(New("lint", None, "P1", (), "web", ("a", "b"), "s1", None, 2, 30))
    assert item == queue.work.one("W-1")
    assert (item.status, item.added_at, item.tags, item.project) == ("queued", START, ("a", "b"), "web")
    queue.clock.move(5)
    claimed = queue.take("worker-1", 60)
    assert (claimed.item.status, claimed.item.attempts, claimed.item.claimed_at) == ("claimed", 1, queue.clock.ts)
    assert claimed.claim._asdict() == {
        "kind": "work",
        "key": "W-1",
        "owner": "worker-1",
        "token": 1,
        "acquired_at": "2026-11-21T10:00:05.000Z",
        "renewed_at": "2026-11-21T10:00:05.000Z",
        "expires_at": "2026-11-21T10:01:05.000Z",
    }
    queue.clock.move(7)
    done = queue.work.complete("W-1", 1, "clean", queue.tell)
    assert (done.status, done.result, done.busy_ms, done.ended_at) == ("completed", "clean", 7000, queue.clock.ts)
    assert done == queue.work.one("W-1")
    assert queue.claims.held("work") == []


def test_events_tell_exactly_what_happened(queue):
    queue.add(New("lint", "A", "P1", (), "web", ("t",), None, None, 2, 30), New("test", "B", needs=("A",)))
    token = queue.take("w", 60).claim.token
    queue.work.fail("A", token, "red", 10, queue.tell)
    queue.clock.move(10)
    queue.take("w", 60)
    queue.work.release("A", 2, "later", 0, queue.tell)
    queue.take("w", 60)
    queue.clock.move(60)
    assert queue.take("x", 60) == Idle(0, 1, False, None)
    queue.work.retry("A", queue.tell)
    queue.take("x", 60)
    queue.work.complete("A", 4, "ok", queue.tell)
    described = {
        "id": "A",
        "text": "lint",
        "priority": "P1",
        "project": "web",
        "tags": ["t"],
        "not_before": None,
        "max_attempts": 2,
        "estimate_minutes": 30,
    }
    at = "2026-11-21T10:0{}.000Z".format
    over = "its claim expired, and that was attempt 2 of 2"
    assert [told for told in queue.told() if told[1] == "A"] == [
        ("added", "A", {**described, "depends": []}),
        ("claimed", "A", {"id": "A", "owner": "w", "token": 1, "expires_at": at("1:00")}),
        ("failed", "A", {"id": "A", "owner": "w", "token": 1, "reason": "red", "retry_at": at("0:10")}),
        ("claimed", "A", {"id": "A", "owner": "w", "token": 2, "expires_at": at("1:10")}),
        ("released", "A", {"id": "A", "owner": "w", "token": 2, "reason": "later", "retry_at": None}),
        ("claimed", "A", {"id": "A", "owner": "w", "token": 3, "expires_at": at("1:10")}),
        ("expired", "A", {"id": "A", "owner": "w", "token": 3, "expired_at": at("1:10")}),
        ("dead", "A", {"id": "A", "reason": over}),
        ("retried", "A", {**described, "reason": over}),
        ("claimed", "A", {"id": "A", "owner": "x", "token": 4, "expires_at": at("2:10")}),
        ("completed", "A", {"id": "A", "owner": "x", "token": 4, "result": "ok"}),
    ]


def test_most_dependents_then_priority_then_age(queue):
    queue.add(New("", "old", "P2"), New("", "urgent", "P0"), New("", "hub", "P3"), New("", "young", "P2"))
    queue.add(New("", "leaf1", "P0", ("hub",)), New("", "leaf2", "P0", ("hub",)), New("", "leaf3", "P0", ("young",)))
    order = []
    while isinstance(found := queue.take(), Claimed):
        order.append(found.item.id)
        queue.work.complete(found.item.id, found.claim.token, None, queue.tell)
    assert order == ["hub", "young", "urgent", "leaf1", "leaf2", "leaf3", "old"]


def test_those_that_gave_up_waiting_are_no_dependents(queue):
    queue.add(New("", "hub", "P3"), New("", "other", "P2"), New("", "leaf", needs=("hub",)))
    queue.work.fail("leaf", None, "not needed", None, queue.tell)
    first = queue.take()
    assert first.item.id == "other"
    queue.work.release("other", first.claim.token, None, 0, queue.tell)
    queue.work.retry("leaf", queue.tell)
    assert queue.take().item.id == "hub"


def test_what_depends_on_something_begins_when_all_of_it_is_completed(queue):
    queue.add("A", "B", New("", "C", "P0", ("A", "B")))
    assert queue.states() == {"A": "ready", "B": "ready", "C": "waiting"}
    first, second = queue.take(), queue.take()
    assert queue.take() == Idle(2, 1, False, 3600.0)
    queue.work.complete("A", first.claim.token, None, queue.tell)
    assert isinstance(queue.take(), Idle)
    queue.work.complete("B", second.claim.token, None, queue.tell)
    assert queue.take().item.id == "C"


def test_a_dead_dependency_blocks_through_others_and_says_so(queue):
    queue.add("A", New("", "B", needs=("A",)), New("", "C", needs=("B",)), "D")
    queue.work.fail("A", None, "no key", None, queue.tell)
    stands = queue.stands()
    assert [stands[name] for name in ("B", "C")] == [("blocked", "A is dead: no key")] * 2
    assert queue.take().item.id == "D"
    assert isinstance(queue.take(), Idle)
    queue.work.retry("A", queue.tell)
    assert queue.states() == {"A": "ready", "B": "waiting", "C": "waiting", "D": "claimed"}


CYCLES = [
    ({"A": ["A"]}, ["A", "A"]),
    ({"A": ["B"], "B": ["A"]}, ["A", "B", "A"]),
    ({"A": ["B"], "B": ["C"], "C": ["D"], "D": ["B"]}, ["B", "C", "D", "B"]),
    ({"A": ["B", "C"], "B": ["D"], "C": ["D"], "D": []}, []),
    ({"A": ["elsewhere"]}, []),
    ({}, []),
    ({str(n): [str(n + 1)] for n in range(10_000)}, []),
    ({str(n): [str((n + 1) % 5000)] for n in range(5000)}, [*map(str, range(5000)), "0"]),
]


@pytest.mark.parametrize(("needs", "found"), CYCLES, ids=range(len(CYCLES)))
def test_a_cycle_is_found_whole(needs, found):
    assert work_order.cycle(needs) == found


def test_a_cycle_is_refused_whole_and_nothing_is_added(queue):
    new = [New("", "X"), New("", "A", needs=("B",)), New("", "B", needs=("C",)), New("", "C", needs=("A",))]
    assert refused(queue.add, *new) == (
        FAILED,
        "these wait for one another: A -> B -> C -> A: leave one of these dependencies out",
    )
    assert refused(queue.add, New("", "S", needs=("S",)))[0] == FAILED
    assert (queue.states(), queue.told()) == ({}, [])


def test_a_missing_dependency_and_a_second_of_an_id_are_refused(queue):
    queue.add("A")
    assert refused(queue.add, "B", New("", "C", needs=("A", "Z"))) == (
        NOT_FOUND,
        "C: depends on Z, which is not in the queue: add that first",
    )
    assert refused(queue.add, "B", "A") == (FAILED, "A: is in the queue already: give another id")
    assert queue.verbs() == ["added A"]


def test_an_id_that_the_queue_gives_is_free(queue):
    queue.add("W-2", "W-3")
    assert names(queue.add(New("x"), New("y"))) == ["W-4", "W-5"]
    assert names(queue.add(New("z", "W-6"), New("u"))) == ["W-6", "W-7"]


def test_no_more_than_the_limit_are_claimed_and_each_end_makes_room(queue):
    queue.add("A", "B", "C", "D")
    one, other = queue.take(limit=2), queue.take(limit=2)
    assert queue.take(limit=2) == Idle(2, 2, True, 3600.0)
    queue.work.complete(one.item.id, one.claim.token, None, queue.tell)
    third = queue.take(limit=2)
    assert (third.item.id, queue.take(limit=2).is_full) == ("C", True)
    queue.work.fail(other.item.id, other.claim.token, "red", 60, queue.tell)
    assert queue.take(limit=2).item.id == "D"


def test_an_expired_claim_is_taken_over_and_the_late_owner_refused(queue):
    queue.add("A")
    queue.take("early", 3600)
    queue.clock.move(3599.999)
    assert isinstance(queue.take("late"), Idle)
    queue.clock.move(0.001)
    again = queue.take("late")
    assert (again.claim.owner, again.claim.token, again.item.attempts) == ("late", 2, 2)
    stale = "A: token 1 is stale: late took it over with token 2 at 2026-11-21T11:00:00.000Z"
    verbs = [
        (queue.work.complete, ("A", 1, "mine", queue.tell)),
        (queue.work.fail, ("A", 1, "mine", None, queue.tell)),
        (queue.work.release, ("A", 1, None, 0, queue.tell)),
        (queue.work.extend, ("A", 1, 60)),
    ]
    assert [refused(verb, *arguments) for verb, arguments in verbs] == [(REFUSED, stale)] * 4
    assert queue.work.one("A") == again.item
    queue.work.complete("A", 2, "ours", queue.tell)
    assert refused(queue.work.complete, "A", 1, "mine", queue.tell) == (
        REFUSED,
        "A: is completed already, since 2026-11-21T11:00:00.000Z",
    )
    assert queue.work.one("A").result == "ours"


@pytest.mark.parametrize("left_ms", range(1, 6))
def test_a_claim_whose_time_ends_while_another_is_made_is_not_lost(queue, left_ms):
    queue.add("A", "B")
    queue.take(ttl_s=10)
    queue.clock.move(10 - left_ms / 1000)
    queue.clock.tick_s = 0.001
    assert queue.take().item.id in ("A", "B")
    queue.clock.tick_s = 0
    claimed = [name for name, state in queue.states().items() if state == "claimed"]
    assert [one.key for one in queue.work.listing.totals().claims] == claimed


def test_a_late_owner_that_nobody_followed_may_still_complete(queue):
    queue.add("A")
    queue.take("me", 1)
    queue.clock.move(100)
    assert queue.work.complete("A", 1, "done", queue.tell).status == "completed"


def test_a_claim_that_was_taken_back_and_not_given_again_is_refused(queue):
    queue.add("A", "B")
    queue.take("me", 10, limit=1)
    queue.clock.move(10)
    assert queue.take("you", 10, limit=1).item.id == "A"
    queue.clock.move(10)
    queue.work.fail("B", None, "no", None, queue.tell)
    queue.add(New("", "C", "P0"))
    assert queue.take("them", 10, limit=1).item.id == "C"
    code, said = refused(queue.work.complete, "A", 2, None, queue.tell)
    assert (code, said.startswith("A: token 2 holds it no more: ")) == (REFUSED, True)


def test_a_heartbeat_keeps_the_claim_and_its_token(queue):
    queue.add("A")
    queue.take("me", 15)
    for _ in range(10):
        queue.clock.move(10)
        assert queue.work.extend("A", 1, 15).token == 1
        assert isinstance(queue.take("thief"), Idle)
    queue.clock.move(15)
    assert queue.take("heir").claim.token == 2
    assert "expired A" in queue.verbs()


@pytest.mark.parametrize("token", [0, 2, 99])
def test_a_token_that_was_never_given_ends_nothing(queue, token):
    queue.add("A")
    queue.take()
    code, said = refused(queue.work.complete, "A", token, None, queue.tell)
    assert (code, queue.work.one("A").status) == (REFUSED, "claimed")
    assert said.startswith(f"A: token {token} ")


def test_what_nobody_claimed_has_no_token(queue):
    queue.add("A")
    assert refused(queue.work.complete, "A", 1, None, queue.tell) == (REFUSED, "A: is not claimed by anybody")
    assert refused(queue.work.extend, "Z", 1, 5)[0] == NOT_FOUND
    queue.take()
    assert refused(queue.work.fail, "A", None, "x", None, queue.tell)[0] == REFUSED


def test_a_failure_is_tried_again_later_and_later_until_it_is_dead(queue):
    queue.add(New("", "A", max_attempts=4))
    waits = []
    for _ in range(4):
        found = queue.take()
        item = queue.work.fail("A", found.claim.token, "red", 1500, queue.tell)
        waits.append(item.retry_at and item.retry_at[11:19])
        assert isinstance(queue.take(), Idle)
        queue.clock.ts = item.retry_at or queue.clock.ts
    assert waits == ["10:25:00", "11:15:00", "12:15:00", None]  # 1500 s, 3000 s, at the most an hour
    assert (item.status, item.reason, queue.verbs()[-2:]) == ("dead", "red", ["failed A", "dead A"])
    again = queue.work.retry("A", queue.tell)
    assert (again.status, again.attempts) == ("queued", 0)
    assert queue.take().item.id == "A"
    assert refused(queue.work.retry, "A", queue.tell)[0] == FAILED


def test_without_retry_a_failure_is_dead_at_once(queue):
    queue.add("A")
    queue.take()
    assert queue.work.fail("A", 1, "no key", None, queue.tell).status == "dead"
    assert queue.claims.held("work") == []


def test_workers_that_die_of_an_item_do_not_die_of_it_forever(queue):
    queue.add(New("", "A", max_attempts=2))
    for _ in range(2):
        queue.take(ttl_s=5)
        queue.clock.move(5)
    assert isinstance(queue.take(), Idle)
    item = queue.work.one("A")
    assert (item.status, item.reason) == ("dead", "its claim expired, and that was attempt 2 of 2")
    assert queue.verbs() == ["added A", "claimed A", "expired A", "claimed A", "expired A", "dead A"]


def test_a_release_counts_no_attempt_and_may_put_off(queue):
    queue.add("A")
    queue.take()
    item = queue.work.release("A", 1, "its files are taken", 30, queue.tell)
    assert (item.attempts, item.status, item.reason) == (0, "queued", "its files are taken")
    assert queue.take() == Idle(0, 1, False, 30.0)
    queue.clock.move(30)
    assert queue.take().claim.token == 2


def test_nothing_begins_before_its_time(queue):
    queue.add(New("", "A", not_before="2026-11-21T10:10:00.000Z"))
    assert queue.take() == Idle(0, 1, False, 600.0)
    assert queue.states() == {"A": "waiting"}
    queue.clock.move(600)
    assert queue.take().item.id == "A"


def test_a_clock_that_was_set_back_does_not_prolong_a_claim(queue):
    queue.add("A")
    queue.take("dead", 60)
    queue.clock.move(-86_400)
    assert isinstance(queue.take("heir", 60), Idle)  # seen now: its own length is left
    queue.clock.move(59)
    assert isinstance(queue.take("heir", 60), Idle)
    queue.clock.move(1)
    assert queue.take("heir", 60).claim.token == 2


def test_a_clock_that_was_set_back_neither_loses_nor_doubles(queue):
    queue.add("A", "B", New("", "C", max_attempts=5))
    one = queue.take("w", 60)
    queue.clock.move(-7200)
    assert queue.work.extend("A", one.claim.token, 60).expires_at == "2026-11-21T08:01:00.000Z"
    done = queue.work.complete("A", one.claim.token, None, queue.tell)
    assert (done.busy_ms, queue.take("w").item.id) == (0, "B")
    third = queue.take("w")
    queue.work.fail("C", third.claim.token, "red", 60, queue.tell)
    queue.clock.move(-86_400)  # its pause would be a day long
    assert queue.take("w").item.id == "C"
    assert isinstance(queue.take("w"), Idle)
    assert figures.of(queue.work.listing.totals(), 3)["utilisation"] is None  # nothing that is known lies before now


def test_a_clock_far_ahead_expires_and_comes_back(queue):
    queue.add(New("", "A", max_attempts=9))
    queue.take("w", 3600)
    queue.clock.ts = "9999-12-31T23:00:00.000Z"
    assert queue.take("x", 3600).claim.expires_at == "9999-12-31T23:59:59.999Z"
    queue.clock.ts = START
    assert isinstance(queue.take("y", 3600), Idle)
    queue.clock.move(3600)
    assert queue.take("y", 3600).claim.token == 3


def test_the_clock_is_the_databases_own(place, dialect):
    """The local one is a year off: claims on PostgreSQL do not care, and SQLite's is asked of SQLite."""
    from work_world import world

    found = world(place)
    found.add("A")
    claim = found.take(ttl_s=30).claim
    theirs = found.store._engine.rows("clock")[0][0]
    assert (len(theirs), theirs[10], theirs[-1]) == (24, "T", "Z")
    assert claim.acquired_at <= theirs < claim.expires_at
    found.store.close()


def test_figures_of_an_empty_queue_are_unknown(queue):
    told = figures.of(queue.work.listing.totals(), 3)
    unknown = {name: told[name] for name in ("completion_rate", "utilisation", "wait_s", "open_estimate_minutes")}
    assert unknown == {
        "completion_rate": None,
        "utilisation": None,
        "wait_s": {"count": 0, "p50": None, "p90": None, "p99": None},
        "open_estimate_minutes": None,
    }


def test_figures_say_what_the_queue_did(queue):
    queue.add("A", "B", "C", New("", "D", "P3", estimate_minutes=20), New("", "E", needs=("C",)))
    queue.clock.move(10)
    tokens = {found.item.id: found.claim.token for found in (queue.take(), queue.take(), queue.take())}
    queue.clock.move(10)
    queue.work.complete("A", tokens["A"], None, queue.tell)
    queue.work.complete("B", tokens["B"], None, queue.tell)
    queue.clock.move(10)
    queue.work.fail("C", tokens["C"], "red", None, queue.tell)
    told = figures.of(queue.work.listing.totals(), 2)
    assert {**told} == {
        "items": 5,
        "ready": 1,
        "waiting": 0,
        "blocked": 1,
        "claimed": 0,
        "completed": 2,
        "dead": 1,
        "completion_rate": 2 / 3,
        "wip_limit": 2,
        "utilisation": 1.0,  # 10 + 10 + 20 s in 2 slots within 20 s
        "wait_s": {"count": 3, "p50": 10.0, "p90": 10.0, "p99": 10.0},
        "attempts": 3,
        "open_estimate_minutes": 20,
        "open_without_estimate": 1,
    }
    assert "completion rate: 66.7% (2 completed of 3 ended)" in figures.lines(told)


@pytest.mark.parametrize("text", EVIL, ids=range(len(EVIL)))
def test_no_text_is_a_statement(queue, text):
    queue.work.add([New(text, "A", "P2", (), text, (text,), text), New("b", "B")], silent)
    found = queue.work.claim(text, 60, 5, silent)
    queue.work.fail("A", found.claim.token, text, 0, silent)
    queue.work.claim(text, 60, 5, silent)
    queue.work.complete("A", 2, text, silent)
    item = queue.work.one("A")
    kept = item.text
    assert (item.project, item.tags, item.result, item.session) == (kept, (kept,), kept, kept)
    assert kept == text.replace("\0", "\ufffd").replace("\ud800", "\ufffd")
    assert queue.states() == {"A": "completed", "B": "ready"}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"text": " "}, "text: is empty"),
        ({"text": "a\0"}, "text: holds a NUL, or is not UTF-8"),
        ({"text": "\udcff"}, "text: holds a NUL, or is not UTF-8"),
        ({"text": "x" * 65_537}, "text: is longer than 65536 bytes: put it into a file, and name that"),
        ({"text": "x", "id": "a b"}, "id: String should match pattern"),
        ({"text": "x", "depends": ["../x"]}, "depends[0]: String should match pattern"),
        ({"text": "x", "not_before": "soon"}, "not_before: expected a time as 2026-11-21T22:00"),
        ({"text": "x", "max_attempts": 0}, "max_attempts: Input should be greater than or equal to 1"),
        ({"text": "x", "priority": "P9"}, "priority: Input should be 'P0', 'P1', 'P2' or 'P3'"),
        ({"text": "x", "evil": 1}, "evil: Extra inputs are not permitted"),
    ],
)
def test_what_is_wrong_with_an_item_is_named(values, said):
    with pytest.raises(UserError) as caught:
        given(values)
    assert (str(caught.value).startswith(said), caught.value.code) == (True, 2)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE work SET tags = '{'",
        "UPDATE work SET attempts = 'many'",
        "UPDATE claims SET token = 'x'",
        "UPDATE claims SET expires_at = '0', acquired_at = 'never'",
    ],
)
def test_what_was_changed_by_hand_is_one_line(place, damage):
    import sqlite3

    from work_world import world

    found = world(place)
    found.add("A", "B")
    found.take()
    with sqlite3.connect(found.store.where) as db:
        db.execute(damage)
    code, said = refused(lambda: (found.take(), found.work.extend("A", 1, 5)))
    assert (code, "was changed by hand" in said) == (FAILED, True)
    found.store.close()
