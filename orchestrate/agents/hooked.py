"""The hook in orchestration mode: the agent's answer takes the place of the prompt; if anything is wrong, a directive.

Where the mod is live it gives the answer as the model's own; elsewhere the hook blocks the prompt with it. Started by
the hot hook in its own place, with the payload on stdin. It ends with 0, whatever happens.
"""

import sys
import time

from orchestrate import entry
from orchestrate.agents import answer, cache, runs
from orchestrate.agents.progress import Progress
from orchestrate.agents.record import Record
from orchestrate.hookline import EVENTS
from orchestrate.request import context, faults, fuse, live, mode, prompt, rung
from orchestrate.request.call import Call, Outcome
from state import codec
from state.errors import OK, UserError

MARGIN_S = 20.0  # the client ends a hook that is late, and with it the answer
ANSWER_MOST = 9_500  # of the 10,000 characters that the client takes


def main() -> None:
    spent_ns = time.process_time_ns()
    raw = sys.stdin.buffer.read()
    sys.stdout.buffer.write(respond(raw, entry.environment(), spent_ns))
    sys.stdout.flush()


def respond(raw: bytes, env: dict[str, str], spent_ns: int = 0) -> bytes:
    """The hook's answer: the agent's, else a directive, else nothing."""
    progress = {"where": "decode", "event": "UserPromptSubmit", "session": "", "cwd": env.get("PWD", "/")}
    started_ns = time.monotonic_ns() - spent_ns
    try:
        payload = codec.loads(raw)
        if not isinstance(payload, dict):
            raise TypeError("the payload is not an object")
        progress["where"] = "handler"
        call = entry.call_of(payload, env, progress, False)
        has_mod = live.is_mod_live(call, call.now) and rung.MOD not in fuse.read(call).blown
        outcome = _decided(call)
        key = cache.key_of(call, outcome) if answer.is_to_run(outcome) else None
        kept = cache.found(call, key)
        if kept is not None:
            outcome.payload |= cache.TOLD
        took_ms = (time.monotonic_ns() - started_ns) / 1e6 - answer.judged_ms(outcome)
        outcome.payload["overhead_ms"] = round(took_ms, 3)
        answer.record(call, outcome, "hook")
        if kept is not None:
            return _delivered(call, outcome, kept, has_mod)
        return _acted(call, outcome, key, has_mod) if answer.is_to_run(outcome) else _said(outcome.answer)
    except Exception:  # noqa: BLE001  the boundary of this program, which fails open like the hot one
        faults.report(progress, env)
        return b""


def _decided(call: Call) -> Outcome:
    settings = call.settings.values
    hour = time.localtime(call.now).tm_hour
    found = context.detect(call.env, settings, hour, context.has_workflow(call.place), presumed=True)
    return answer.decide(call, call.text("prompt"), found, mode.select(found, settings, call.env))


def _acted(call: Call, outcome: Outcome, key: str | None, has_mod: bool) -> bytes:
    silent = Progress(None, str(outcome.payload["agent"]), call.env)
    within_s = EVENTS["UserPromptSubmit"].timeout_s - MARGIN_S - answer.judged_ms(outcome) / 1000
    try:
        record = answer.run(
            call,
            call.text("prompt"),
            outcome,
            say=lambda _: None,
            progress=silent,
            warn=_tell,
            started_ns=time.monotonic_ns(),
            within_s=within_s,
        )
    except UserError as error:  # it never began: no such agent, all places taken
        _tell(str(error))
        return _said(_directive(call, outcome, "the agent was not started"))
    if record["exit_code"] != OK:
        return _said(_directive(call, outcome, record["outcome"]))
    cache.keep(call, outcome, key, record)
    return _delivered(call, outcome, _fitting(call, record), has_mod)


def _tell(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201  the client keeps a hook's stderr


def _delivered(call: Call, outcome: Outcome, text: str, has_mod: bool) -> bytes:
    """`has_mod`: as it was when the prompt came, however long the agent took."""
    told = outcome.answer or {}
    if has_mod:
        live.route(call, answer=text, status=str(outcome.payload["tier"]))
        if _is_handed_over(call, text):
            return _said(told)
    return _said({**told, **_block(text)})


def _is_handed_over(call: Call, text: str) -> bool:
    """A disk that takes nothing must not cost the answer."""
    return codec.load(f"{live.folder(call)}/{live.ROUTE}").get("answer") == text


def _block(reason: str) -> dict[str, object]:
    return {
        "decision": "block",
        "reason": reason,
        "hookSpecificOutput": {"hookEventName": "UserPromptSubmit", "suppressOriginalPrompt": True},
    }


def _fitting(call: Call, record: Record) -> str:
    text = record["answer"]
    if len(text) <= ANSWER_MOST:
        return text
    path = f"{runs.find(call.place, record['run']).folder}/{runs.ANSWER}"
    return f"{text[:ANSWER_MOST]}\n\n[the whole answer, {len(text)} characters, is in {path}]"


def _directive(call: Call, outcome: Outcome, why: str) -> dict[str, object]:
    said = prompt.directive(str(outcome.payload["agent"]), str(outcome.payload["tier"]), why, call)
    return {"hookSpecificOutput": {"hookEventName": "UserPromptSubmit", "additionalContext": said}}


def _said(answered: dict[str, object] | None) -> bytes:
    return codec.dumps(answered) if answered else b""
