"""What is near is read first: with less to read the answer is the same as from all that may be read."""

import json

import pytest

from orchestrate.request import memory
from state.paths import LOG, session_dir

PADDING = json.dumps({"type": "orchestration.other", "x": "y" * 900}).encode() + b"\n"


def decided(number):
    entry = {"v": 1, "id": f"{1000 * number:012x}0000", "prompt_id": f"p{number}", "payload": {"tier": f"t{number}"}}
    return json.dumps({**entry, "type": "orchestration.prompt.decided"}, separators=(",", ":")).encode() + b"\n"


FAILED = b'{"v":1,"type":"orchestration.turn.failed"}\n'
BROKEN = b'{"v":1,"type":"orchestration.prompt.decided", and torn\n'


@pytest.mark.parametrize(
    ("log", "number", "has_failed"),
    [
        (decided(1), 1, False),
        (decided(1) + decided(2), 2, False),
        (decided(1) + PADDING * 5, 1, False),
        (decided(1) + FAILED + PADDING * 5, 1, True),
        (decided(1) + PADDING * 30, 1, False),
        (decided(1) + FAILED + PADDING * 30, 1, True),
        (decided(1) + PADDING * 20 + decided(2) + BROKEN + FAILED, 2, True),
        (decided(1) + FAILED + PADDING * 20 + BROKEN, 1, True),
        (decided(1) + PADDING * 80, None, None),
        (b"", None, None),
    ],
)
def test_the_newest_decision_is_found_near_or_farther(place, log, number, has_failed):
    path = f"{session_dir(place, 's')}/{LOG}"
    memory.journal.make_folders(session_dir(place, "s"))
    with open(path, "wb") as file:
        file.write(log)
    found, at = memory.last_decision(place, "s")
    if number is None:
        assert (found, at) == ({}, 0.0)
    else:
        known = {"tier": f"t{number}", "prompt_id": f"p{number}", "has_failed": has_failed}
        assert (found, at) == (known, float(number))


def test_a_session_without_a_log_has_no_decision(place):
    assert memory.last_decision(place, "s") == ({}, 0.0)


@pytest.mark.parametrize("before", [0, 1, memory.NEAR - 40, memory.NEAR - 20, memory.NEAR, 200_000])
def test_the_last_model_is_found_near_or_farther(tmp_path, before):
    """`before` so many bytes from the end."""
    path = tmp_path / "transcript.jsonl"
    old, new = b'{"model":"claude-haiku-4-5"}', b'{"model":"claude-opus-5"}'
    path.write_bytes(old + b"x" * 40_000 + new + b"x" * before)
    assert memory.main_tier(str(path), {}) == "opus"
    path.write_bytes(new + b"x" * 300_000)
    assert memory.main_tier(str(path), {"ANTHROPIC_MODEL": "sonnet"}) == "sonnet"
