"""Followed, ignored or unknown: one table of what can happen to a delegation."""

import random

import pytest

from metrics.compliance import tier_of
from metrics.facts import gather
from metrics.findings import decided as decided_in
from metrics.findings import requested as requested_in

HAIKU, SONNET, OPUS = "claude-haiku-4-5-20251001", "claude-sonnet-4-5", "claude-opus-4-1"


def decided(prompt_id="p", **payload):
    return {"kind": "prompt.decided", "prompt_id": prompt_id, **payload}


def asked(tool="t1", prompt_id="p", agent_type="haiku-general", model="haiku"):
    return {
        "kind": "spawn.requested",
        "prompt_id": prompt_id,
        "entity": ("spawn", tool),
        "tool": "Agent",
        "agent_type": agent_type,
        "model": model,
    }


def started(agent="a1", prompt_id="p", agent_type="haiku-general", session="s"):
    return {
        "kind": "agent.start",
        "prompt_id": prompt_id,
        "session": session,
        "entity": ("agent", agent),
        "agent_type": agent_type,
    }


def launched(agent="a1", prompt_id="p", agent_type="haiku-general", model=HAIKU, session="s", tool="t1"):
    return {
        "kind": "spawn.launched",
        "prompt_id": prompt_id,
        "session": session,
        "entity": ("spawn", tool),
        "agent_id": agent,
        "agent_type": agent_type,
        "model": model,
        "status": "async_launched",
    }


def finished(agent="a1", prompt_id="p"):
    return {"kind": "agent.end", "prompt_id": prompt_id, "entity": ("agent", agent), "agent_type": "haiku-general"}


def stop(prompt_id="p", session="s", background=0):
    return {"kind": "turn.end", "prompt_id": prompt_id, "session": session, "background": background}


def failed(prompt_id="p"):
    return {"kind": "turn.failed", "prompt_id": prompt_id, "error": "rate_limit"}


def notified(prompt_id="p"):
    return {"kind": "prompt.skipped", "prompt_id": prompt_id, "length": 500}


def orchestrated(**payload):
    return decided(mode="orchestration", rung="orchestration", **payload)


def run_started(run="r-1", prompt_id="p", agent="haiku-general", session="s"):
    entity = ("run", run)
    return {"kind": "run.started", "prompt_id": prompt_id, "session": session, "entity": entity, "agent": agent}


def ran(run="r-1", prompt_id="p", agent="haiku-general", model=HAIKU, outcome="ok", session="s"):
    return {
        "kind": "run.finished",
        "prompt_id": prompt_id,
        "session": session,
        "entity": ("run", run),
        "agent": agent,
        "model_requested": "haiku",
        "model_served": model,
        "outcome": outcome,
    }


