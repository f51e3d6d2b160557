"""A class that has passed steps down where prompts wait for it, in this project alone, and goes back up when told."""

import os
from pathlib import Path

import hot_imports
import pytest
from made_history import ALL, MEMBERS, NAME, TEXTS
from made_talk import Talk, decided

from orchestrate.learning import kept
from orchestrate.request import memory, stepped
from orchestrate.shadow import classes, pairs, session, steps
from routing import routing_core
from routing.correction import Correction
from state.errors import NOT_FOUND, REFUSED, UserError
from state.paths import locate

REPO = Path(session.__file__).parents[2]
NOW = 1795000000.0
OTHER = next(
    text for text, names in MEMBERS.items() if NAME not in names and routing_core.decide(text).tier == "sonnet"
)
HELD = "review the login token check for security holes and add a test"


def passed(place, count=50, name=NAME, good=None, basis=None):
    for number in range(count):
        is_good = good is None or number >= count - good
        line = {"class": name, "basis": basis or stepped.basis(memory.correction(place)), "hash": f"h{number}"}
        control = {"saw_control": True} if number % 5 == 0 else {}
        pairs.keep(place, {**line, "as_good": is_good, "regression": False, "green": True, **control})


@pytest.fixture
def talk(project, home):
    return Talk(project, home)


def asked(talk, place, text, **more):
    talk.ask(f"p-{len(decided(place))}", text, **more)
    return decided(place)[-1].payload


def test_a_class_that_passed_steps_down_and_comes_back(talk, place):
    passed(place)
    assert asked(talk, place, TEXTS[0])["tier"] == "sonnet"
    row = session.apply(place, NAME, NOW)
    assert (row.is_down, row.standing.as_good) == (True, 50)
    for text in TEXTS:
        payload = asked(talk, place, text)
        assert (payload["tier"], payload["agent"], payload["confidence"]) == ("haiku", "haiku-general", 0.6)
        assert payload["reason"].startswith("haiku: its class of work steps down here (s-")
    assert session.forget(place, NAME, False, NOW) == ([NAME], 0)
    assert asked(talk, place, TEXTS[0])["tier"] == "sonnet"
    assert not Path(steps.path(place)).exists()


def test_no_other_prompt_is_moved(talk, place):
    passed(place)
    session.apply(place, NAME, NOW)
    others = [text for text in ALL if NAME not in MEMBERS[text]]
    path, situation = memory.steps(place), routing_core.Situation()
    for text in others:
        before = routing_core.decide(text, situation)
        after = stepped.over(path, text, situation, None, before)
        assert (after.tier, after.reason) == (before.tier, before.reason)
    assert asked(talk, place, OTHER)["tier"] == "sonnet"


@pytest.mark.parametrize(
    ("text", "more"),
    [
        (TEXTS[0], {"permission_mode": "plan"}),
        (f"use sonnet: {TEXTS[0]}", {}),
        (f"{TEXTS[0]}, then drop the users table", {}),
    ],
)
def test_floors_and_the_users_own_choice_stand(talk, place, text, more):
    passed(place)
    session.apply(place, NAME, NOW)
    assert asked(talk, place, text, **more)["tier"] in ("sonnet", "opus")


@pytest.mark.parametrize("text", [HELD, "fix the typo on the incident page, production is down"])
def test_where_a_mistake_shows_late_nothing_is_of_any_class(text):
    assert classes.of(text, None) == []


def test_no_class_is_of_the_kinds_that_are_held():
    assert not {group.fact for group in classes.ALL} & {*stepped.HELD}


@pytest.mark.parametrize("text", ["yes, do the second one", "use opus: add a test", "", f"Also {TEXTS[0].lower()}"])
def test_what_does_not_stand_alone_is_of_no_class(text):
    assert classes.of(text, None) == []


