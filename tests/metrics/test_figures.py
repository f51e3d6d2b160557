"""From events to the figures of a report."""

import pytest

from metrics.facts import gather
from metrics.figures import by, percentile, total
from state.store import HookError

EMPTY = {
    "decisions": 0,
    "delegations": 0,
    "followed": 0,
    "ignored": 0,
    "unknown": 0,
    "rate": None,
    "coverage": None,
    "stays": 0,
    "escalations": 0,
    "abstains": 0,
    "overrides": 0,
    "override_rate": None,
    "degraded": 0,
    "agents_finished": 0,
    "agents_failed": 0,
    "agents_unknown": 0,
    "agent_success": None,
    "overhead_mean_ms": None,
    "overhead_p50_ms": None,
    "overhead_p95_ms": None,
    "overhead_p99_ms": None,
}
EMPTY_TOTAL = {
    **EMPTY,
    **dict.fromkeys(["mains", "main_followed", "main_ignored", "main_unknown"], 0),
    **dict.fromkeys(["main_rate", "main_coverage"]),
    **dict.fromkeys(["spawns", "spawns_set", "spawn_followed", "spawn_ignored", "spawn_unknown"], 0),
    **dict.fromkeys(["spawn_rate", "spawn_coverage"]),
    **dict.fromkeys(["served_as_decided", "served_coverage"]),
    "compared": 0,
    "disagreements": None,
    **dict.fromkeys(["step_downs", "stand_ins", "blown_fuses", "main_switches"]),
    "skipped": 0,
    "event_overhead_mean_ms": None,
    "event_overhead_p50_ms": None,
    "event_overhead_p95_ms": None,
    "event_overhead_p99_ms": None,
    "events": 0,
    "errors": 0,
    "error_rate": None,
    "persistence_failures": 0,
    "persistence_failure_rate": None,
}


HAIKU, OPUS = "claude-haiku-4-5", "claude-opus-4-1"


def figures(*events, errors=(), served=()):
    return total(gather(events, errors, served))


def changed(found, base):
    return {name: value for name, value in found.items() if value != base[name]}


def test_a_share_of_nothing_is_no_number():
    assert figures() == EMPTY_TOTAL


def test_every_figure_of_a_decision(event):
    found = figures(
        event("prompt.decided", prompt_id="p1"),
        event("turn.end", prompt_id="p1"),
        event("prompt.decided", prompt_id="p2", degraded="cli_missing", abstained=True),
        event("prompt.decided", prompt_id="p3", action="stay", decision="escalate", override=True),
        event("prompt.skipped", prompt_id="p3", length=3),
    )
    assert changed(found, EMPTY_TOTAL) == {
        "decisions": 3,
        "delegations": 2,
        "ignored": 1,
        "unknown": 1,
        "rate": 0.0,
        "coverage": 0.5,
        "served_as_decided": 0.0,
        "served_coverage": 0.5,
        "stays": 1,
        "escalations": 1,
        "abstains": 1,
        "overrides": 1,
        "override_rate": 0.333333,
        "degraded": 1,
        "skipped": 1,
        "events": 5,
        "error_rate": 0.0,
        "persistence_failure_rate": 0.0,
        **dict.fromkeys([f"overhead_{key}_ms" for key in ("mean", "p50", "p95", "p99")], 10.0),
        **dict.fromkeys([f"event_overhead_{key}_ms" for key in ("mean", "p50", "p95", "p99")], 10.0),
    }


def agent(event, key, *kinds, prompt_id="p"):
    """What is told of one agent, in the order given."""
    for kind in kinds:
        if kind in ("async_launched", "completed"):
            spawn = ("spawn", f"t{key}")
            yield event("spawn.launched", prompt_id=prompt_id, entity=spawn, agent_id=key, model=None, status=kind)
        else:
            yield event(kind, prompt_id=prompt_id, entity=("agent", key), agent_type="x")