SITUATIONS = {
    "the agent ran": ([decided(), asked(), started(), launched(), finished(), stop()], ["followed"]),
    "the agent runs, its turn is not over": ([decided(), started(), launched()], ["followed"]),
    "nothing yet": ([decided()], ["unknown"]),
    "asked for, nothing more yet": ([decided(), asked()], ["unknown"]),
    "answered by itself": ([decided(), stop()], ["ignored"]),
    "asked for and refused by the user": ([decided(), asked(), stop()], ["ignored"]),
    "another agent": ([decided(), started(agent_type="Explore"), launched(agent_type="Explore"), stop()], ["ignored"]),
    "another agent, turn not over": ([decided(), launched(agent_type="Explore")], ["unknown"]),
    "another agent, its model unknown": ([decided(), started(agent_type="Explore"), stop()], ["ignored"]),
    "the right agent on a wrong model": ([decided(), started(), launched(model=OPUS), stop()], ["ignored"]),
    "the right agent on a wrong model, turn not over": ([decided(), started(), launched(model=OPUS)], ["unknown"]),
    "the right model, another agent": ([decided(), launched(agent_type="general-purpose"), stop()], ["ignored"]),
    "the right agent, nobody told its model": ([decided(), started(), finished(), stop()], ["unknown"]),
    "launched without a model": ([decided(), launched(model=None), stop()], ["unknown"]),
    "a model whose id does not tell": ([decided(), launched(model="arn:aws:profile/x1"), stop()], ["unknown"]),
    "the agent of a plugin": ([decided(), launched(agent_type="orchestrate:haiku-general"), stop()], ["followed"]),
    "a plugin's agent was decided on": ([decided(agent="orchestrate:haiku-general"), launched(), stop()], ["followed"]),
    "a name that only ends alike": ([decided(), launched(agent_type="my-haiku-general"), stop()], ["ignored"]),
    "a name in other letters": ([decided(), launched(agent_type="Haiku-General"), stop()], ["ignored"]),
    "two agents, one of them right": (
        [decided(), launched("a1", agent_type="Explore", model=SONNET), launched("a2"), stop()],
        ["followed"],
    ),
    "one on a wrong model, one unknown": (
        [decided(), launched("a1", model=OPUS), started("a2"), stop()],
        ["unknown"],
    ),
    "the right names on two agents": (
        [decided(), launched("a1", model=OPUS), launched("a2", agent_type="Explore"), stop()],
        ["ignored"],
    ),
    "launched without an agent id": ([decided(), launched(agent=None), stop()], ["followed"]),
    "a background agent that ends after the turn": (
        [decided(), started(), launched(), stop(background=1), finished(), notified(), stop()],
        ["followed"],
    ),
    "an agent started after the first end of the turn": (
        [decided(), stop(background=1), notified(), started(), launched(), stop()],
        ["followed"],
    ),
    "the same prompt fires again for a task": ([decided(), notified(), stop()], ["ignored"]),
    "only the task's notification": ([notified(), stop()], []),
    "two prompts, each its own agent": (
        [
            decided("p1"),
            launched("a1", "p1"),
            stop("p1"),
            decided("p2", agent="opus-general", tier="opus"),
            launched("a2", "p2", agent_type="opus-general", model=OPUS),
            stop("p2"),
        ],
        ["followed", "followed"],
    ),
    "two prompts, the agent of the other": (
        [decided("p1"), stop("p1"), decided("p2"), launched("a1", "p2"), stop("p2")],
        ["ignored", "followed"],
    ),
    "the agent of another session": (
        [decided(), launched(session="t"), stop(), stop(session="t")],
        ["ignored"],
    ),
    "the end of another session's turn": ([decided(), stop(session="t")], ["unknown"]),
    "an agent of an earlier prompt taken up again": (
        [
            decided("p1"),
            started("a1", "p1"),
            launched("a1", "p1"),
            stop("p1"),
            decided("p2"),
            started("a1", "p2"),
            stop("p2"),
        ],
        ["followed", "followed"],
    ),
    "the API failed before anything ran": ([decided(), failed()], ["ignored"]),
    "the API failed under the right agent": ([decided(), started(), launched(), failed()], ["followed"]),
    "the API failed and nobody told the model": ([decided(), started(), failed()], ["unknown"]),
    "decided to stay": ([decided(action="stay"), stop()], [None]),
    "decided to stay, the agent ran all the same": ([decided(action="stay"), launched(), stop()], [None]),
    "nobody was told, with enforcement off": ([decided(rung="none"), stop()], [None]),
    "degraded orchestration, followed in directive mode": (
        [decided(mode="directive", degraded="cli_missing"), launched(), stop()],
        ["followed"],
    ),
    "orchestration ran the agent": (
        [decided(mode="orchestration", rung="orchestration"), launched(), stop()],
        ["followed"],
    ),
    "our run of the agent ended well": ([orchestrated(), run_started(), ran()], ["followed"]),
    "our run ended well, nobody told that it began": ([orchestrated(), ran()], ["followed"]),
    "our run ended well, and the turn too": ([orchestrated(), run_started(), ran(), stop()], ["followed"]),
    "our run goes on": ([orchestrated(), run_started()], ["unknown"]),
    "our run was killed, and the turn ended": ([orchestrated(), run_started(), stop()], ["unknown"]),
    "our run fell back to another tier": ([orchestrated(), run_started(), ran(model=SONNET)], ["ignored"]),
    "our run was escalated to another agent": (
        [orchestrated(), run_started(), ran(agent="opus-general", model=OPUS)],
        ["ignored"],
    ),
    "our run failed on the decided tier": ([orchestrated(), run_started(), ran(outcome="max_turns")], ["unknown"]),
    "our run failed on another tier": ([orchestrated(), ran(model=OPUS, outcome="max_turns")], ["ignored"]),
    "our run failed and no model answered": ([orchestrated(), ran(model=None, outcome="cli_missing")], ["unknown"]),
    "our run failed, no model answered, the turn ended": (
        [orchestrated(), ran(model=None, outcome="timeout"), stop()],
        ["unknown"],
    ),
    "our run was answered by a model whose id does not tell": ([orchestrated(), ran(model="arn:x1")], ["unknown"]),
    "our run of another agent": ([orchestrated(), ran(agent="Explore")], ["ignored"]),
    "our run of a plugin's agent": ([orchestrated(agent="orchestrate:haiku-general"), ran()], ["followed"]),
    "our run failed and was run again": (
        [orchestrated(), ran("r-1", outcome="timeout"), run_started("r-2"), ran("r-2")],
        ["followed"],
    ),
    "our run fell back, another goes on": ([orchestrated(), ran("r-1", model=OPUS), run_started("r-2")], ["unknown"]),
    "our run of another prompt": ([orchestrated(), ran(prompt_id="q")], ["unknown"]),
    "our run of another session": ([orchestrated(), ran(session="t")], ["unknown"]),
    "our run of what might have stayed": ([orchestrated(action="stay"), ran()], ["followed"]),
    "our run failed, then the directive was followed": (
        [orchestrated(), ran(outcome="timeout"), started(), launched(), stop()],
        ["followed"],
    ),
    "our run failed, and a directive was said instead": (
        [decided(degraded="run_failed"), ran(outcome="timeout"), stop()],
        ["ignored"],
    ),
    "an override counts as any": ([decided(override=True), stop()], ["ignored"]),
    "an escalation counts as any": (
        [
            decided(decision="escalate", agent="opus-general", tier="opus"),
            launched(agent_type="opus-general", model=OPUS),
            stop(),
        ],
        ["followed"],
    ),
    "a prompt without an id joins nothing": ([decided(None), launched(prompt_id=None), stop(None)], ["unknown"]),
    "a decision without its agent": ([decided(agent=None, tier=None), launched(), stop()], ["ignored"]),
}


