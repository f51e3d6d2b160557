"""A subagent starts and stops."""

from orchestrate.request.call import Call, Outcome


def started(call: Call) -> Outcome:
    return Outcome(
        "orchestration.agent.start", ("agent", call.text("agent_id")), {"agent_type": call.maybe("agent_type")}
    )


def stopped(call: Call) -> Outcome:
    payload: dict[str, object] = {
        "agent_type": call.maybe("agent_type"),
        "transcript_path": call.maybe("agent_transcript_path"),
    }
    return Outcome("orchestration.agent.end", ("agent", call.text("agent_id")), payload)
