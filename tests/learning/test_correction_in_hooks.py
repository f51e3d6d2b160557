"""What a correction does where prompts wait for it."""

import json
from pathlib import Path

import hot_imports
import pytest
from made_talk import decided
from made_users import prompts

from orchestrate.learning import kept
from routing.correction import Correction
from routing.routing_core import Situation, decide

REPO = Path(kept.__file__).parents[2]
SHIFTED = Correction("draft", (2.0, 2.0))
# Of which a correction makes another tier, whatever the weights are.
TEXT = next(text for text in prompts(300) if decide(text).tier != decide(text, None, SHIFTED).tier)
DEAR = kept.record_of(SHIFTED, "2026-11-21T12:00:00.000Z", {})


def put(place, content):
    path = Path(kept.path(place))
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())


def asked(talk, place):
    talk.ask("p-1", TEXT)
    return decided(place)[-1].payload


def test_a_correction_leans_on_the_decision_and_is_named_in_its_record(talk, place):
    kept.write(place, DEAR)
    payload = asked(talk, place)
    expected = decide(TEXT, Situation(turn=0), SHIFTED)
    assert payload["correction"] == DEAR["id"]
    assert (payload["tier"], payload["features"]) == (expected.tier, expected.as_dict()["features"])
    assert payload["tier"] != decide(TEXT).tier


def test_without_one_nothing_is_recorded_of_it(talk, place):
    assert "correction" not in asked(talk, place)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        {**DEAR, "weights": "of another version"},
        {**DEAR, "shifts": [9.0, 9.0]},
        {**DEAR, "deltas": {"length": ["x", "y"]}},
    ],
)
def test_a_file_that_is_no_correction_changes_nothing(talk, place, home, content):
    put(place, content)
    payload = asked(talk, place)
    assert payload["tier"] == decide(TEXT).tier
    assert "correction" not in payload
    assert [*home.rglob("hook-errors.log")] == []


def test_a_folder_in_its_place_changes_nothing(talk, place, home):
    Path(kept.path(place)).mkdir(parents=True)
    assert asked(talk, place)["tier"] == decide(TEXT).tier
    assert [*home.rglob("hook-errors.log")] == []


def test_a_spawn_is_decided_with_it_too(talk, place):
    given = {"subagent_type": "general-purpose", "prompt": TEXT}
    tiers = []
    for number, record in enumerate((None, DEAR)):
        if record:
            kept.write(place, record)
        talk.call("PreToolUse", "p-9", tool_name="Agent", tool_use_id=f"t-{number}", tool_input=given)
    log = Path(place.state, "sessions", talk.session, "log.jsonl").read_bytes().splitlines()
    tiers = [json.loads(line)["payload"]["tier"] for line in log if b"spawn.requested" in line]
    assert tiers == [
        decide(TEXT).tier,
        decide(TEXT, None, SHIFTED).tier,
    ]
    assert tiers[0] != tiers[1]


@pytest.mark.parametrize(("is_there", "loaded"), [(False, False), (True, True)])
def test_the_hook_loads_what_it_needs_only_where_there_is_one(project, place, home, is_there, loaded):
    if is_there:
        kept.write(place, DEAR)
    names = hot_imports.loaded(project, home, TEXT)
    assert ("routing.correction" in names) is loaded
    assert names.isdisjoint({"re", "json", "os", "typing", "dataclasses", "orchestrate.learning"})
