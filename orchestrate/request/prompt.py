"""A prompt: context, mode, decision, the strongest rung there is, one record."""

import time

from orchestrate.request import context, memory, mode, plans, rung
from orchestrate.request.call import Call, Outcome, fingerprint
from state import snapshot
from state.paths import exists

TYPE_CHECKING = False  # as in typing, which costs more than the whole hook
if TYPE_CHECKING:
    from collections.abc import Callable

    from routing import routing_core
    from routing.correction import Correction

    Judge = Callable[[str, routing_core.Situation, routing_core.Decision], routing_core.Decision]

# What the client itself writes where a prompt would stand.
MACHINE_MADE = (
    ("<task-notification>", "task_notification"),
    ("<command-name>", "slash_command"),
    ("<command-message>", "slash_command"),
    ("<local-command-", "slash_command"),
    ("<bash-", "slash_command"),
)
_NAME = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-:."
SCORED = 8192


def submitted(call: Call) -> Outcome:
    text = call.text("prompt")
    kind = "nested" if call.is_nested else machine_made(text)
    if kind:
        entity = ("prompt", call.prompt_id or "")
        return Outcome("orchestration.prompt.skipped", entity, {"kind": kind, **fingerprint(text)})
    settings = call.settings.values
    hour = time.localtime(call.now).tm_hour
    here = context.detect(call.env, settings, hour, context.has_workflow(call.place), presumed=True)
    chosen = mode.select(here, settings, call.env)
    lacking = "cli_missing"
    if chosen.mode == mode.ORCHESTRATION and call.is_alone:
        from orchestrate.request import handover

        lacking = handover.go(call)
    return routed(call, text, here, chosen, lacking)


def routed(
    call: Call, text: str, here: context.Context, chosen: mode.Mode, lacking: str, judge: "Judge | None" = None
) -> Outcome:
    """The decision, the rung that acts on it and the record of both. `lacking`: why no agent can be started, if so."""
    last, decided_at = memory.last_decision(call.place, call.session)
    decision, failure, facts = decide(call, text, last, decided_at, judge)
    runs = not lacking and chosen.mode == mode.ORCHESTRATION
    plan = plans.made(call, decision, chosen, facts["main_tier"], runs, last, decided_at)
    agent = decision.agents.get(plan.tier) or agent_name(plan.tier, call)
    payload = {
        **fingerprint(text),
        **({"text": text[:SCORED]} if call.settings.values["record_prompts"] == "text" else {}),
        "context": here.kind,
        "mode": mode.ORCHESTRATION if runs else mode.DIRECTIVE,
        "mode_chosen": chosen.mode,
        "mode_source": chosen.source,
        "mode_reason": chosen.reason,
        "signals": here.signals(),
        "degraded": lacking if chosen.mode == mode.ORCHESTRATION and lacking else "routing_failed" if failure else None,
        **decision.as_dict(),
        "agent": agent,
        **plan.as_dict(),
        "permission_mode": call.maybe("permission_mode"),
        "arm": _arm(call),
        **facts,
    }
    said = directive(agent, plan.tier, decision.reason, call) if plan.rung == "directive" else ""
    tasks = snapshot.phase_file(call.place)
    if exists(tasks):
        from orchestrate.request import phase

        payload["task"], line = phase.told(call, tasks, nonce(call))
        said = f"{line}\n{said}".strip() if chosen.ceiling != rung.OFF and not runs else said
    return Outcome(
        "orchestration.prompt.decided", ("prompt", call.prompt_id or ""), payload, _answer(said, plan.notice)
    )


def _arm(call: Call) -> str | None:
    if not call.settings.values["ab.enabled"]:
        return None
    from orchestrate.request import arms

    return arms.arm_of(call.settings, call.session)


def _answer(said: str, notice: str) -> dict[str, object] | None:
    """`said` is for the model, `notice` for the user."""
    answer: dict[str, object] = {"systemMessage": notice} if notice else {}
    if said:
        answer["hookSpecificOutput"] = {"hookEventName": "UserPromptSubmit", "additionalContext": said}
    return answer or None