def verdicts(facts):
    return [one.finding.verdict if one.finding else None for one in decided_in(facts)]


@pytest.mark.parametrize(("happened", "expected"), SITUATIONS.values(), ids=SITUATIONS)
def test_a_delegation_is_judged_by_what_ran(event, happened, expected):
    assert verdicts(gather([event(**fields) for fields in happened], [])) == expected


@pytest.mark.parametrize(("happened", "expected"), SITUATIONS.values(), ids=SITUATIONS)
def test_the_order_in_which_it_is_told_does_not_matter(event, happened, expected):
    events = [event(**fields) for fields in happened]
    random.Random(1).shuffle(events)
    assert sorted(map(str, verdicts(gather(events, [])))) == sorted(map(str, expected))


def main_set(**payload):
    return decided(action="stay", rung="mod", main_model="haiku", **payload)


def agent(agent="a1", agent_type="haiku-general", tool="t1", **fields):
    return {"agent_id": agent, "agent_type": agent_type, "tool_use_id": tool, **fields}


# What the events tell, what the transcripts tell as (model, fields), and the verdicts by events alone and by both.
IN_TRANSCRIPTS = {
    "the agent ran": ([decided(), launched(), stop()], [(HAIKU, agent())], "followed", "followed"),
    "the transcripts do not tell of this prompt": (
        [decided(), launched(), stop()],
        [(OPUS, agent(prompt_id="q", agent="a2"))],
        "followed",
        "followed",
    ),
    "the agent was served by another tier than was resolved": (
        [decided(), launched(), stop()],
        [(OPUS, agent())],
        "followed",
        "ignored",
    ),
    "the agent was resolved to another tier than served": (
        [decided(), launched(model=OPUS), stop()],
        [(HAIKU, agent())],
        "ignored",
        "followed",
    ),
    "the agent changed its model on the way": (
        [decided(), launched(), stop()],
        [(HAIKU, agent()), (SONNET, agent()), (HAIKU, agent())],
        "followed",
        "ignored",
    ),
    "nobody told the model, the transcripts do": (
        [decided(), started(), stop()],
        [(HAIKU, agent())],
        "unknown",
        "followed",
    ),
    "no event told of the agent": ([decided(), stop()], [(OPUS, {}), (HAIKU, agent())], "ignored", "followed"),
    "answered by itself": ([decided(), stop()], [(OPUS, {})], "ignored", "ignored"),
    "answered by itself on the decided tier": ([decided(), stop()], [(HAIKU, {})], "ignored", "ignored"),
    "another agent on the decided tier": (
        [decided(), stop()],
        [(HAIKU, agent(agent_type="Explore"))],
        "ignored",
        "ignored",
    ),
    "the transcripts know a model whose id does not tell": (
        [decided(), launched(), stop()],
        [("arn:x1", agent())],
        "followed",
        "followed",
    ),
    "the client wrote the message itself": ([decided(), launched(), stop()], [(None, agent())], "followed", "followed"),
    "an agent's message without a type": (
        [decided(), launched(), stop()],
        [(OPUS, agent(agent_type=None))],
        "followed",
        "ignored",
    ),
    "the transcripts of another session": (
        [decided(), launched(), stop()],
        [(OPUS, agent(session="t"))],
        "followed",
        "followed",
    ),
    "an agent taken up again for another prompt, on another model": (
        [decided(), launched(), stop()],
        [(HAIKU, agent()), (OPUS, agent(prompt_id="p2"))],
        "followed",
        "followed",
    ),
    "an agent whose messages name another prompt": (
        [decided(), launched(), stop()],
        [(HAIKU, {}), (OPUS, agent(prompt_id="p2"))],
        "followed",
        "ignored",
    ),
    "our run, whose transcript nobody reads": ([orchestrated(), ran()], [], "followed", "followed"),
    "our run failed, an agent of the transcripts did it": (
        [orchestrated(), ran(outcome="timeout"), stop()],
        [(HAIKU, agent())],
        "unknown",
        "followed",
    ),
    "the main thread was served as set": ([main_set(), stop()], [(HAIKU, {}), (HAIKU, {})], "unknown", "followed"),
    "the main thread was set to an id": (
        [main_set() | {"main_model": "gw-1"}, stop()],
        [("gw-1", {})],
        "unknown",
        "followed",
    ),
    "the main thread was set to an id, another of its tier served": (
        [main_set() | {"main_model": "claude-haiku-9"}, stop()],
        [(HAIKU, {})],
        "unknown",
        "followed",
    ),
    "the main thread was set to another tier than the prompt's": (
        [main_set() | {"main_model": "sonnet"}, stop()],
        [(SONNET, {})],
        "unknown",
        "followed",
    ),
    "the main thread was set for what might have been delegated": (
        [main_set() | {"action": "delegate"}, launched(), stop()],
        [(SONNET, {}), (HAIKU, agent())],
        "unknown",
        "ignored",
    ),
    "another tier served the main thread": ([main_set(), stop()], [(SONNET, {})], "unknown", "ignored"),
    "another tier served one of its steps": (
        [main_set(), stop()],
        [(HAIKU, {}), (OPUS, {}), (HAIKU, {})],
        "unknown",
        "ignored",
    ),
    "a step of the main thread does not tell its tier": (
        [main_set(), stop()],
        [(HAIKU, {}), ("arn:x1", {})],
        "unknown",
        "unknown",
    ),
    "the main thread's turn goes on": ([main_set()], [(HAIKU, {})], "unknown", "unknown"),
    "the main thread's turn goes on, on another tier": ([main_set()], [(OPUS, {})], "unknown", "unknown"),
    "the main thread's turn ended in an error": ([main_set(), failed()], [(HAIKU, {})], "unknown", "followed"),
    "nothing tells of the main thread": ([main_set(), stop()], [], "unknown", "unknown"),
    "only an agent of the main thread's prompt is told of": (
        [main_set(), stop()],
        [(OPUS, agent())],
        "unknown",
        "unknown",
    ),
    "an agent on another tier beside the main thread": (
        [main_set(), stop()],
        [(HAIKU, {}), (OPUS, agent())],
        "unknown",
        "followed",
    ),
    "the client's message on the main thread": ([main_set(), stop()], [(None, {}), (HAIKU, {})], "unknown", "followed"),
    "the main thread of another prompt": ([main_set(), stop()], [(OPUS, {"prompt_id": "q"})], "unknown", "unknown"),
    "a side chain without an agent": ([main_set(), stop()], [(OPUS, {"is_sidechain": True})], "unknown", "unknown"),
    "a dearer model than any tier": (
        [
            decided(agent="opus-general", tier="opus"),
            stop(),
            launched(agent_type="opus-general", model="claude-fable-5"),
        ],
        [],
        "ignored",
        "ignored",
    ),
}


