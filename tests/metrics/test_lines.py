"""A line is a record or it is not; nothing in it can do harm."""

import json

import pytest

from metrics.lines import parse_event, parse_hook_error
from state.store import Event

ENTRY = {
    "v": 1,
    "id": "e1",
    "ts": "2026-11-21T10:00:00.123Z",
    "type": "orchestration.turn.end",
    "project": "0123456789abcdef",
    "session": "s",
    "prompt_id": "p",
    "actor": "hook",
    "entity": {"type": "prompt", "id": "p"},
    "payload": {"background": 0},
}
EVENT = Event("e1", ENTRY["ts"], "orchestration.turn.end", "s", "p", "hook", "prompt", "p", '{"background":0}')
ERROR = {
    "ts": "2026-11-21T10:00:00.123Z",
    "event": "Stop",
    "session": "s",
    "where": "persist",
    "error": "OSError: [Errno 28] while writing 'the secret'",
    "traceback": "Traceback with the secret",
}


def line(**changes):
    return json.dumps({**ENTRY, **changes}).encode()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {}),
        ({"prompt_id": None}, {"prompt_id": None}),
        ({"unknown": [1], "v": 2}, {}),
        ({"ts": "2026-11-21T11:00:00.123+01:00"}, {}),
        ({"ts": "2026-11-21T10:00:00Z"}, {"ts": "2026-11-21T10:00:00.000Z"}),
        ({"ts": "2026-W47-6T10:00:00.123Z"}, {}),
        ({"session": "\ud800"}, {"session": "?"}),
        ({"payload": {"cwd": "/x/\udcff"}}, {"payload": '{"cwd":"/x/?"}'}),
        ({"payload": {"cwd": "/x/ü\x00"}}, {"payload": '{"cwd":"/x/ü\\u0000"}'}),
    ],
)
def test_a_record_is_an_event(changes, expected):
    assert parse_event(line(**changes)) == EVENT._replace(**expected)


@pytest.mark.parametrize(
    "raw",
    [
        b"garbage",
        b"\x00\xff\xfe",
        b"null",
        b"[]",
        b"12",
        b"{}",
        line()[:-1],
        line() + line(),
        b"[" * 100_000,
        *(line(**{name: None}) for name in ("id", "ts", "type", "session", "actor", "entity", "payload")),
        *(line(**{name: 5}) for name in ("id", "ts", "type", "session", "prompt_id", "actor", "entity", "payload")),
        line(id=""),
        line(ts="yesterday"),
        line(ts="2026-11-21T10:00:00.123"),
        line(ts="0001-01-01T00:00:00+14:00"),
        line(entity={"type": "prompt"}),
        line(entity={"type": 1, "id": "p"}),
        line(payload={"number": float("nan")}),
    ],
)
def test_anything_else_is_none(raw):
    assert parse_event(raw) is None


def test_an_error_of_a_hook_is_kept_without_its_words():
    found = parse_hook_error(json.dumps(ERROR).encode())
    assert found[1:] == (ERROR["ts"], "Stop", "s", "persist", "OSError")
    assert found == parse_hook_error(json.dumps(ERROR).encode())
    assert found.id != parse_hook_error(json.dumps({**ERROR, "traceback": "another"}).encode()).id


@pytest.mark.parametrize("raw", [b"garbage", b"[]", b"{}", json.dumps({**ERROR, "ts": None}).encode()])
def test_what_is_no_error_of_a_hook_is_none(raw):
    assert parse_hook_error(raw) is None