def machine_made(text: str) -> str:
    """The kind of a prompt that no person typed for the model, else nothing."""
    head = text.lstrip()
    if not head:
        return "empty"
    for prefix, kind in MACHINE_MADE:
        if head.startswith(prefix):
            return kind
    if head[0] == "/":
        word = head[1:].split(None, 1)[:1]
        name = word[0].encode("utf-8", "replace") if word and head[1:2].strip() else b""
        if name and not name.translate(None, _NAME):
            return "slash_command"
    return ""


def decide(
    call: Call, text: str, last: dict[str, object], decided_at: float, judge: "Judge | None" = None
) -> "tuple[routing_core.Decision, str, dict[str, object]]":
    """The router's answer, or its fallback when the router itself fails; with the facts of the situation. `judge` is
    asked where the router abstains."""
    from routing import routing_core  # 0.5 ms that a notification does not owe

    main_tier = memory.main_tier(call.text("transcript_path"), call.env)
    turn = last.get("turn")
    turn = turn + 1 if isinstance(turn, int) else 1
    last_tier = last.get("tier")
    facts: dict[str, object] = {"main_tier": main_tier, "turn": turn}
    try:
        situation = routing_core.Situation(
            main_tier=main_tier,
            last_tier=last_tier if isinstance(last_tier, str) else None,
            last_age_s=call.now - decided_at if last else None,
            turn=turn - 1,
            last_failed=last.get("has_failed") is True,
            permission_mode=call.maybe("permission_mode"),
        )
        correction = memory.correction(call.place)
        if correction:
            facts["correction"] = correction.id
        decision = routing_core.decide(text, situation, correction)
        if not decision.override:
            changed = _with_sizes if decision.tier == "haiku" else _stepped
            decision = changed(call, text, situation, correction, decision)
        if judge and decision.abstained:
            decision = judge(text, situation, decision)
        if snapshot.has_rules(call.place):
            from orchestrate.request import own_rules

            decision = own_rules.over(call, text, situation, decision)
            facts["rules"] = decision.rules or []
        return decision, "", facts
    except Exception as error:  # noqa: BLE001  whatever breaks in the router, the prompt still gets its default agent
        failure = f"{type(error).__name__}: {error}"
        return routing_core.fallback(failure[:200]), failure, facts


def _with_sizes(
    call: Call,
    text: str,
    situation: "routing_core.Situation",
    correction: "Correction | None",
    decision: "routing_core.Decision",
) -> "routing_core.Decision":
    """Of large files that are named, which only change what would be haiku's."""
    from orchestrate.request import named
    from routing import routing_core

    situation.named_bytes = named.size_bytes(call, text)
    is_large = situation.named_bytes > routing_core.LARGE_BYTES
    return routing_core.decide(text, situation, correction) if is_large else decision


def _stepped(
    call: Call,
    text: str,
    situation: "routing_core.Situation",
    correction: "Correction | None",
    decision: "routing_core.Decision",
) -> "routing_core.Decision":
    """One tier down, where its class of work was let do so."""
    path = memory.steps(call.place)
    if not path or not exists(path):
        return decision
    from orchestrate.request import stepped

    return stepped.over(path, text, situation, correction, decision)


def agent_name(tier: str, call: Call) -> str:
    """The agent that the client knows: a plugin's agents carry the plugin's name unless the user named another."""
    name = str(call.settings.values[f"agents.{tier}"])
    return f"orchestrate:{name}" if "CLAUDE_PLUGIN_ROOT" in call.env and name == f"{tier}-general" else name


def directive(agent: str, tier: str, reason: str, call: Call) -> str:
    return (
        f"[orchestrate {nonce(call)}] Route: {agent} ({reason}). Hand this request to the {agent} agent "
        f'(Agent tool, subagent_type "{agent}", model "{tier}") with all it needs to know, and relay its result. '
        f"Answer yourself only if that agent is not available."
    )


def nonce(call: Call) -> str:
    """The session's own mark: text in a file or a page cannot know it."""
    import _blake2

    return _blake2.blake2b(
        f"{call.place.project}/{call.session}".encode("utf-8", "surrogatepass"), digest_size=3
    ).hexdigest()
