"""The text of a prompt, from the client's own transcript or from where `record_prompts: text` keeps it; never stored.

A transcript is the user's and may have been cut or rewritten: what counts is the text whose hash was recorded.
"""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from metrics.lines import json_object
from orchestrate.learning.events import SESSION_STARTED, Told
from orchestrate.request.call import fingerprint
from orchestrate.request.usage import is_prompt
from state.transcript import is_regular, text_of

LINE_MOST = 8 << 20
_PROMPT_ID, _USER = b'"promptId":"', b'"type":"user"'


def of(decided: Iterable[Told], events: Iterable[Told]) -> dict[tuple[str, str], str]:
    """By session and prompt; those whose text is nowhere are missing."""
    found: dict[tuple[str, str], str] = {}
    wanted: defaultdict[str, dict[str, Told]] = defaultdict(dict)
    for told in decided:
        text = told.payload.get("text")
        if isinstance(text, str):
            found[told.session, told.prompt_id or ""] = text
        else:
            wanted[told.session][told.prompt_id or ""] = told
    for session, path in sorted(_transcripts(events)):
        for prompt, text in _read(path, wanted.get(session, {})).items():
            found[session, prompt] = text
    return found


def _transcripts(events: Iterable[Told]) -> set[tuple[str, str]]:
    started = (told for told in events if told.kind == SESSION_STARTED)
    return {(told.session, path) for told in started if (path := told.word("transcript_path"))}


def _read(path: str, wanted: dict[str, Told]) -> dict[str, str]:
    found: dict[str, str] = {}
    if not wanted or not is_regular(path):
        return found
    try:
        with Path(path).open("rb") as file:
            while line := file.readline(LINE_MOST):
                _take(line, wanted, found)
    except OSError:
        pass
    return found


def _take(line: bytes, wanted: dict[str, Told], found: dict[str, str]) -> None:
    if _USER not in line or _PROMPT_ID not in line or not is_prompt(line):
        return
    entry = json_object(line) or {}
    prompt = entry.get("promptId")
    if not isinstance(prompt, str) or prompt not in wanted or prompt in found:
        return
    text = text_of(entry)
    if fingerprint(text)["hash"] == wanted[prompt].payload.get("hash"):
        found[prompt] = text