@pytest.mark.parametrize(
    ("count", "good", "why"),
    [
        (0, None, "may not step down: 0 pairs, 50 are needed"),
        (49, None, "may not step down: 49 pairs, 50 are needed"),
        (50, 45, "may not step down: as good in 45 of 50"),
    ],
)
def test_without_the_evidence_nothing_steps_down(place, count, good, why):
    passed(place, count, good=good)
    with pytest.raises(UserError, match=why) as caught:
        session.apply(place, NAME, NOW)
    assert (caught.value.code, Path(steps.path(place)).exists()) == (REFUSED, False)


def test_pairs_of_other_weights_or_another_correction_count_for_nothing(place):
    passed(place, basis="other -")
    with pytest.raises(UserError, match="0 pairs"):
        session.apply(place, NAME, NOW)


def test_steps_of_another_correction_are_ignored_until_it_is_taken_back(talk, place):
    passed(place)
    session.apply(place, NAME, NOW)
    kept.write(place, kept.record_of(Correction("draft", (0.01, 0.01)), "2026-11-21T12:00:00.000Z", {}))
    assert asked(talk, place, TEXTS[0])["tier"] == "sonnet"
    assert steps.is_ignored(place, memory.correction(place))
    kept.undo(place)
    assert asked(talk, place, TEXTS[0])["tier"] == "haiku"


def test_another_project_keeps_its_tiers(place, home, tmp_path):
    passed(place)
    session.apply(place, NAME, NOW)
    (tmp_path / "other" / ".git").mkdir(parents=True)
    elsewhere = locate(str(tmp_path / "other"), os.environ)
    assert asked(Talk(tmp_path / "other", home), elsewhere, TEXTS[0])["tier"] == "sonnet"


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff", b'{"v":1}', b'{"v":1,"steps":[]}', b'{"v":1,"steps":{"sonnet":"bug words"}}'],
)
def test_a_file_that_is_none_changes_nothing(talk, place, home, content):
    path = Path(steps.path(place))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.replace(b'"v":1', f'"v":1,"basis":"{stepped.basis(None)}"'.encode()))
    assert asked(talk, place, TEXTS[0])["tier"] == "sonnet"
    assert [*home.rglob("hook-errors.log")] == []


def test_two_classes_step_down_and_one_goes_back(place):
    other = next(name for name in MEMBERS[TEXTS[0]] if name != NAME)
    passed(place)
    passed(place, name=other)
    session.apply(place, NAME, NOW)
    session.apply(place, other, NOW)
    assert set(steps.read(place, None)) == {NAME, other}
    assert session.forget(place, other, True, NOW) == ([other], 50)
    assert (set(steps.read(place, None)), len(pairs.read(place))) == ({NAME}, 50)
    assert session.forget(place, None, True, NOW) == ([NAME], 50)
    assert (steps.read(place, None), pairs.read(place)) == ({}, [])


@pytest.mark.parametrize("call", [session.apply, lambda place, name, now: session.forget(place, name, False, now)])
def test_a_class_that_there_is_not_is_named(place, call):
    with pytest.raises(UserError, match="class 'sonnet/poems': there is none") as caught:
        call(place, "sonnet/poems", NOW)
    assert caught.value.code == NOT_FOUND


@pytest.mark.parametrize("is_there", [False, True])
def test_the_hook_loads_it_only_where_something_steps_down(project, place, home, is_there):
    if is_there:
        passed(place)
        session.apply(place, NAME, NOW)
    names = hot_imports.loaded(project, home, TEXTS[0])
    assert ("orchestrate.request.stepped" in names) is is_there
    assert names.isdisjoint({"re", "json", "os", "typing", "dataclasses", "orchestrate.shadow"})


def test_hooks_never_try_anything_out():
    for path in sorted(Path(REPO, "orchestrate", "request").glob("*.py")):
        assert "orchestrate.shadow" not in path.read_text()
    for name in ("hooked", "answer", "conduct"):
        assert "shadow" not in Path(REPO, "orchestrate", "agents", f"{name}.py").read_text()
