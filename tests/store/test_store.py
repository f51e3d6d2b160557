"""What every engine of the store has to hold."""

import itertools
import multiprocessing
import sqlite3

import psycopg
import pytest
from tiers import some

from state.store import Event, HookError, Kept, Position, Served, Transcript, open_store

DECIDED = "orchestration.prompt.decided"
MIDNIGHT = "2026-11-21T00:00:00.000Z"
NEXT = "2026-11-22T00:00:00.000Z"
INTEGRITY = (sqlite3.IntegrityError, psycopg.IntegrityError)


def event(key, ts="2026-11-21T10:00:00.000Z", kind="orchestration.turn.end", session="s", prompt_id="p"):
    return Event(key, ts, kind, session, prompt_id, "hook", "prompt", prompt_id or "", '{"overhead_ms":1.5}')


def behind(read_bytes, log="sessions/s", inode="7"):
    return Position(log, inode, read_bytes, "00000000", 0, None)


def add(store, *events):
    """Events of one more log, whatever was added before."""
    return store.add_events(events, None, behind(1, log=f"sessions/{len(store.positions())}"))


def ids(events):
    return sorted(event.id for event in events)


def error(key, ts="2026-11-21T10:00:00.000Z"):
    return HookError(key, ts, "Stop", "s", "persist", "OSError")


def test_events_come_back_as_they_went_in(store):
    events = [event("a"), event("b", prompt_id=None, session='"; DROP TABLE events; --ü')]
    assert add(store, *events) == 2
    assert sorted(store.events_between(MIDNIGHT, NEXT)) == events


def test_what_a_database_cannot_hold_becomes_the_sign_for_unknown(store):
    """PostgreSQL holds no NUL, and neither a lone surrogate; an escaped backslash before `u0000` is no NUL."""
    add(store, event("a", session="s\0\ud800t")._replace(payload='{"a":"\\u0000b\\\\u0000"}'))
    (found,) = store.events_between(MIDNIGHT, NEXT)
    assert (found.session, found.payload) == ("s\ufffd\ufffdt", '{"a":"\ufffdb\\\\u0000"}')
    assert store.position("sessions/0\0", "7") is None


def test_a_name_of_any_length_fits_and_stays_itself(store):
    """What an index of PostgreSQL takes is bounded."""
    names = [str(number) + "n\u00fc" * 50_000 for number in range(2)]
    for name in names:
        add(store, Event(name, "2026-11-21T10:00:00.000Z", name, name, name, name, name, name, "{}", name, name))
        add(store, event(name, kind=DECIDED, session=name, prompt_id=name))
        assert add_messages(store, message(name, prompt_id=name, session=name)) == 1
    found = list(store.events_between(MIDNIGHT, NEXT))
    assert len({event.id for event in found}) == len({event.session for event in found}) == 2
    assert max(len(text.encode()) for event in found for text in event if text) <= 512


def test_an_event_counts_once_whatever_log_it_is_in(store):
    assert add(store, event("a"), event("a"), event("b")) == 2
    assert add(store, event("b"), event("c")) == 1
    assert ids(store.events_between(MIDNIGHT, NEXT)) == ["a", "b", "c"]


def test_a_stretch_is_taken_once(store):
    assert store.add_events([event("a")], None, behind(10)) == 1
    assert store.add_events([event("b")], None, behind(20)) is None
    assert store.add_events([event("b")], behind(5), behind(20)) is None
    assert store.position("sessions/s", "7") == behind(10)
    assert store.add_events([event("b")], behind(10), behind(20)) == 1
    assert store.position("sessions/s", "7") == behind(20)
    assert ids(store.events_between(MIDNIGHT, NEXT)) == ["a", "b"]


def test_events_and_position_are_taken_together_or_not_at_all(store):
    with pytest.raises(INTEGRITY):
        store.add_events([event("a"), event("b", ts=None)], None, behind(10))
    assert ids(store.events_between(MIDNIGHT, NEXT)) == []
    assert store.positions() == {}


def test_positions_are_by_log_and_inode(store):
    for position in (behind(1), behind(2, inode="8"), behind(3, log="sessions/t")):
        store.add_events([], None, position)
    assert store.positions() == {
        ("sessions/s", "7"): behind(1),
        ("sessions/s", "8"): behind(2, inode="8"),
        ("sessions/t", "7"): behind(3, log="sessions/t"),
    }
    store.forget_positions([behind(2, inode="8"), behind(9, log="sessions/unknown")])
    assert sorted(store.positions()) == [("sessions/s", "7"), ("sessions/t", "7")]