@pytest.mark.parametrize(("happened", "told", "by_events", "by_both"), IN_TRANSCRIPTS.values(), ids=IN_TRANSCRIPTS)
def test_the_transcripts_count_where_they_tell(event, message, happened, told, by_events, by_both):
    events = [event(**fields) for fields in happened]
    served = [message(model, **fields) for model, fields in told]
    for seed in range(3):
        random.Random(seed).shuffle(events)
        random.Random(seed).shuffle(served)
        [one] = decided_in(gather(events, [], served))
        assert (one.finding.by_events, one.finding.verdict) == (by_events, by_both)


def spawned(rung="rewrite", tier="haiku", model_set="haiku", tool="t1", **fields):
    return asked(tool) | {"tier": tier, "rung": rung, "model_set": model_set, **fields}


# As above; None where a spawn is only counted.
SPAWNS = {
    "launched as decided": ([spawned(), launched()], [], ("followed", "followed")),
    "launched by the mod as decided": ([spawned("mod"), launched()], [], ("followed", "followed")),
    "launched on another tier": ([spawned(), launched(model=OPUS)], [], ("ignored", "ignored")),
    "never launched": ([spawned(), stop()], [], ("unknown", "unknown")),
    "launched without a model": ([spawned(), launched(model=None)], [], ("unknown", "unknown")),
    "launched on a model whose id does not tell": ([spawned(), launched(model="arn:x1")], [], ("unknown", "unknown")),
    "launched on the very id that was set": (
        [spawned(model_set="gw-1"), launched(model="gw-1")],
        [],
        ("followed", "followed"),
    ),
    "launched on another version of its tier": (
        [spawned(model_set="claude-haiku-9"), launched()],
        [],
        ("followed", "followed"),
    ),
    "served as decided": ([spawned(), launched()], [(HAIKU, agent())], ("followed", "followed")),
    "resolved as decided, served by another": ([spawned(), launched()], [(SONNET, agent())], ("followed", "ignored")),
    "resolved to another, served as decided": (
        [spawned(), launched(model=OPUS)],
        [(HAIKU, agent())],
        ("ignored", "followed"),
    ),
    "served by two tiers": ([spawned(), launched()], [(HAIKU, agent()), (OPUS, agent())], ("followed", "ignored")),
    "no event of its launch, the transcripts know the call": (
        [spawned()],
        [(HAIKU, agent(agent="a9"))],
        ("unknown", "followed"),
    ),
    "the transcripts know the agent, not the call": (
        [spawned(), launched(model=None)],
        [(HAIKU, agent(tool=None))],
        ("unknown", "followed"),
    ),
    "served by what does not tell": ([spawned(), launched()], [("arn:x1", agent())], ("followed", "followed")),
    "of another call": ([spawned(), launched()], [(OPUS, agent("a2", tool="t2"))], ("followed", "followed")),
    "of another session": ([spawned(), launched()], [(OPUS, agent(session="t"))], ("followed", "followed")),
    "served under a later prompt": ([spawned(), launched()], [(OPUS, agent(prompt_id=None))], ("followed", "ignored")),
    "left alone": ([spawned("none"), launched(model=OPUS)], [(OPUS, agent())], None),
    "left alone, with nothing decided": ([spawned("none", None, None), launched()], [], None),
    "of an older version, which told no rung": ([asked(), launched()], [], None),
}


