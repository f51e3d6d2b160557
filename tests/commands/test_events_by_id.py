"""One event by its id: of the project, or of the user's nights."""

import json

from state.store import Event, open_store, open_user_store


def event(key):
    return Event(key, "2026-11-21T10:00:00.000Z", "note.told", "s", None, "user", "note", "n", "{}", None)


def test_an_event_is_found_by_its_id_wherever_it_was_told(cli, place):
    with open_store(place) as store:
        store.emit([event("ours"), event("other")])
    with open_user_store(place) as store:
        store.emit([event("of-a-night")])
    ran = cli("events", "list", "--json", "--id", "of-a-night", "--id", "ours")
    assert [found["id"] for found in json.loads(ran.out)] == ["ours", "of-a-night"]


def test_an_id_that_nobody_has_told_is_said_to_be_none(cli, place):
    ran = cli("events", "list", "--id", "nobody's")
    assert (ran.code, ran.out) == (3, "")
    assert "nobody's: no such event" in ran.err
