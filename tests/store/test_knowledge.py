"""Knowledge in the store, the same on every engine."""

import orjson
import pytest

from orchestrate.memory import knowledge
from orchestrate.memory.knowledge import Discovery
from state.errors import FAILED, NOT_FOUND, USAGE, UserError
from state.store.task_records import Task
from state.store.values import CHANGED
from state.telling import Teller

TELLER = Teller("agent", "s-1", "c")


def record(store, key, value, **more):
    return knowledge.record(store, TELLER, Discovery(key, value, **more))


def keys(store, pattern):
    return [known.name for known in knowledge.find(store, pattern)]


def test_a_value_is_kept_with_who_when_and_where_from(store):
    store.tasks.create(Task("TSK-001", "t", "", None, "pending", "P2", {}, "2026", "2026"), [])
    known, is_redacted = record(store, "api.auth", "15 minutes", source="Auth.php", discovered_by="w-1", task="TSK-001")
    assert knowledge.shown(known) == {
        "key": "api.auth",
        "value": "15 minutes",
        "discoveredBy": "w-1",
        "timestamp": known.recorded_at,
        "source": "Auth.php",
        "task": "TSK-001",
    }
    assert (knowledge.find(store, "api.auth"), is_redacted) == ([known], False)
    ((_, event),) = store.sinks.after(0, 10)
    assert (event.type, event.entity_type, event.entity_id, event.task) == (
        "orchestration.knowledge.recorded",
        "knowledge",
        "api.auth",
        "TSK-001",
    )
    assert orjson.loads(event.payload) == knowledge.shown(known)


@pytest.mark.parametrize("value", ["text", "", 3, 2.5, True, None, [1, "a"], {"a": {"b": []}}, "x" * 60_000, "äöü 🐛"])
def test_any_json_value_comes_back(value, store):
    record(store, "k", value)
    (known,) = knowledge.find(store, "k")
    assert knowledge.shown(known)["value"] == value


def test_the_last_word_holds_and_those_before_stay_in_the_history(store, place):
    for value in ("a", "b"):
        record(store, "k", value)
    assert knowledge.forget(store, TELLER, "k") is True
    assert knowledge.forget(store, TELLER, "k") is False
    record(store, "k", "c")
    record(store, "other", "d")
    told = knowledge.history(place, store, "k", {})
    assert [entry.get("value", "-") for entry in told] == ["a", "b", "-", "c"]
    assert [entry["by"] for entry in told] == ["agent"] * 4
    assert keys(store, "*") == ["k", "other"]
    assert knowledge.history(place, store, "nothing", {}) == []


def test_what_was_found_out_in_an_unknown_task_is_not_kept(store):
    with pytest.raises(UserError) as refused:
        record(store, "k", "v", task="TSK-9")
    assert (refused.value.code, keys(store, "*"), store.sinks.after(0, 9)) == (NOT_FOUND, [], [])


def test_a_pattern_finds_what_fits_by_key(store):
    for key in ("api.auth", "api.rate", "API.x", "apix", "db.api.auth", "größe"):
        record(store, key, 1)
    assert keys(store, "api.*") == ["api.auth", "api.rate"]
    assert keys(store, "api?auth") == ["api.auth"]
    assert keys(store, "*api*") == ["api.auth", "api.rate", "apix", "db.api.auth"]
    assert keys(store, "gr*e") == ["größe"]
    assert keys(store, "api") == []
    assert keys(store, "%") == []
    assert keys(store, "api_auth") == []
    assert len(keys(store, "*")) == 6


@pytest.mark.parametrize("key", ["'; DROP TABLE knowledge; --", "%s %(x)s :name $1", '"', "\\", "a b", "[a-z]", "🐛"])
def test_no_key_is_more_than_text(key, store):
    record(store, key, key, source=key, discovered_by=key)
    record(store, "zzz", 1)
    assert keys(store, key) == [key]
    assert knowledge.forget(store, TELLER, key) is True
    assert keys(store, "*") == ["zzz"]


@pytest.mark.parametrize("key", ["", "  ", "a\nb", "a\0", "\x1b[2J", "\u202e", "x" * 201, "a*", "a?", "\ud800"])
def test_a_key_that_nobody_could_ask_for_is_refused(key, store):
    with pytest.raises(UserError) as caught:
        record(store, key, 1)
    assert caught.value.code == USAGE
    assert keys(store, "*") == []


def test_a_value_has_its_bound(store):
    with pytest.raises(UserError) as caught:
        record(store, "k", "x" * 70_000)
    assert caught.value.code == FAILED


@pytest.mark.parametrize("value", ["a\0b \ud800", {"a\0": ["\ud800"]}])
def test_what_no_database_holds_is_left_out(value, store):
    record(store, "k", value, source="s\0\ud800", discovered_by="\0")
    (known,) = knowledge.find(store, "k")
    assert "\0" not in known.content


def test_secrets_do_not_reach_the_store(store):
    key = "sk-ant-REDACTED"
    _, is_redacted = record(store, "k", {"note": f"use {key}", "password": "hunter22"}, source=key)
    kept = repr([*knowledge.find(store, "*"), *store.sinks.after(0, 10)])
    assert (is_redacted, key in kept, "hunter22" in kept) == (True, False, False)


def test_what_was_changed_by_hand_is_told(store):
    record(store, "k", "v")
    with store._engine.writing():
        store._engine.run("keep_knowledge", store.knowledge.one("k")._replace(content="q"))
    with pytest.raises(UserError) as caught:
        knowledge.find(store, "k")
    assert str(caught.value) == f"{store.where}: knowledge: k: content is not as it was written: {CHANGED}"


def test_a_history_that_was_changed_by_hand_is_told(store, place):
    told = TELLER.event("orchestration.knowledge.recorded", ("knowledge", "k"), {})
    store.emit([told._replace(payload="[1]")])
    with pytest.raises(UserError) as caught:
        knowledge.history(place, store, "k", {})
    assert str(caught.value) == f"{store.where}: events: {told.id}: payload is not as it was written: {CHANGED}"
