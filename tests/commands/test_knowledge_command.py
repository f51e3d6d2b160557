import json
from pathlib import Path

import pytest
from tiers import some


def test_what_is_recorded_is_found_by_its_pattern(cli):
    recorded = cli("knowledge", "record", "api.auth", "15 minutes", "--source", "Auth.php", "--discovered-by", "w-1")
    assert (recorded.code, recorded.out.partition("  (w-1, ")[0]) == (0, "api.auth = 15 minutes")
    cli("task", "create", "TSK-001", "--title", "t")
    cli("knowledge", "record", "api.rate", '{"per_s": 5}', "--json-value", "--task", "TSK-001")
    (auth, rate) = json.loads(cli("knowledge", "get", "api.*", "--json").out)
    assert (auth["key"], auth["value"], auth["discoveredBy"], auth["source"]) == (
        "api.auth",
        "15 minutes",
        "w-1",
        "Auth.php",
    )
    assert (rate["value"], rate["discoveredBy"], rate["task"]) == ({"per_s": 5}, "user", "TSK-001")
    assert json.loads(cli("knowledge", "list", "--json").out) == [auth, rate]
    assert cli("knowledge", "list").out.splitlines()[1].startswith('api.rate = {"per_s":5}  (user, ')


def test_the_last_value_holds_and_the_history_has_all(cli):
    for value in ("a", "b"):
        cli("knowledge", "record", "k", value)
    assert cli("knowledge", "forget", "k").out == "k: forgotten\n"
    assert [line.split()[-1] for line in cli("knowledge", "get", "k", "--history").out.splitlines()] == [
        '"a"',
        '"b"',
        "forgotten",
    ]
    assert [entry.get("value") for entry in json.loads(cli("knowledge", "get", "k", "--history", "--json").out)] == [
        "a",
        "b",
        None,
    ]


def test_the_history_goes_back_into_the_archive(cli):
    for value in ("a", "b"):
        cli("knowledge", "record", "k", value)
    cli("knowledge", "record", "k2", "another")
    assert cli("events", "archive", "--older-than", "0h").code == 0
    cli("knowledge", "forget", "k")
    assert [line.split()[-1] for line in cli("knowledge", "get", "k", "--history").out.splitlines()] == [
        '"a"',
        '"b"',
        "forgotten",
    ]


def test_a_history_goes_on_past_an_archive_that_is_damaged(cli, place):
    cli("knowledge", "record", "k", "a")
    cli("events", "archive", "--older-than", "0h")
    (file,) = Path(place.state, "archive").glob("*.gz")
    file.write_bytes(b"no gzip")
    cli("knowledge", "record", "k", "b")
    found = cli("knowledge", "get", "k", "--history")
    assert (found.code, [line.split()[-1] for line in found.out.splitlines()]) == (0, ['"b"'])
    assert (found.err.count("\n"), found.err.startswith(f"orchestrate: {file}: is damaged (")) == (1, True)


@pytest.mark.parametrize(
    ("words", "code"),
    some(
        [
            (("get", "nothing.*"), 3),
            (("get", "nothing", "--history"), 3),
            (("forget", "nothing"), 3),
            (("forget", "\udcff"), 3),
            (("get", "\udcff*"), 3),
            (("record", "a*", "x"), 2),
            (("record", "", "x"), 2),
            (("record", "k", "{", "--json-value"), 2),
            (("record", "k", "x" * 70_000), 1),
            (("record", "k", "@nowhere"), 3),
            (("record", "k", "x", "--task", "a b"), 2),
            (("record", "k", "x", "--task", "TSK-9"), 3),
        ],
        4,
    ),
)
def test_a_mistake_has_its_exit_code(words, code, cli):
    found = cli("knowledge", *words)
    assert (found.code, found.out, "Traceback" in found.err) == (code, "", False)
    assert cli("knowledge", "list", "--json").out == "[]\n"


def test_a_task_that_is_not_there_is_said_to_be_none(cli):
    told = "orchestrate: TSK-9: no such task (codes are case-sensitive): `orchestrate task list`\n"
    assert cli("knowledge", "record", "k", "x", "--task", "TSK-9") == (3, "", told)
    assert cli("events", "list", "--json").out == "[]\n"


def test_of_a_value_that_is_too_large_no_figure_is_told_that_was_not_counted(cli, project):
    (project / "large").write_text("x" * 2_000_000)  # more than is read of a file
    told = "orchestrate: k: a value has at most 65536 bytes as JSON: keep it in a file, and record where that is\n"
    assert cli("knowledge", "record", "k", "@large").err == told


def test_a_secret_is_redacted_and_said_to_be(cli):
    found = cli("knowledge", "record", "k", "use sk-ant-REDACTED")
    assert "sk-ant" not in found.out
    assert found.err == "orchestrate: k: what looks like a secret in it was redacted\n"


def test_nothing_that_is_printed_steers_the_terminal(cli):
    cli("knowledge", "record", "k", "\x1b]0;x\x07 \u202e a\nb", "--source", "\x1b[2J", "--discovered-by", "\x1b[2J")
    for words in (("list",), ("get", "k"), ("get", "k", "--history")):
        assert [char for char in cli("knowledge", *words).out.rstrip("\n") if not char.isprintable()] == []
    told = cli("knowledge", "get", "no\x1b]0;x\x07\u202e\r").err
    assert (told.startswith("orchestrate: no"), told.rstrip("\n").isprintable()) == (True, True)
