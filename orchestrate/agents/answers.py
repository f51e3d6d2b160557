"""An answer in the one form that was asked for: a JSON object alone, with a choice and a reason. All else is none."""

import json
from collections.abc import Sequence

REASON_MOST = 200


def read(answer: str, key: str, choices: Sequence[str], data: str) -> tuple[str, str, str]:
    """(choice, reason, ""), else ("", "", what is wrong). `data`: what the answer is about and may not be a copy of."""
    try:
        found = json.loads(answer, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return "", "", "its answer is no JSON object alone"
    if not isinstance(found, dict) or found.keys() != {key, "reason"}:
        return "", "", f"its answer has other keys than {key} and reason"
    choice, reason = found[key], found["reason"]
    if not isinstance(choice, str) or choice not in choices:
        return "", "", f"its answer names no {key}"
    if not isinstance(reason, str) or not 0 < len(reason) <= REASON_MOST or not reason.isprintable():
        return "", "", f"its reason is no line of at most {REASON_MOST} characters"
    if key in data and (answer.strip() in data or reason in data):
        return "", "", "its answer stands in what it is about"
    return choice, reason, ""


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is given twice")
    return found
