"""The last model step out of the end of a transcript, whatever its state."""

import json
import time

import pytest
from tiers import some

from orchestrate.request import usage

START = 1795223066.0


def stamp(after_s):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(START + after_s)) + ".516Z"


def tokens(given=10, read=0, write=0, out=5, hour=0):
    """As the client writes it."""
    return {
        "input_tokens": given,
        "cache_creation_input_tokens": write,
        "cache_read_input_tokens": read,
        "output_tokens": out,
        "output_tokens_details": {"thinking_tokens": 0},
        "server_tool_use": {"web_search_requests": 0, "web_fetch_requests": 0},
        "service_tier": "standard",
        "cache_creation": {"ephemeral_1h_input_tokens": hour, "ephemeral_5m_input_tokens": write - hour},
        "iterations": [],
        "speed": "standard",
    }


def answer(name, after_s=0, model="claude-opus-5-5", ttl="5m", sidechain=False, **told):
    message = {"id": name, "type": "message", "role": "assistant", "model": model}
    message |= {"content": [{"type": "text", "text": "ok"}], "stop_reason": "end_turn", "usage": tokens(**told)}
    return {
        "parentUuid": "42620baf",
        "isSidechain": sidechain,
        "message": message,
        "requestedModel": model,
        "promptCacheRequested": ttl,
        "type": "assistant",
        "uuid": f"uuid {name}",
        "timestamp": stamp(after_s),
    }


def prompt(text="do it", after_s=0, **more):
    message = {"role": "user", "content": text}
    return {"isSidechain": False, "type": "user", "message": message, "timestamp": stamp(after_s), **more}


def result(after_s=0):
    content = [{"tool_use_id": "toolu_1", "type": "tool_result", "content": '"type":"assistant"'}]
    return prompt(content, after_s, toolUseResult={"stdout": "x"})


def line(entry):
    """Compact, as the client writes it."""
    return (entry if isinstance(entry, bytes) else json.dumps(entry, separators=(",", ":")).encode()) + b"\n"


COMPACTED = {"type": "system", "subtype": "compact_boundary", "isSidechain": False, "timestamp": stamp(0)}


@pytest.fixture
def read(tmp_path):
    def write(*entries):
        path = tmp_path / "session.jsonl"
        lines = [
            entry if isinstance(entry, bytes) else json.dumps(entry, separators=(",", ":")).encode()
            for entry in entries
        ]
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        return usage.last_step(str(path))

    return write


def test_the_last_step(read):
    found = read(prompt(), answer("a", 5, read=3, write=4, out=7), answer("b", 9, given=2, read=50, write=6, out=8))
    assert (found.model, found.at) == ("claude-opus-5-5", START + 9.516)
    assert (found.input, found.cache_read, found.cache_write, found.output, found.context) == (2, 50, 6, 8, 58)
    assert (found.is_1h, found.steps, found.turns, found.last_steps) == (False, 2, 1, 2)


def test_every_block_of_an_answer_is_the_same_step_and_the_last_line_counts(read):
    found = read(prompt(), answer("a", 1), answer("b", 2, out=1), result(3), answer("b", 4, out=90))
    assert (found.steps, found.last_steps, found.output, found.at) == (2, 2, 90, START + 4.516)


@pytest.mark.parametrize(
    ("entry", "is_1h"),
    [
        (answer("a"), False),
        (answer("a", ttl="1h"), True),
        (answer("a", ttl=None, write=9, hour=9), True),
        (answer("a", ttl=None, write=9), False),
    ],
)
def test_a_cache_for_an_hour(read, entry, is_1h):
    assert read(prompt(), entry).is_1h is is_1h


NOT_TYPED = [
    prompt("<task-notification>done</task-notification>"),
    prompt("<command-name>/cost</command-name>"),
    prompt("<local-command-stdout>x</local-command-stdout>"),
    prompt("<bash-input>ls</bash-input>"),
    prompt("caveat", isMeta=True),
    prompt("a summary", isCompactSummary=True),
    result(),
    answer("of an agent", sidechain=True),
    prompt("to an agent", isSidechain=True),
    {"type": "attachment", "attachment": {"type": "prompt_snapshot", "systemPrompt": ["x" * 60_000]}},
    {"type": "queue-operation", "operation": "enqueue", "content": "next"},
    {"type": "cost-state", "modelUsage": {"claude-haiku-5-5": {"inputTokens": 20}}},
    answer("an error told by the client", model="<synthetic>", given=0, out=0),
    {**answer("no usage"), "message": {"id": "x", "model": "claude-haiku-5-5"}},
    {**answer("no time"), "timestamp": "yesterday"},
    {**answer("odd"), "message": []},
    {**answer("odd"), "message": {"usage": [], "model": 3}},
    answer("vast", given=10**400, out=3),
    b'{"type":"assistant","message":{"usage":',
    b'"type":"assistant"',
    b"\xff\xfe\x00garbage",
    b"",
]