def test_bad_lines_are_summed_over_the_logs(store):
    assert store.bad_lines() == 0
    store.add_events([], None, behind(1)._replace(bad_lines=2))
    store.add_hook_errors([], None, behind(1, log="hook-errors.log")._replace(bad_lines=3))
    assert store.bad_lines() == 5


def test_a_period_has_its_first_instant_and_not_its_last(store):
    add(store, event("before", "2026-11-20T23:59:59.999Z"), event("first", MIDNIGHT), event("last", NEXT))
    assert ids(store.events_between(MIDNIGHT, NEXT)) == ["first"]


def test_all_of_a_prompt_belongs_to_when_it_was_decided(store):
    add(
        store,
        event("decided", "2026-11-21T23:59:00.000Z", DECIDED),
        event("end", "2026-11-22T00:01:00.000Z"),
        event("early", "2026-11-20T10:00:00.000Z"),
        event("other session", "2026-11-22T00:02:00.000Z", session="t"),
        event("no prompt", "2026-11-22T00:03:00.000Z", prompt_id=None),
    )
    assert ids(store.events_between(MIDNIGHT, NEXT)) == ["decided", "early", "end"]
    assert ids(store.events_between(NEXT, "2026-11-23T00:00:00.000Z")) == ["no prompt", "other session"]
    assert ids(store.events_between("2026-11-20T00:00:00.000Z", MIDNIGHT)) == []


def test_a_prompt_decided_twice_belongs_to_the_first_time(store):
    add(store, event("first", "2026-11-20T23:59:00.000Z", DECIDED), event("again", "2026-11-21T00:01:00.000Z", DECIDED))
    assert ids(store.events_between("2026-11-20T00:00:00.000Z", MIDNIGHT)) == ["again", "first"]
    assert ids(store.events_between(MIDNIGHT, NEXT)) == []


def test_hook_errors_come_back_in_order_and_once(store):
    late, early = error("a", "2026-11-21T11:00:00.000Z"), error("b", "2026-11-21T10:00:00.000Z")
    assert store.add_hook_errors([late, early, late, error("c", NEXT)], None, behind(1)) == 3
    assert store.hook_errors_between(MIDNIGHT, NEXT) == [early, late]


def test_forgetting_removes_what_is_older_and_nothing_else(store):
    add(store, event("old", "2026-11-20T23:59:59.999Z"), event("new", MIDNIGHT))
    store.add_hook_errors([error("old", "2026-11-20T10:00:00.000Z"), error("new")], None, behind(1))
    assert store.count_before(MIDNIGHT) == Kept(1, 1)
    assert store.forget_before(MIDNIGHT) == Kept(1, 1)
    assert store.count_before("2027-01-01T00:00:00.000Z") == Kept(1, 1)
    assert ids(store.events_between(MIDNIGHT, NEXT)) == ["new"]
    assert store.hook_errors_between(MIDNIGHT, NEXT) == [error("new")]


def message(key, ts="2026-11-21T10:00:00.000Z", prompt_id="p", **more):
    served = Served(
        key, "s", prompt_id, None, None, None, "x", "x", ts, 1, 1, 1, 1, "low", False, False, None, False, None, None
    )
    return served._replace(**more)


def add_messages(store, *messages):
    """As of one more transcript, whatever was added before."""
    known = len(store.transcript_positions())
    return store.add_served(messages, None, behind(1, log=f"/transcripts/{known}")._replace(carried="{}"))


def test_served_messages_come_back_as_they_went_in(store):
    messages = [message("a", agent_id="a1", is_sidechain=True), message("b", served=None, prompt_id=None, is_copy=True)]
    assert add_messages(store, *messages) == 2
    assert sorted(store.served_between(MIDNIGHT, NEXT)) == messages
    assert store.served_of("p") == messages[:1]


def test_a_message_is_one_with_the_most_of_each_count(store):
    first, second = message("a", output_tokens=9, input_tokens=2), message("a", output_tokens=4, input_tokens=7)
    assert add_messages(store, first, second, first) == 1
    assert add_messages(store, second._replace(ts="2026-11-21T09:00:00.000Z")) == 0
    whole = first._replace(input_tokens=7, ts="2026-11-21T09:00:00.000Z")
    assert store.served_between(MIDNIGHT, NEXT) == [whole]


RANKED = [
    message("a", session="t", prompt_id="original"),
    message("a", session="u", prompt_id="another session's"),
    message("a", session="r", is_sidechain=True, agent_id="a1", prompt_id="an agent's"),
    message("a", session="r", is_sidechain=True, agent_id="a2", prompt_id="another agent's"),
    message("a", session="a", is_copy=True, prompt_id=None),
]


