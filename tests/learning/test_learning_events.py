import os
from pathlib import Path

import pytest
from made_talk import SESSION, Talk, decided

from orchestrate.learning import events
from state.errors import UserError
from state.paths import locate


def test_events_come_in_the_order_of_their_time_whatever_the_session(talk, place, project, home):
    other = Talk(project, home, "another-session")
    for second, (session, prompt) in enumerate([(talk, "p-1"), (other, "p-2"), (talk, "p-3")]):
        session.tell(place, "prompt.decided", prompt, {"tier": "haiku"}, now=1795000000.0 + second)
    assert [told.prompt_id for told in decided(place)] == ["p-1", "p-2", "p-3"]
    assert [told.prompt_id for told in events.read([place], SESSION) if told.kind == events.DECIDED] == ["p-1", "p-3"]


def test_garbage_in_a_log_is_passed_over(talk, place):
    talk.ask("p-1", "Fix typo in README.md")
    log = Path(place.state, "sessions", SESSION, "log.jsonl")
    with log.open("ab") as file:
        file.write(b'{"type":"orchestration.prompt.decided"}\n\xff"orchestration.prompt.decided"\n')
    assert len(decided(place)) == 1


def test_a_rotated_log_is_read_too(talk, place):
    talk.ask("p-1", "Fix typo in README.md")
    log = Path(place.state, "sessions", SESSION, "log.jsonl")
    log.rename(f"{log}.1")
    talk.ask("p-2", "Fix typo in README.md")
    assert [told.prompt_id for told in decided(place)] == ["p-1", "p-2"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("p", "prompt 'p': 2 prompts begin so: give more of the id"),
        ("q", "prompt 'q': no decision is recorded here: see `orchestrate metrics ledger` for ids"),
        ("", "prompt '': no decision is recorded here: see `orchestrate metrics ledger` for ids"),
    ],
)
def test_a_prompt_that_is_none_or_several_is_not_found(talk, place, name, message):
    talk.ask("p-1", "Fix typo in README.md")
    talk.ask("p-2", "Fix typo in README.md")
    with pytest.raises(UserError) as raised:
        events.find(events.read([place]), name)
    assert (str(raised.value), raised.value.code) == (message, 3)


def test_a_prompt_is_found_by_its_unique_beginning_or_by_its_id(talk, place):
    talk.ask("p-1", "Fix typo in README.md")
    talk.ask("p-10", "Fix typo in README.md")
    told = events.read([place])
    assert [events.find(told, name).prompt_id for name in ("p-1", "p-10")] == ["p-1", "p-10"]


def test_all_projects_of_the_user_are_looked_at(project, home, tmp_path, place):
    others = [tmp_path / name for name in ("one", "two")]
    for other in others:
        (other / ".git").mkdir(parents=True)
    (others[1] / ".orchestrator").mkdir()
    Talk(project, home).ask("p-0", "Fix typo in README.md")
    Talk(others[0], home, "s-1").ask("p-1", "Fix typo in README.md")
    _settled(others[1])
    Talk(others[1], home, "s-2").ask("p-2", "Fix typo in README.md")
    told = events.read(events.places(place))
    assert sorted(each.prompt_id for each in told if each.kind == events.DECIDED) == ["p-0", "p-1", "p-2"]


def _settled(root):
    """Compile the settings of a project, as every command does."""
    from state import compiled

    (root / ".orchestrator" / "config.yaml").write_text("mode: auto\n")
    compiled.ensure_fresh(locate(str(root), dict(os.environ)))
