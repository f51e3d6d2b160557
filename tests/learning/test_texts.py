import pytest
from made_talk import decided

from orchestrate.learning import events, examples, signals, texts

TEXT = "Add a retry to the uploader and téste it"


def found(place):
    return [*texts.of(decided(place), events.read([place])).values()]


def test_the_text_of_a_prompt_is_read_from_the_transcript(talk, place):
    talk.ask("p-1", TEXT)
    talk.ask("p-2", "Fix typo in README.md")
    assert found(place) == [TEXT, "Fix typo in README.md"]


@pytest.mark.parametrize(
    "line",
    [
        {"type": "user", "promptId": "p-1", "message": {"role": "user", "content": [{"type": "text", "text": TEXT}]}},
        {"type": "user", "promptId": "p-1", "message": {"role": "user", "content": TEXT}, "extra": 1},
    ],
)
def test_either_form_of_a_message_is_read(talk, place, line):
    talk.call("UserPromptSubmit", "p-1", prompt=TEXT)
    talk.write(line)
    assert found(place) == [TEXT]


@pytest.mark.parametrize(
    "line",
    [
        {"type": "user", "promptId": "p-1", "message": {"role": "user", "content": "something else"}},
        {"type": "user", "promptId": "p-2", "message": {"role": "user", "content": TEXT}},
        {"type": "user", "promptId": "p-1", "isMeta": True, "message": {"role": "user", "content": TEXT}},
        {"type": "user", "promptId": ["p-1"], "message": TEXT},
        {"type": "user", "promptId": "p-1", "message": {"content": [1, {"type": "text"}]}},
        ["promptId", "user"],
    ],
)
def test_what_is_not_the_text_that_was_decided_is_not_taken(talk, place, line):
    talk.call("UserPromptSubmit", "p-1", prompt=TEXT)
    talk.write(line)
    assert found(place) == []


def test_a_transcript_that_is_gone_costs_the_text_only(talk, place):
    talk.ask("p-1", TEXT)
    talk.transcript.unlink()
    assert found(place) == []
    talk.transcript.mkdir()
    assert found(place) == []


def test_a_text_that_was_recorded_needs_no_transcript(project, home, place):
    from made_talk import Talk

    talk = Talk(project, home, ORCHESTRATOR_RECORD_PROMPTS="text")
    talk.call("UserPromptSubmit", "p-1", prompt=TEXT)
    assert found(place) == [TEXT]


@pytest.mark.parametrize(("text", "count"), [(TEXT, 1), ("yes", 0), ("hm", 0), ("do the second one", 0)])
def test_a_text_that_says_nothing_of_the_work_teaches_nothing(talk, place, text, count):
    talk.ask("p-1", text)
    labels = [signals.Label(told, frozenset(("opus",)), 1.0, ("user",)) for told in decided(place)]
    made, without = examples.made(labels, events.read([place]), examples.weights())
    assert (len(made), without) == (count, 1 - count)