@pytest.mark.parametrize(
    ("kinds", "turn", "outcome"),
    [
        (("agent.start", "agent.end"), "turn.end", "finished"),
        (("agent.start", "agent.end", "agent.end"), "turn.end", "finished"),
        (("agent.start", "async_launched", "agent.end"), "turn.failed", "finished"),
        (("agent.start", "completed"), "turn.end", "finished"),
        (("agent.start",), "turn.failed", "failed"),
        (("async_launched",), "turn.failed", "failed"),
        (("agent.start",), "turn.end", "unknown"),
        (("agent.start", "async_launched"), "turn.end", "unknown"),
        (("agent.end",), "turn.end", None),
    ],
)
def test_an_agent_has_finished_or_failed_or_nobody_knows(event, kinds, turn, outcome):
    found = figures(*agent(event, "a", *kinds), event(turn))
    told = {name: found[f"agents_{name}"] for name in ("finished", "failed", "unknown")}
    assert told == {name: int(name == outcome) for name in told}
    assert found["agent_success"] == {"finished": 1.0, "failed": 0.0}.get(outcome)


def test_agent_success_leaves_out_what_nobody_knows(event):
    events = [
        *(made for key in "abc" for made in agent(event, key, "agent.start", "agent.end", prompt_id="p1")),
        *agent(event, "d", "agent.start", prompt_id="p2"),
        event("turn.failed", prompt_id="p2"),
        *agent(event, "e", "agent.start", prompt_id="p3"),
    ]
    assert figures(*events)["agent_success"] == 0.75


@pytest.mark.parametrize(
    ("kinds", "outcome"),
    [
        (["ok"], "finished"),
        (["timeout"], "failed"),
        (["max_turns"], "failed"),
        ([], "unknown"),
        (["ok", "ok"], "finished"),
    ],
)
def test_a_run_of_ours_counts_once_as_an_agent(event, kinds, outcome):
    run = {"entity": ("run", "r-1"), "agent": "haiku-general"}
    events = [event("run.started", **run), *(event("run.finished", **run, outcome=kind) for kind in kinds)]
    found = figures(event("prompt.decided", rung="orchestration"), *events)
    told = {name: found[f"agents_{name}"] for name in ("finished", "failed", "unknown")}
    assert told == {name: int(name == outcome) for name in told}
    assert found["agent_success"] == {"finished": 1.0, "failed": 0.0}.get(outcome)


def test_orchestrated_requests_that_run_well_are_all_followed(event):
    events = []
    for number in range(20):
        keys = {"prompt_id": f"p{number}", "entity": ("run", f"r-{number}")}
        events += [
            event("prompt.decided", prompt_id=f"p{number}", mode="orchestration", rung="orchestration"),
            event("run.started", **keys, agent="haiku-general", overhead_ms=0.0),
            event("run.finished", **keys, agent="haiku-general", model_served="claude-haiku-4-5", outcome="ok"),
        ]
    found = figures(*events)
    names = ("delegations", "followed", "rate", "coverage", "agents_finished", "agent_success")
    assert [found[name] for name in names] == [20, 20, 1.0, 1.0, 20, 1.0]


def test_what_a_run_took_of_ours_belongs_to_its_prompt_and_is_no_hook_call(event):
    run = {"entity": ("run", "r-1"), "agent": "haiku-general"}
    found = figures(
        event("prompt.decided", rung="orchestration", overhead_ms=10.0),
        event("run.started", **run, overhead_ms=0.0),
        event("run.finished", **run, outcome="ok", took_ms=9000.0, overhead_ms=80.0),
    )
    assert (found["overhead_mean_ms"], found["event_overhead_mean_ms"]) == (90.0, 10.0)


def test_an_agent_that_ends_under_a_later_prompt_has_finished(event):
    later = event("agent.end", prompt_id="p2", entity=("agent", "a"))
    assert figures(*agent(event, "a", "agent.start", prompt_id="p1"), later)["agents_finished"] == 1


