"""Followed, ignored or unknown: one table of what can happen to a delegation."""

import random

import pytest

from metrics.compliance import tier_of
from metrics.facts import gather

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


def verdicts(events):
    facts = gather(events, [])
    return [facts.verdict(turn, decision) for turn in facts.turns.values() for decision in turn.decisions]


@pytest.mark.parametrize(("happened", "expected"), SITUATIONS.values(), ids=SITUATIONS)
def test_a_delegation_is_judged_by_what_ran(event, happened, expected):
    assert verdicts([event(**fields) for fields in happened]) == expected


@pytest.mark.parametrize(("happened", "expected"), SITUATIONS.values(), ids=SITUATIONS)
def test_the_order_in_which_it_is_told_does_not_matter(event, happened, expected):
    events = [event(**fields) for fields in happened]
    random.Random(1).shuffle(events)
    assert sorted(map(str, verdicts(events))) == sorted(map(str, expected))


@pytest.mark.parametrize(
    ("model", "tier"),
    [
        (HAIKU, "haiku"),
        (SONNET, "sonnet"),
        (OPUS, "opus"),
        ("opus", "opus"),
        ("us.anthropic.claude-sonnet-5-v1:0", "sonnet"),
        ("gpt-5", None),
        ("", None),
        (None, None),
    ],
)
def test_a_model_tells_its_tier_by_its_name(model, tier):
    assert tier_of(model) == tier
