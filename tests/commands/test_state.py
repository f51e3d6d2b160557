import json
import time

import pytest

from state import journal, session_file
from state.paths import locate, session_dir

# Document 004's own example, its `[...]` written out.
EXAMPLE = """{
  "session_id": "20260213-143000",
  "created_at": "2026-02-13T14:30:00Z",
  "updated_at": "2026-02-13T15:45:00Z",
  "project_root": "/path/to/project",
  "routing_history": [
    {
      "timestamp": "2026-02-13T14:30:00Z",
      "request_hash": "abc123...",
      "agent": "sonnet-general",
      "result": "success"
    }
  ],
  "cached_results": {
    "search_hash_xyz": {
      "query": "ME/CFS mitochondria",
      "results": ["one", {"two": 2}],
      "timestamp": "2026-02-13T14:30:00Z"
    }
  },
  "work_queue": [],
  "context": {
    "active_files": [],
    "recent_edits": [],
    "user_preferences": {}
  }
}"""


@pytest.fixture
def place(project, home):
    return locate(str(project), {"HOME": str(home)})


def decide(place, session, prompt="p", now=None):
    payload = {"hash": f"h-{prompt}", "agent": "a", "overhead_ms": 0.0}
    kind, entity = "orchestration.prompt.decided", ("prompt", prompt)
    journal.record(place, journal.event(place, kind, session, prompt, entity, payload, now or time.time()))


def test_show_brings_the_state_up_to_date(cli, place):
    decide(place, "20260213-143000")
    decide(place, "20260213-143000", "q")
    shown = json.loads(cli("state", "show", "20260213").out)
    assert [row["request_hash"] for row in shown["routing_history"]] == ["h-p", "h-q"]
    assert list(shown) == [
        "session_id",
        "created_at",
        "updated_at",
        "project_root",
        "routing_history",
        "cached_results",
        "work_queue",
        "context",
        "dropped",
    ]


def test_the_session_is_the_one_given_else_of_the_environment_else_current(cli, place, monkeypatch):
    assert cli("state", "show") == (
        3,
        "",
        "orchestrate: no session is named: give its id, see `orchestrate session list`\n",
    )
    for session in ("one", "two", "three"):
        decide(place, session)
    cli("session", "switch", "one")
    assert json.loads(cli("state", "show").out)["session_id"] == "one"
    monkeypatch.setenv("ORCHESTRATOR_SESSION", "two")
    assert json.loads(cli("state", "show").out)["session_id"] == "two"
    assert json.loads(cli("state", "show", "three").out)["session_id"] == "three"


def test_the_documents_example_is_valid(cli, tmp_path):
    path = tmp_path / "example.json"
    path.write_text(EXAMPLE)
    assert cli("state", "validate", "--file", str(path)) == (0, f"{path}: valid\n", "")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            lambda state: state["routing_history"][0].update(agent=7),
            "routing_history[0].agent: expected a string, got 7",
        ),
        (lambda state: state.pop("context"), "context: is missing"),
        (lambda state: state["context"].update(active_files="a"), 'context.active_files: expected a list, got "a"'),
        (lambda state: state.update(cached_results=[]), "cached_results: expected an object, got []"),
        (lambda state: state.update(work_queue=[{"id": "w"}]), "work_queue[0].queued_at: is missing"),
        (
            lambda state: state.update(created_at="yesterday"),
            'created_at: expected a time like 2026-02-13T14:30:00Z, got "yesterday"',
        ),
    ],
)
def test_a_wrong_field_is_named(cli, tmp_path, change, complaint):
    state = json.loads(EXAMPLE)
    change(state)
    path = tmp_path / "state.json"
    path.write_text(json.dumps(state))
    ran = cli("state", "validate", "--file", str(path))
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.splitlines()[0].startswith(f"orchestrate: {path}: {complaint}")


def test_what_is_no_json_is_named_with_its_line(cli, tmp_path):
    path = tmp_path / "state.json"
    path.write_text("{\n nope")
    assert cli("state", "validate", "--file", str(path)).err.startswith(
        f"orchestrate: {path}: line 2: not valid JSON: "
    )
    assert cli("state", "validate", "--file", f"{path}x") == (3, "", f"orchestrate: {path}x: there is no such file\n")


def test_validate_does_not_mend(cli, place):
    decide(place, "s")
    session_file.refresh(place, "s")
    path = f"{session_dir(place, 's')}/state.json"
    assert cli("state", "validate", "s") == (0, f"{path}: valid\n", "")
    with open(path, "w") as file:
        file.write("{}")
    ran = cli("state", "validate", "s")
    assert (ran.code, len(ran.err.splitlines())) == (1, 8)
    with open(path) as file:
        assert file.read() == "{}"


def test_restore_brings_a_backup_up_to_date(cli, place):
    for prompt in "abc":
        decide(place, "s", prompt)
        session_file.refresh(place, "s")
    assert cli("state", "restore", "s") == (0, "s: restored from backup 1: 3 requests\n", "")
    assert cli("state", "restore", "s", "--from-log") == (0, "s: restored from the log: 3 requests\n", "")
    ran = cli("state", "restore", "s", "--backup", "4")
    assert ran.code == 2


def test_merge_unites_two_sessions(cli, place, tmp_path):
    decide(place, "one", "a", 1e9)
    decide(place, "two", "b", 1e9 - 5)
    decide(place, "two", "a", 1e9)
    merged = json.loads(cli("state", "merge", "one", "two").out)
    assert [row["request_hash"] for row in merged["routing_history"]] == ["h-b", "h-a"]
    output = tmp_path / "merged.json"
    assert cli("state", "merge", "two", "one", "--output", str(output)).code == 0
    assert json.loads(output.read_text())["routing_history"] == merged["routing_history"]
    assert cli("state", "validate", "--file", str(output)).code == 0
    assert cli("state", "merge", "one", "nobody").code == 3


def test_the_schema_names_every_field_of_the_document(cli):
    schema = json.loads(cli("state", "schema").out)
    state = schema["$defs"]["SessionState"] if "$ref" in schema else schema
    assert set(json.loads(EXAMPLE)) == set(state["required"])
    assert set(json.loads(EXAMPLE)["routing_history"][0]) == set(schema["$defs"]["RoutingRow"]["required"])
