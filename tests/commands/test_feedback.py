import json
from pathlib import Path

import pytest

from orchestrate import entry

SESSION = "9e401858-cd5a-4d55-ae9d-331d16fe93d0"


@pytest.fixture
def ask(project, home):
    """Prompts that the hook has decided, each in its session."""

    def send(*prompt_ids, session=SESSION):
        for prompt_id in (None, *prompt_ids):
            more = {"prompt_id": prompt_id, "prompt": "Fix typo in README.md"} if prompt_id else {"source": "startup"}
            name = "UserPromptSubmit" if prompt_id else "SessionStart"
            payload = {"hook_event_name": name, "session_id": session, "cwd": str(project), **more}
            env = {"HOME": str(home), "CLAUDE_PROJECT_DIR": str(project), "CLAUDE_CODE_ENTRYPOINT": "cli"}
            entry.handle(json.dumps(payload).encode(), env)

    return send


@pytest.fixture
def said(place):
    def read(session=SESSION):
        path = Path(place.state, "sessions", session, "feedback", "process.jsonl")
        lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [(line["prompt_id"], line["verdict"]) for line in lines]

    return read


@pytest.mark.parametrize("verdict", ["good", "too-weak", "too-strong"])
def test_the_last_prompt_of_the_current_session_is_meant(cli, ask, said, verdict):
    ask("p-1", "p-2")
    assert cli("feedback", verdict) == (0, f"{verdict}: haiku-general for prompt p-2\n", "")
    assert said() == [("p-2", verdict)]


def test_a_prompt_is_named_by_its_unique_beginning_in_any_session(cli, ask, said):
    ask("aaa-1", "bbb-1")
    ask("ccc-1", session="another")
    assert cli("feedback", "good", "bb").code == 0
    assert (said(), said("another")) == ([("bbb-1", "good")], [])


def test_a_session_is_named_by_its_unique_beginning(cli, ask, said):
    ask("aaa-1")
    ask("ccc-1", session="another")
    assert cli("feedback", "too-weak", "--session", "9e4").code == 0
    assert said() == [("aaa-1", "too-weak")]


@pytest.mark.parametrize(
    ("words", "err"),
    [
        (["zzz"], "prompt 'zzz': no decision is recorded here: see `orchestrate metrics ledger` for ids"),
        (["p"], "prompt 'p': 2 prompts begin so: give more of the id"),
        (["p-1", "--session", "other"], "session 'other': there is none: see `orchestrate session list`"),
    ],
)
def test_what_is_not_there_is_exit_3_and_one_line(cli, ask, said, words, err):
    ask("p-1", "p-2")
    assert cli("feedback", "good", *words) == (3, "", f"orchestrate: {err}\n")
    assert said() == []


def test_a_session_without_prompts_has_none_to_speak_of(cli, ask):
    ask()
    code, _, err = cli("feedback", "good")
    assert (code, err) == (3, f"orchestrate: session {SESSION}: no prompt was decided in it: give a PROMPT_ID\n")


def test_without_any_session_there_is_nothing_to_speak_of(cli):
    assert cli("feedback", "good").code == 3


def test_json_is_the_line_that_was_kept(cli, ask, place):
    ask("p-1")
    line = json.loads(cli("feedback", "too-strong", "--note", "a rename", "--json").out)
    path = Path(place.state, "sessions", SESSION, "feedback", "process.jsonl")
    assert json.loads(path.read_text()) == line
    assert (line["verdict"], line["note"], line["length"]) == ("too-strong", "a rename", 21)


def test_an_unknown_verdict_is_a_mistake_in_usage(cli):
    assert cli("feedback", "bad").code == 2


def test_satisfaction_is_counted_by_the_experiment(cli, ask, place):
    from metrics.facts import gather
    from metrics.ingest import ingest
    from state.store import open_store

    ask("p-1")
    cli("feedback", "good")
    with open_store(place) as store:
        ingest(place, store)
        facts = gather(store.events_between("2000", "9999"), [])
    assert [(word.session, word.verdict) for word in facts.feedback] == [(SESSION, "good")]


def test_what_the_logs_tell_is_collected_once(cli, ask, said):
    ask("p-1")
    assert cli("feedback", "collect").out == "0 new signals, 0 new failures\n"
    assert json.loads(cli("feedback", "collect", "--json").out) == {"process": 0, "tool": 0}
