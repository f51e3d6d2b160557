"""From a call to an answer: decide, record, and where orchestration acts run the agent."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from orchestrate.agents import conduct, context, definitions
from orchestrate.agents.attempt import Say
from orchestrate.agents.job import Job
from orchestrate.agents.progress import Progress
from orchestrate.agents.record import Record
from orchestrate.agents.stop import Stop
from orchestrate.request import handover, mode, prompt
from orchestrate.request.call import Call, Outcome, fingerprint
from orchestrate.request.context import Context
from state import journal

if TYPE_CHECKING:
    from orchestrate.agents.judge import Judge


class Wish(NamedTuple):
    """What the user asked for beside the request itself. `by`: who names the agent; of the user alone it is an
    override, for a file that names agents goes against no decision of the router's."""

    agent: str = ""
    model: str = ""
    timeout_s: float | None = None
    context_from: Sequence[str] = ()
    files: Sequence[str] = ()
    check: Sequence[str] = ()
    by: str = "user"


NO_WISH = Wish()


def decide(
    call: Call, text: str, found: Context, chosen: mode.Mode, wish: Wish = NO_WISH, may_ask: bool = True
) -> Outcome:
    """As a hook decides, except that an agent can be started here, and a judge asked, and that the user may name it."""
    lacking = "" if handover.client(str(call.settings.values["claude_binary"]), call.env) else "cli_missing"
    is_open = may_ask and not lacking and not (wish.agent or wish.model)
    judge = _judge(call, found, chosen) if is_open else None
    outcome = prompt.routed(call, text, found, chosen, lacking, judge.over if judge else None)
    if judge and judge.verdict:
        outcome.payload["judged"] = judge.verdict.told()
    if wish.agent:
        definition = definitions.find(call.place, call.env, wish.agent)
        tier = next((tier for tier in ("haiku", "sonnet", "opus") if tier in (definition.model or "")), None)
        outcome.payload |= {
            "agent": definition.name,
            "override": wish.by == "user",
            "reason": f"the {wish.by} asked for {definition.name}",
        }
        outcome.payload["tier"] = tier or outcome.payload["tier"]
    if wish.model:
        outcome.payload |= {"tier": _tier(wish.model) or outcome.payload["tier"], "override": wish.by == "user"}
    return outcome


def _judge(call: Call, found: Context, chosen: mode.Mode) -> "Judge | None":
    """Only where the user has switched it on, nobody sits and waits, and an agent will run anyway."""
    if not call.settings.values["judge.enabled"] or chosen.mode != mode.ORCHESTRATION:
        return None
    from orchestrate.agents import judge  # noqa: PLC0415  5 ms that who has no judge does not owe
    from orchestrate.agents.ask import Asker  # noqa: PLC0415  as above

    if found.kind not in judge.CONTEXTS:
        return None
    return judge.Judge(Asker(call.place, call.env, call.settings.values, call.session))


def judged_ms(outcome: Outcome) -> float:
    """What the judge took of the time, which is no overhead of ours."""
    told = outcome.payload.get("judged")
    return float(told["took_ms"]) if isinstance(told, dict) else 0.0


def record(call: Call, outcome: Outcome, actor: str) -> None:
    prompt, together = (call.session, call.prompt_id), call.env.get(journal.CORRELATION)
    event = journal.event(call.place, outcome.kind, *prompt, outcome.entity, outcome.payload, call.now, actor, together)
    journal.record(call.place, event)


def is_to_run(outcome: Outcome) -> bool:
    return outcome.payload["rung"] == "orchestration"


def run(
    call: Call,
    text: str,
    outcome: Outcome,
    say: Say,
    progress: Progress,
    warn: Callable[[str], None],
    wish: Wish = NO_WISH,
    started_ns: int | None = None,
    within_s: float | None = None,
    stop: Stop | None = None,
) -> Record:
    payload = outcome.payload
    known = context.gather(call.place, call.session, text, wish.context_from, wish.files)
    job = Job(
        place=call.place,
        env=call.env,
        settings=call.settings.values,
        known=known,
        prompt_id=call.prompt_id or "",
        fingerprint=fingerprint(text),
        decision={name: payload[name] for name in ("agent", "tier", "confidence", "reason", "decision", "override")},
        mode=str(payload["mode"]),
        agent=str(payload["agent"]),
        tier=str(payload["tier"]),
        model=wish.model,
        is_forced=bool(wish.agent or wish.model),
        check=wish.check,
        timeout_s=wish.timeout_s,
        within_s=within_s,
        started_ns=time.monotonic_ns() if started_ns is None else started_ns,
        decided_ms=float(str(payload["overhead_ms"])),
    )
    return conduct.conduct(job, say, progress, warn, stop)


def _tier(model: str) -> str | None:
    return next((tier for tier in ("haiku", "sonnet", "opus") if tier in model), None)