@pytest.mark.parametrize("noise", NOT_TYPED, ids=lambda noise: str(noise)[:60])
def test_what_is_no_step_and_no_prompt_changes_nothing(read, noise):
    found = read(prompt(), answer("a", 5), noise, answer("b", 9, out=8), noise)
    assert (found.turns, found.steps, found.last_steps, found.output) == (1, 2, 2, 8)


@pytest.mark.parametrize("noise", some(NOT_TYPED, 6), ids=lambda noise: str(noise)[:60])
def test_nothing_but_noise_is_no_step(read, noise):
    assert read(noise) is None


def test_a_session_in_figures(read):
    found = read(
        prompt(after_s=0),
        answer("a", 10, write=1000, out=100),
        answer("b", 30, read=1000, write=500, out=300),
        prompt(after_s=90),
        answer("c", 100, read=1500, write=100, out=200),
        prompt(after_s=160),
        answer("d", 170, read=1600, write=200, out=200),
    )
    assert (found.turns, found.steps, found.last_steps) == (3, 4, 1)
    assert found.step_s == pytest.approx((20 + 3 * 10) / 4)  # weighed against three of what is presumed
    assert found.gap_s == pytest.approx((2 * 60 + 3 * 120) / 5)
    assert found.out == pytest.approx((800 + 3 * 400) / 7)
    assert found.growth == pytest.approx((500 + 3 * 1500) / 4)


def test_the_other_models_and_what_they_saw(read):
    found = read(
        prompt(),
        answer("a", 1, model="claude-haiku-5-5", write=90_000),
        answer("b", 2, read=100, write=900),
        answer("c", 3, model="claude-sonnet-5-5", write=1500),
        answer("d", 4, read=1000, write=1000),
        answer("e", 5, read=2000, write=1000),
    )
    assert found.elsewhere == {"sonnet": (1510, START + 3.516)}  # haiku saw a history that was rewritten since


def test_after_a_compaction_there_is_no_last_step(read):
    before = [prompt(), answer("a", 1, write=90_000)]
    assert read(*before, COMPACTED, prompt("a summary", isCompactSummary=True)) is None
    found = read(*before, COMPACTED, prompt(after_s=5), answer("b", 9, write=70))
    assert (found.context, found.steps, found.turns) == (80, 1, 1)


def test_a_prompt_that_has_no_answer_yet_is_no_turn(read):
    assert read(prompt(), answer("a", 1), prompt(after_s=9)).turns == 1


def test_the_read_is_bounded(read):
    filler = {"type": "attachment", "attachment": "x" * 60_000}
    found = read(
        prompt(), answer("a", 1), prompt(after_s=50), *[answer(f"s{n}", 60 + n) for n in range(4)], filler, filler
    )
    assert (found.turns, found.steps) == (2, 5)
    found = read(prompt(), answer("a", 1), *[filler] * 5, answer("b", 9))
    assert (found.turns, found.steps, found.last_steps) == (0, 1, 1)
    assert read(prompt(), answer("a", 1), *[filler] * 5) is None


def test_no_more_than_the_last_lines_are_taken(read):
    steps = [answer(f"s{n}", n) for n in range(usage.LINES)]
    found = read(prompt(), *steps, *[b"{}"] * (usage.LINES - 7))
    assert (found.turns, found.steps) == (0, 7)


def test_a_line_that_is_too_long_is_skipped(read):
    long = answer("long", 5)
    long["message"]["content"] = "x" * usage.LINE
    assert read(prompt(), answer("a", 1, out=3), long).output == 3


@pytest.mark.parametrize("cut", [1, 40, 400])
def test_a_torn_last_line_is_not_read(tmp_path, cut):
    whole = b"".join(map(line, (prompt(), answer("a", 1, out=3), answer("b", 2, out=4))))
    path = tmp_path / "session.jsonl"
    path.write_bytes(whole[:-cut])
    assert usage.last_step(str(path)).output == 3


@pytest.mark.parametrize("name", ["missing.jsonl", "", ".", "nul\0.jsonl", "empty.jsonl"])
def test_no_transcript_is_no_step(tmp_path, name):
    (tmp_path / "empty.jsonl").touch()
    assert usage.last_step(str(tmp_path / name) if name else "") is None


@pytest.mark.parametrize("second", [0, 951_782_399, 951_868_800, 1_709_164_800, 1_795_223_066, 4_102_444_799])
def test_times(second):
    assert usage.unix(time.strftime("%Y-%m-%dT%H:%M:%S.250Z", time.gmtime(second))) == second + 0.25


@pytest.mark.parametrize("text", ["", "2026-11-21", "2026-11-21 01:04:26.516Z", "2026-11-21T01:04:26.516", "x" * 24])
def test_what_is_no_time(text):
    with pytest.raises(ValueError):
        usage.unix(text)
