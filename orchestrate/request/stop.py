"""A turn ends, well or with an API error."""

from orchestrate.request.call import Call, Outcome


def ended(call: Call) -> Outcome:
    tasks = call.payload.get("background_tasks")
    payload: dict[str, object] = {
        "stop_hook_active": call.payload.get("stop_hook_active") is True,
        "background": len(tasks) if isinstance(tasks, list) else 0,
    }
    return Outcome("orchestration.turn.end", ("prompt", call.prompt_id or ""), payload)


def failed(call: Call) -> Outcome:
    return Outcome("orchestration.turn.failed", ("prompt", call.prompt_id or ""), {"error": call.maybe("error")})