def test_overhead_is_per_prompt_the_sum_of_its_hooks(event):
    found = figures(
        event("prompt.decided", prompt_id="p1", overhead_ms=10.0),
        event("agent.start", prompt_id="p1", overhead_ms=5.0),
        event("turn.end", prompt_id="p1", overhead_ms=6.0),
        event("prompt.decided", prompt_id="p1", session="t", overhead_ms=1.0),
        event("prompt.skipped", prompt_id="p2", overhead_ms=2.0),  # the client's own: nobody waits for it
        event("turn.end", prompt_id="p3", overhead_ms=100.0),  # its prompt was not seen: no sum of all its hooks
        event("session.start", prompt_id=None, overhead_ms=20.0),
    )
    overhead = {name: value for name, value in found.items() if "overhead" in name}
    assert overhead == {
        "overhead_mean_ms": 11.0,
        "overhead_p50_ms": 1.0,
        "overhead_p95_ms": 21.0,
        "overhead_p99_ms": 21.0,
        "event_overhead_mean_ms": 20.571,
        "event_overhead_p50_ms": 6.0,
        "event_overhead_p95_ms": 100.0,
        "event_overhead_p99_ms": 100.0,
    }


@pytest.mark.parametrize("overhead_ms", [None, "12", True, [1]])
def test_an_overhead_that_is_no_number_is_not_known(event, overhead_ms):
    assert figures(event("turn.end", overhead_ms=overhead_ms))["event_overhead_mean_ms"] is None


def test_what_no_user_waited_for_is_no_overhead(event):
    assert figures(event("hook.failed", overhead_ms=0.0, error="KeyError: 'x'"))["event_overhead_mean_ms"] is None
    assert figures(event("state.recovered", overhead_ms=900.0))["event_overhead_mean_ms"] is None


def failure(key, stage="handler", kind="KeyError", session="s", name="Stop"):
    return HookError(key, "2026-11-21T10:00:00.000Z", name, session, stage, kind)


def failed(event, error="KeyError: 'x'", where="handler"):
    return event("hook.failed", prompt_id=None, entity=("hook", "Stop"), error=error, where=where, overhead_ms=0.0)


def test_a_failure_told_in_both_places_is_one(event):
    found = figures(failed(event), failed(event), *[event("turn.end")] * 8, errors=[failure("1"), failure("2")])
    assert (found["errors"], found["error_rate"]) == (2, 0.2)


def test_failures_that_differ_are_two(event):
    found = figures(failed(event), errors=[failure("1", session="t"), failure("2", name="SessionEnd")])
    assert found["errors"] == 3


def test_a_record_that_could_not_be_written_counts_as_lost(event):
    found = figures(*[event("turn.end")] * 3, errors=[failure("1", "persist", "OSError")])
    names = ("events", "errors", "error_rate", "persistence_failures", "persistence_failure_rate")
    assert [found[name] for name in names] == [3, 1, 0.25, 1, 0.25]
    assert figures(failed(event, where="persist"))["persistence_failures"] == 1


@pytest.mark.parametrize(
    ("group", "names"),
    [
        ("mode", ["directive", "orchestration"]),
        ("agent", ["haiku-general", "opus-general"]),
        ("rung", ["directive", "none", "orchestration"]),
        ("context", ["batch", "interactive"]),
    ],
)
def test_groups_add_up_to_the_whole(event, group, names):
    facts = gather(
        [
            event("prompt.decided", prompt_id="p1"),
            event("turn.end", prompt_id="p1"),
            event("prompt.decided", prompt_id="p2", mode="orchestration", rung="orchestration", context="batch"),
            event("prompt.decided", prompt_id="p3", agent="plugin:opus-general", tier="opus", rung="none"),
        ],
        [],
    )
    rows = by(facts, group)
    assert list(rows) == names
    for name in ("decisions", "delegations", "ignored", "unknown"):
        assert sum(row[name] for row in rows.values()) == total(facts)[name]


def test_a_group_has_the_figures_of_its_own_prompts(event):
    facts = gather(
        [
            event("prompt.decided", prompt_id="p1", overhead_ms=10.0),
            event("turn.end", prompt_id="p1", overhead_ms=5.0),
            *agent(event, "a", "agent.start", "agent.end", prompt_id="p1"),
            event("prompt.decided", prompt_id="p2", mode="orchestration", action="stay", overhead_ms=1.0),
        ],
        [],
    )
    assert changed(by(facts, "mode")["directive"], EMPTY) == {
        "decisions": 1,
        "delegations": 1,
        "ignored": 1,
        "rate": 0.0,
        "coverage": 1.0,
        "agents_finished": 1,
        "agent_success": 1.0,
        "override_rate": 0.0,
        **dict.fromkeys([f"overhead_{key}_ms" for key in ("mean", "p50", "p95", "p99")], 15.0),
    }


