"""The settings as hooks read them: the kept file, overlaid by the environment, and when it is out of date."""

import json
import os
from pathlib import Path

import pytest

from state import snapshot


def keep(place, values, sources=None, **more):
    path = Path(snapshot.file(place))
    path.parent.mkdir(parents=True, exist_ok=True)
    now = [snapshot.stamp(source) for source in snapshot.source_paths(place)]
    path.write_text(json.dumps({"v": 1, "values": values, "sources": sources or now, "error": None, **more}))


def other(key):
    """A valid value that is not the default, with the text that says it in the environment."""
    default = snapshot.DEFAULTS[key]
    if isinstance(default, bool):
        return not default, str(not default).lower()
    if isinstance(default, str):
        word = next((choice for choice in snapshot.CHOICES.get(key, ()) if choice != default), "something-else")
        return word, word
    return type(default)(default + 1), str(default + 1)


def variable(key):
    return snapshot.PREFIX + key.upper().replace(".", "__")


def test_defaults_are_flat_scalars_and_choices_hold_them():
    assert {type(value) for value in snapshot.DEFAULTS.values()} == {bool, str, int, float}
    assert {key for key, choices in snapshot.CHOICES.items() if snapshot.DEFAULTS[key] not in choices} == set()


def test_with_nothing_kept_the_defaults_hold(place):
    found = snapshot.read(place, {})
    assert (found.values, found.from_env, found.stale, found.error) == (snapshot.DEFAULTS, {}, False, None)


@pytest.mark.parametrize("key", snapshot.DEFAULTS)
def test_what_is_kept_changes_one_key(key, place):
    value, _ = other(key)
    keep(place, {key: value})
    assert snapshot.read(place, {}).values == {**snapshot.DEFAULTS, key: value}


@pytest.mark.parametrize("key", snapshot.DEFAULTS)
def test_the_environment_lies_over_what_is_kept(key, place):
    value, text = other(key)
    keep(place, {key: snapshot.DEFAULTS[key]})
    found = snapshot.read(place, {variable(key): text})
    assert (found.values, found.from_env) == ({**snapshot.DEFAULTS, key: value}, {key: value})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ORCHESTRATOR_ENABLED", "maybe"),
        ("ORCHESTRATOR_ENABLED", ""),
        ("ORCHESTRATOR_MODE", "MAGIC"),
        ("ORCHESTRATOR_MODE", "Directive"),
        ("ORCHESTRATOR_ENFORCEMENT", "everything"),
        ("ORCHESTRATOR_ROLLOUT__STAGE", ""),
        ("ORCHESTRATOR_OVERNIGHT__START_HOUR", "ten"),
        ("ORCHESTRATOR_OVERNIGHT__START_HOUR", "22.5"),
        ("ORCHESTRATOR_LOCK_TIMEOUT_S", "1s"),
        ("ORCHESTRATOR_RECORD_PROMPTS", "all"),
        ("ORCHESTRATOR_NO__SUCH_KEY", "1"),
        ("ORCHESTRATOR_", "1"),
        ("ORCHESTRATOR___", "1"),
        ("ORCHESTRATOR_ROOT", "/x"),
        ("ORCHESTRATOR_DISABLED", "1"),
        ("MODE", "directive"),
        ("orchestrator_mode", "directive"),
    ],
)
def test_junk_in_the_environment_is_not_a_setting(name, text):
    assert snapshot.overlay({name: text}) == {}


@pytest.mark.parametrize("word", snapshot.WORDS)
def test_words_of_truth(word):
    assert snapshot.overlay({"ORCHESTRATOR_ENABLED": f" {word.upper()} "}) == {"enabled": snapshot.WORDS[word]}


@pytest.mark.parametrize(
    "values",
    [
        {"enabled": "false"},
        {"enabled": 0},
        {"enabled": None},
        {"overnight.start_hour": True},
        {"overnight.start_hour": 22.0},
        {"overnight.start_hour": "22"},
        {"agents.haiku": ["x"]},
        {"agents": {"haiku": "x"}},
        {"rollout.stage": "tomorrow"},
        {"mode": "magic"},
        {"lock_timeout_s": 7},
        {"brand.new": 1},
    ],
)
def test_junk_in_the_file_is_not_a_setting(values, place):
    keep(place, values)
    assert snapshot.read(place, {}).values == snapshot.DEFAULTS


def test_a_known_key_beside_junk_is_kept(place):
    keep(place, {"mode": "magic", "agents.opus": "deep-thought", "brand.new": 1})
    assert snapshot.read(place, {}).values == {**snapshot.DEFAULTS, "agents.opus": "deep-thought"}


@pytest.mark.parametrize(("error", "expected"), [("config.yaml:3: no", "config.yaml:3: no"), (None, None), ([1], None)])
def test_the_error_of_the_last_compilation_is_told(error, expected, place):
    keep(place, {}, error=error)
    assert snapshot.read(place, {}).error == expected


def test_the_sources_weakest_first(place, home):
    user = f"{home}/.orchestrator"
    assert snapshot.source_paths(place) == [
        f"{user}/config.yaml",
        f"{user}/config.json",
        f"{place.state}/config.yaml",
        f"{place.state}/config.json",
        f"{user}/trust.json",
    ]


SOURCES = range(5)


def source(place, number):
    path = Path(snapshot.source_paths(place)[number])
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


@pytest.mark.parametrize("number", SOURCES)
def test_a_source_that_appears_makes_it_stale(number, place):
    keep(place, {"agents.haiku": "quick"})
    assert not snapshot.read(place, {}).stale
    source(place, number).write_text("{}")
    found = snapshot.read(place, {})
    assert (found.stale, found.values["agents.haiku"]) == (True, "quick")


@pytest.mark.parametrize("number", SOURCES)
def test_a_source_with_nothing_kept_makes_it_stale(number, place):
    source(place, number).write_text("{}")
    assert snapshot.read(place, {}).stale


@pytest.mark.parametrize("number", SOURCES)
@pytest.mark.parametrize("change", ["touched", "longer", "replaced", "removed"])
def test_a_source_that_changes_makes_it_stale(change, number, place):
    path = source(place, number)
    path.write_text("{}")
    keep(place, {})
    assert not snapshot.read(place, {}).stale
    before = path.stat()
    if change == "touched":
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1_000_000))
    elif change == "longer":
        path.write_text("{} ")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    elif change == "replaced":
        beside = path.with_name("beside")
        beside.write_text("[]")
        os.utime(beside, ns=(before.st_atime_ns, before.st_mtime_ns))
        beside.replace(path)
    else:
        path.unlink()
    assert snapshot.read(place, {}).stale


def test_without_a_home_the_project_s_own_files_are_the_sources(project):
    from state.paths import locate

    place = locate(str(project), {})
    assert snapshot.source_paths(place) == [f"{project}/.orchestrator/config.{kind}" for kind in ("yaml", "json")]