@pytest.mark.parametrize("order", some([(order,) for order in itertools.permutations(range(len(RANKED)), 3)], 8))
def test_the_original_has_a_message_whichever_copy_came_first(store, order):
    for number in order:
        add_messages(store, RANKED[number])
    assert store.served_between(MIDNIGHT, NEXT) == [RANKED[min(order)]]


def test_messages_and_position_are_taken_together_or_not_at_all(store):
    with pytest.raises(INTEGRITY):
        add_messages(store, message("a"), message("b", ts=None))
    assert (store.served_between(MIDNIGHT, NEXT), store.transcript_positions()) == ([], {})
    after = behind(10)._replace(carried="{}")
    assert store.add_served([message("a")], None, after) == 1
    assert store.add_served([message("b")], None, after) is None
    assert store.add_served([message("b")], after, after._replace(read_bytes=20, carried="{1}")) == 1
    assert store.position("sessions/s", "7") == after._replace(read_bytes=20, carried="{1}")


def test_the_positions_of_transcripts_are_apart(store):
    store.add_events([], None, behind(1)._replace(bad_lines=2))
    add_messages(store, message("a"))
    assert list(store.positions()) == [("sessions/s", "7")]
    assert list(store.transcript_positions()) == [("/transcripts/0", "7")]
    assert store.bad_lines() == 2


def test_the_messages_of_a_prompt_belong_to_when_it_was_decided(store):
    add(store, event("decided", "2026-11-21T23:59:00.000Z", DECIDED), event("end", "2026-11-21T08:00:00.000Z"))
    late = message("late", "2026-11-22T00:01:00.000Z")
    loose = message("loose", "2026-11-22T00:02:00.000Z", prompt_id="undecided")
    add_messages(store, late, loose, message("none", NEXT, prompt_id=None))
    assert store.served_between(MIDNIGHT, NEXT) == [late]
    following = store.served_between(NEXT, "2026-11-23T00:00:00.000Z")
    assert sorted(found.message_id for found in following) == ["loose", "none"]
    assert store.time_of_prompt("p") == "2026-11-21T08:00:00.000Z"
    assert store.time_of_prompt("undecided") == "2026-11-22T00:02:00.000Z"
    assert store.time_of_prompt("unknown") is None


def test_transcripts_are_those_that_events_name(store):
    def told(key, kind, session, ts, payload):
        return event(key, ts, f"orchestration.{kind}", session)._replace(payload=payload)

    add(
        store,
        told("a", "session.start", "s", "2026-11-21T10:00:00.000Z", '{"transcript_path":"/s.jsonl"}'),
        told("b", "session.start", "s", "2026-11-21T11:00:00.000Z", '{"transcript_path":"/s.jsonl"}'),
        told("c", "agent.end", "s", "2026-11-21T10:30:00.000Z", '{"transcript_path":"/s/agent-1.jsonl"}'),
        told("d", "session.start", "t", "2026-11-21T10:00:00.000Z", '{"transcript_path":null}'),
        told("e", "session.start", "t", "2026-11-21T10:00:00.000Z", "{}"),
        told("f", "turn.end", "s", "2026-11-21T09:00:00.000Z", '{"transcript_path":"/not.jsonl"}'),
    )
    since = "2026-11-21T09:00:00.000Z"
    assert sorted(store.transcripts()) == [
        Transcript("s", "/s.jsonl", since),
        Transcript("s", "/s/agent-1.jsonl", since),
    ]


def test_forgetting_removes_old_messages_too(store):
    add_messages(store, message("old", "2026-11-20T23:59:59.999Z"), message("new", MIDNIGHT))
    assert store.count_before(MIDNIGHT) == Kept(0, 0, 1)
    assert store.forget_before(MIDNIGHT) == Kept(0, 0, 1)
    assert store.count_before(MIDNIGHT) == Kept(0, 0, 0)
    assert [found.message_id for found in store.served_between(MIDNIGHT, NEXT)] == ["new"]


def _write(place, writer, count):
    with open_store(place) as store:
        for number in range(count):
            log = f"sessions/{writer}-{number}"
            store.add_events([event(f"{writer}-{number}"), event("shared")], None, behind(1, log=log))


@pytest.mark.slow
def test_many_processes_open_and_write_a_new_store(place, dialect):
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_write, args=(place, writer, 25)) for writer in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(100)
    assert [writer.exitcode for writer in writers] == [0] * 6
    with open_store(place) as store:
        assert len(list(store.events_between(MIDNIGHT, NEXT))) == 6 * 25 + 1
        assert len(store.positions()) == 6 * 25