def spawn(event, number, rung="rewrite", model=HAIKU, prompt_id="p1"):
    """A spawn that was asked for and, with a model, launched."""
    keys = {"prompt_id": prompt_id, "entity": ("spawn", f"t{number}")}
    yield event("spawn.requested", **keys, tier="haiku", rung=rung, model_set="haiku", overhead_ms=0.0)
    if model:
        yield event("spawn.launched", **keys, agent_id=f"a{number}", agent_type="x", model=model, overhead_ms=0.0)


@pytest.fixture
def enforced(event, message):
    """A delegation that was followed, four spawns, two main threads that were set, a decision that was not said."""
    events = [
        event("prompt.decided", prompt_id="p1"),
        event("agent.start", prompt_id="p1", entity=("agent", "h"), agent_type="haiku-general"),
        event("turn.end", prompt_id="p1"),
        *spawn(event, 1),
        *spawn(event, 2, "mod", OPUS),
        *spawn(event, 3, model=None),
        *spawn(event, 4, "none", prompt_id=None),
        event("prompt.decided", prompt_id="p2", rung="mod", action="delegate", main_model="haiku"),
        event("turn.end", prompt_id="p2"),
        event("prompt.decided", prompt_id="p3", rung="mod", action="stay", main_model="haiku", context="batch"),
        event("turn.end", prompt_id="p3"),
        event("prompt.decided", prompt_id="p4", rung="none", action="stay"),
    ]
    served = [
        message(HAIKU, prompt_id="p1", agent_id="h", agent_type="haiku-general"),
        message(OPUS, prompt_id="p1", agent_id="a1", tool_use_id="t1"),
        message(OPUS, prompt_id="p1", agent_id="a2", tool_use_id="t2"),
        message(HAIKU, prompt_id="p2"),
    ]
    return gather(events, [], served)


def test_prompts_main_threads_and_spawns_have_figures_of_their_own(enforced):
    found = total(enforced)
    told = {name: value for name, value in changed(found, EMPTY_TOTAL).items() if "overhead" not in name}
    assert {name: told[name] for name in ("decisions", "delegations", "followed", "rate", "coverage", "stays")} == {
        "decisions": 4,
        "delegations": 1,
        "followed": 1,
        "rate": 1.0,
        "coverage": 1.0,
        "stays": 2,
    }
    assert {name: value for name, value in told.items() if "main" in name or "spawn" in name} == {
        "mains": 2,
        "main_followed": 1,
        "main_unknown": 1,
        "main_rate": 1.0,
        "main_coverage": 0.5,
        "spawns": 4,
        "spawns_set": 3,
        "spawn_ignored": 2,
        "spawn_unknown": 1,
        "spawn_rate": 0.0,
        "spawn_coverage": 0.666667,
    }
    names = ("served_as_decided", "served_coverage", "compared", "disagreements")
    assert [found[name] for name in names] == [0.5, 0.666667, 2, 1]


@pytest.mark.parametrize(
    ("group", "rows"),
    [
        (
            "rung",
            {
                "directive": (1, 1, 1, 0, 0),
                "mod": (2, 2, 1, 0, 1),
                "none": (1, 0, 0, 0, 0),
                "spawn mod": (1, 1, 0, 1, 0),
                "spawn none": (1, 0, 0, 0, 0),
                "spawn rewrite": (2, 2, 0, 1, 1),
            },
        ),
        (
            "mode",
            {
                "directive": (2, 1, 1, 0, 0),
                "main directive": (2, 2, 1, 0, 1),
                "spawn directive": (3, 3, 0, 2, 1),
                "spawn not told": (1, 0, 0, 0, 0),
            },
        ),
        (
            "context",
            {"interactive": (2, 1, 1, 0, 0), "main batch": (1, 1, 0, 0, 1), "main interactive": (1, 1, 1, 0, 0)},
        ),
        ("agent", {"haiku-general": (2, 1, 1, 0, 0), "main haiku-general": (2, 2, 1, 0, 1)}),
    ],
)
def test_each_is_judged_in_rows_of_its_own(enforced, group, rows):
    names = ("decisions", "delegations", "followed", "ignored", "unknown")
    found = by(enforced, group)
    assert {name: tuple(row[key] for key in names) for name, row in found.items()} == rows
    assert list(found) == list(rows)
    assert {tuple(row) for row in found.values()} == {tuple(EMPTY)}