@pytest.mark.parametrize(("happened", "told", "expected"), SPAWNS.values(), ids=SPAWNS)
def test_a_spawn_is_judged_by_what_it_was_launched_and_served_with(event, message, happened, told, expected):
    events = [event(**fields) for fields in happened]
    served = [message(model, **fields) for model, fields in told]
    for seed in range(3):
        random.Random(seed).shuffle(events)
        random.Random(seed).shuffle(served)
        [one] = requested_in(gather(events, [], served))
        found = (one.finding.by_events, one.finding.verdict) if one.finding else None
        assert found == expected


def test_the_agents_of_a_workflow_are_counted_and_nothing_tells_which_is_which(event, message):
    call = {"prompt_id": None, "tool": "WorkflowAgent"}
    events = [
        event(**spawned("none", None, None) | {"tool": "Workflow"}),
        event(**spawned("mod") | call),
        event(**spawned("mod", "opus", "opus") | call),
    ]
    served = [message(model, **agent(name, tool=None)) for model, name in ((HAIKU, "a1"), (OPUS, "a2"))]
    found = [one.finding.verdict for one in requested_in(gather(events, [], served)) if one.finding]
    assert (len(requested_in(gather(events, [], served))), found) == (3, ["unknown", "unknown"])


def test_a_launch_that_nobody_asked_for_is_no_spawn_of_ours(event):
    assert requested_in(gather([event(**launched())], [])) == []


@pytest.mark.parametrize(
    ("model", "tier"),
    [
        (HAIKU, "haiku"),
        (SONNET, "sonnet"),
        (OPUS, "opus"),
        ("opus", "opus"),
        ("claude-fable-5-2", "fable"),
        ("us.anthropic.claude-sonnet-5-v1:0", "sonnet"),
        ("gpt-5", None),
        ("", None),
        (None, None),
    ],
)
def test_a_model_tells_its_tier_by_its_name(model, tier):
    assert tier_of(model) == tier
