"""What the hook knows of a prompt beside its text: how the last one ended, the files it names, the permission mode."""

import os

import pytest
from made_talk import Talk, decided

from orchestrate.request import memory, named
from orchestrate.request.call import Call
from state import snapshot

DEEP = "use opus for this: find the race between the two writers in src/queue.py"
AGAIN = "and now also fix the typo you made in the readme"
RENAME = "rename `cfg` to `settings` in loader.py"
LARGE = 900_000


@pytest.fixture
def talk(project, home):
    return Talk(project, home)


def last(place):
    return decided(place)[-1].payload


@pytest.mark.parametrize(
    ("kind", "payload", "tier"),
    [
        ("turn.failed", {"error": "overloaded"}, "opus"),
        ("run.finished", {"outcome": "red_check"}, "opus"),
        ("run.finished", {"outcome": "ok"}, "haiku"),
        ("turn.end", {"background": 0}, "haiku"),
    ],
)
def test_what_goes_on_after_a_failure_has_no_less_than_what_failed(talk, place, kind, payload, tier):
    talk.ask("p-1", DEEP)
    talk.tell(place, kind, "p-1", payload)
    talk.ask("p-2", AGAIN)
    assert (last(place)["tier"], last(place)["action"]) == (tier, "stay")
    assert ("the last attempt failed" in last(place)["reason"]) is (tier == "opus")


def test_a_failure_is_forgotten_with_the_next_decision(talk, place):
    talk.ask("p-1", DEEP)
    talk.tell(place, "turn.failed", "p-1", {"error": "overloaded"})
    talk.ask("p-2", RENAME)
    assert last(place)["tier"] == "haiku"
    talk.end("p-2")
    assert memory.last_decision(place, talk.session)[0]["has_failed"] is False


def test_the_hooks_own_word_for_a_failed_turn_counts(talk, place):
    talk.ask("p-1", DEEP)
    talk.call("StopFailure", "p-1", error="rate_limit")
    assert memory.last_decision(place, talk.session)[0]["has_failed"] is True


@pytest.mark.parametrize(("size", "tier"), [(None, "haiku"), (4_000, "haiku"), (LARGE, "sonnet")])
def test_a_change_to_a_large_file_is_not_haikus(talk, place, project, size, tier):
    if size:
        (project / "loader.py").write_bytes(b"#" * size)
    talk.ask("p-1", RENAME)
    assert last(place)["tier"] == tier
    assert ("large files are named" in last(place)["reason"]) is (tier == "sonnet")


def test_who_names_the_tier_is_not_raised_for_a_large_file(talk, place, project):
    (project / "loader.py").write_bytes(b"#" * LARGE)
    talk.ask("p-1", f"use haiku: {RENAME}")
    assert (last(place)["tier"], last(place)["override"]) == ("haiku", True)


def test_plan_mode_still_asks_for_judgement(talk, place):
    talk.ask("p-1", RENAME, permission_mode="plan")
    assert "plan mode asks for judgement" in last(place)["reason"]


@pytest.fixture
def size_of(project, place):
    def size(text, cwd=None):
        payload = {"cwd": str(cwd or project)}
        return named.size_bytes(Call(payload, {}, place, snapshot.read(place, {}), "s", 0.0), text)

    return size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("rename foo in a.py", 10),
        ("rename foo in ./a.py, and in `src/b.py`.", 30),
        ("rename foo in a.py and a.py", 10),
        ("rename foo in A.PY", 0),
        ("rename foo in missing.py", 0),
        ("see ../outside.py", 0),
        ("see /etc/passwd and ~/a.py", 0),
        ("the folder src/ and the folder pack.txt are folders", 0),
        ("read the node.js docs, e.g. those of 3.14", 0),
        ("c1.txt c2.txt c3.txt c4.txt c5.txt", 4),
        ("", 0),
        ("\0 a.py\0b \ud800 a.py", 10),
    ],
)
def test_only_files_of_the_project_are_looked_at_and_few(size_of, project, text, size):
    (project / "src").mkdir()
    (project / "pack.txt").mkdir()
    (project.parent / "outside.py").write_bytes(b"#" * 1000)
    (project / "a.py").write_bytes(b"#" * 10)
    (project / "src" / "b.py").write_bytes(b"#" * 20)
    for number in range(1, 6):
        (project / f"c{number}.txt").write_bytes(b"#")
    assert size_of(text) == size


def test_names_are_told_from_the_folder_that_the_session_is_in_too(size_of, project):
    (project / "src").mkdir()
    (project / "src" / "b.py").write_bytes(b"#" * 20)
    assert size_of("rename foo in b.py", project / "src") == 20
    assert size_of(f"rename foo in {project}/src/b.py") == 20


def test_a_pipe_is_not_waited_for(size_of, project):
    os.mkfifo(project / "a.py")
    assert size_of("rename foo in a.py") == 0