def test_of_a_spawn_nothing_but_its_compliance_is_known(enforced):
    row = by(enforced, "rung")["spawn rewrite"]
    assert {name for name, value in row.items() if value is not None} == {
        "decisions",
        "delegations",
        "followed",
        "ignored",
        "unknown",
        "rate",
        "coverage",
    }


@pytest.mark.parametrize(
    ("events", "served", "compared", "disagreements"),
    [
        ([("prompt.decided", {}), ("turn.end", {})], [], 0, None),
        ([("prompt.decided", {}), ("turn.end", {})], [(OPUS, {})], 1, 0),
        ([("prompt.decided", {}), ("turn.end", {})], [(HAIKU, {"agent_id": "a", "agent_type": "haiku-general"})], 1, 1),
        ([("prompt.decided", {})], [(OPUS, {})], 0, None),
        ([("prompt.decided", {"rung": "none"}), ("turn.end", {})], [(OPUS, {})], 0, None),
        ([("prompt.decided", {"rung": "mod", "main_model": "haiku"}), ("turn.end", {})], [(OPUS, {})], 0, None),
    ],
)
def test_the_sources_are_compared_where_both_can_judge(event, message, events, served, compared, disagreements):
    found = figures(
        *(event(kind, **fields) for kind, fields in events),
        served=[message(model, **fields) for model, fields in served],
    )
    assert (found["compared"], found["disagreements"]) == (compared, disagreements)


@pytest.mark.parametrize(
    ("payloads", "told"),
    [
        ([{}], {}),
        ([{"stepped_down": None, "stood_in": None}], {"step_downs": 0, "stand_ins": 0, "blown_fuses": 0}),
        (
            [
                {"stepped_down": {"from": "opus", "why": "x"}, "stood_in": None},
                {"stood_in": {"from": "opus", "why": "x"}},
                {},
            ],
            {"step_downs": 1, "stand_ins": 1, "blown_fuses": 0},
        ),
        (
            [{"switch": {"switch": True, "base": "opus"}}, {"switch": {"switch": False}}, {"switch": None}],
            {"main_switches": 1},
        ),
        ([{"switch": {"switch": False}}], {"main_switches": 0}),
        ([{"switch": {"figures": "of another kind"}}], {}),
    ],
)
def test_what_was_weighed_is_counted_where_it_was_told(event, payloads, told):
    found = figures(*(event("prompt.decided", prompt_id=f"p{n}", **payload) for n, payload in enumerate(payloads)))
    names = ("step_downs", "stand_ins", "blown_fuses", "main_switches")
    assert {name: found[name] for name in names if found[name] is not None} == told


def test_a_fuse_blows_once_in_a_session_however_often_it_is_told(event):
    launched = {"entity": ("spawn", "t"), "model": OPUS}
    found = figures(
        event("spawn.launched", **launched, blown="rewrite"),
        event("rung.blown", entity=("rung", "rewrite"), failures=3, why="x"),
        event("rung.blown", entity=("rung", "mod"), failures=3, why="x"),
        event("prompt.decided", session="t", blown="mod"),
        event("spawn.launched", **launched, session="u", blown=None),
        event("spawn.launched", **launched, session="v", blown="rewrite"),
    )
    assert found["blown_fuses"] == 4


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([], 50, None),
        ([7], 1, 7),
        ([7], 99, 7),
        ([1, 2, 3, 4], 50, 2),
        ([1, 2, 3], 50, 2),
        (range(1, 101), 95, 95),
        (range(1, 101), 99, 99),
        (range(1, 101), 100, 100),
        (range(1, 11), 95, 10),
        (range(1, 11), 0, 1),
    ],
)
def test_a_percentile_is_a_value_that_was_measured(values, percent, expected):
    assert percentile(values, percent) == expected
