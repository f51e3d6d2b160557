"""Sessions in which something was not served as asked, each kind found; and clean ones, without a false alarm."""

import random

import pytest
from sessions import DELEGATED, HAIKU, NOON, OPUS, SONNET, STAYED
from tiers import some

from metrics import transcripts
from metrics.days import window
from metrics.ingest import ingest
from metrics.ledger import Alarm, alarm, build
from metrics.ledger_rules import MISMATCH, NOT_DECIDED, UNCLEAR, WORST
from state.store import open_store

DAY = window(NOON.date(), NOON.date())
SWITCHED = {**STAYED, "rung": "mod", "main_model": "haiku", "tier": "haiku"}
REWRITE = {"rung": "rewrite", "model_set": "haiku"}
MOD = {"rung": "mod", "model_set": "haiku"}
GATEWAY = "gateway/llama-9"
PINNED = "claude-haiku-4-5-20251001"


@pytest.fixture
def ledger(place):
    """What the ledger makes of all that was written."""

    def read():
        with open_store(place) as store:
            ingest(place, store)
            transcripts.take(store)
            return build(store, DAY)

    return read


def prompted(session, decided):
    session.prompt(decided)
    return session


def spawning(decided=STAYED, main=OPUS, **spawn):
    """A session whose prompt's main thread starts one agent."""

    def live(session):
        prompted(session, decided).main.answer(main)
        session.spawn(**spawn)
        session.main.answer(main)
        session.stop()

    return live


def main_thread(*served, requested=None):
    """The main thread was to be set to haiku."""

    def live(session):
        prompted(session, SWITCHED)
        for model in served:
            session.main.answer(model, requested)
        session.stop()

    return live


def falls_back(session):
    prompted(session, SWITCHED).main.falls_back(HAIKU, SONNET)
    session.main.answer(SONNET)
    session.stop()


def gives_up(session):
    """The mod lets the engine go on with its own model."""
    prompted(session, SWITCHED).main.fails()
    session.main.fails()
    session.main.answer(OPUS)
    session.main.result()
    session.main.answer(OPUS)
    session.stop()


def drifts(session):
    prompted(session, STAYED).main.answer(OPUS)
    session.stop()
    session.resume()
    main_thread(SONNET)(session)


def changes(session):
    """Nothing was resumed in between."""
    prompted(session, STAYED).main.answer(OPUS)
    session.compact()
    session.stop()
    main_thread(SONNET)(session)


def changes_its_mind(session):
    """Of two decisions for one prompt the last was acted on, whichever is read first."""
    session.prompt(STAYED)
    session.event("prompt.decided", ("prompt", session.prompt_id), session.prompt_id, **SWITCHED)
    session.main.answer(OPUS)
    session.stop()


def sticks(session):
    """After a resume the client takes what we had set for its own, and the next decision finds no session to set."""
    prompted(session, {**SWITCHED, "main_model": "sonnet"}).main.answer(SONNET)
    session.stop()
    session.resume()
    main_thread(SONNET)(session)


def fails(session):
    prompted(session, SWITCHED).main.synthetic()
    session.stop("turn.failed")


def answers_itself(session):
    prompted(session, DELEGATED).main.answer(OPUS)
    session.stop()


def lies(session):
    prompted(session, STAYED).run(served=None)


def run_by_another(session):
    prompted(session, STAYED).run(served=OPUS)


def works_otherwise(session):
    prompted(session, STAYED).workflow(("mod", "haiku", HAIKU), ("mod", "haiku", SONNET))
    session.stop()


def works_otherwise_than_its_script(session):
    prompted(session, STAYED).rewritten_workflow(("haiku", HAIKU), ("haiku", SONNET))
    session.stop()


def is_refused(session):
    prompted(session, STAYED).spawn(resolved=None, served=(), **REWRITE)
    session.stop()


# What happened, and how the row that tells of it is judged.
WRONG = {
    "the environment forces a model": (
        spawning(resolved=SONNET, served=[SONNET], env_model="sonnet", env_forced=True, **REWRITE),
        "forced_env",
    ),
    "the environment forces a model upon the mod": (
        spawning(resolved=OPUS, served=[OPUS], env_model=OPUS, env_forced=True, **MOD),
        "forced_env",
    ),
    "an older client lets the environment's default win": (
        spawning(resolved=SONNET, served=[SONNET], env_model="sonnet", **REWRITE),
        "env_default",
    ),
    "availableModels lacks it": (
        spawning(call_model="haiku", resolved=OPUS, served=[OPUS], meta_model="haiku", **REWRITE),
        "allowlist",
    ),
    "availableModels lacks the id that the mod set": (
        spawning(resolved=OPUS, served=[OPUS], meta_model=PINNED, rung="mod", model_set=PINNED),
        "allowlist",
    ),
    "the alias stands for another tier": (
        spawning(resolved=SONNET, served=[SONNET], meta_model="haiku", **REWRITE),
        "alias_remap",
    ),
    "the alias stands for the parent's model, as the environment tells": (
        spawning(resolved=OPUS, served=[OPUS], meta_model="haiku", env_alias=OPUS, **REWRITE),
        "alias_remap",
    ),
    "the main thread's model was overloaded": (falls_back, "fallback"),
    "the model that was set failed": (gives_up, "fallback"),
    "the service answered with another model": (main_thread(SONNET, requested=HAIKU), "fallback"),
    "an agent was answered by another model": (
        spawning(served=[SONNET], requested=HAIKU, meta_model="haiku", **MOD),
        "fallback",
    ),
    "an agent was started as asked and served otherwise": (spawning(served=[SONNET], **REWRITE), "engine_switch"),
    "an agent changed its model on the way": (spawning(served=[HAIKU, HAIKU, OPUS], **MOD), "engine_switch"),
    "the main thread changed its model within a turn": (main_thread(HAIKU, OPUS), "engine_switch"),
    "the rewrite was lost": (spawning(resolved=OPUS, served=[OPUS], **REWRITE), "inherited_parent"),
    "the rewrite lost to another hook's": (
        spawning(call_model="sonnet", resolved=SONNET, served=[SONNET], meta_model="sonnet", **REWRITE),
        "call_model",
    ),
    "the main model named a model of its own": (
        spawning(
            DELEGATED, agent_type="haiku-general", call_model="opus", resolved=OPUS, served=[OPUS], meta_model="opus"
        ),
        "call_model",
    ),
    "the agent's definition did not hold": (
        spawning(DELEGATED, agent_type="haiku-general", resolved=OPUS, served=[OPUS]),
        "ignored_frontmatter",
    ),
    "the definition that carries an id did not hold": (
        spawning(
            agent_type="general-purpose",
            ran_type="haiku-general",
            resolved=OPUS,
            served=[OPUS],
            rung="rewrite",
            model_set=PINNED,
        ),
        "ignored_frontmatter",
    ),
    "another version of the id": (
        spawning(resolved=HAIKU, served=[HAIKU], rung="mod", model_set=PINNED),
        "version_drift",
    ),
    "another model after a resume": (drifts, "resume_drift"),
    "the model that was set stuck after a resume": (sticks, "resume_drift"),
    "another model without a resume": (changes, "not_applied"),
    "the main thread was to be set by the second decision": (changes_its_mind, "not_applied"),
    "the main thread went on with its own": (main_thread(OPUS, OPUS), "not_applied"),
    "an agent got an error for an answer": (
        spawning(resolved=None, served=[None], meta_model="haiku", **REWRITE),
        "synthetic",
    ),
    "the main thread got an error for an answer": (fails, "synthetic"),
    "an agent was done without a model": (spawning(served=[None], **REWRITE), "lying_success"),
    "a run was done without a model": (lies, "lying_success"),
    "a run was served otherwise": (run_by_another, "other"),
    "a model from nowhere": (spawning(resolved=SONNET, served=[SONNET], **REWRITE), "other"),
    "a spawn came to nothing": (is_refused, "not_spawned"),
    "an agent of a workflow was served otherwise": (works_otherwise, "other"),
    "an agent of a rewritten workflow was served otherwise": (works_otherwise_than_its_script, "other"),
    "nobody was spawned": (answers_itself, "not_spawned"),
    "another agent was spawned": (spawning(DELEGATED, agent_type="Explore"), "wrong_agent_type"),
}
# What was only advised, or came to nothing: the model did not follow, and nothing was served against an order.
UNENFORCED = (
    "the main model named a model of its own",
    "the agent's definition did not hold",
    "a spawn came to nothing",
    "nobody was spawned",
    "another agent was spawned",
)
UNDECIDED = {
    "a fork keeps its parent's model": (
        spawning(agent_type="fork", resolved=OPUS, served=[OPUS], **REWRITE),
        NOT_DECIDED,
        "fork",
    ),
    "a model whose id does not tell": (
        spawning(resolved=GATEWAY, served=[GATEWAY], **REWRITE),
        UNCLEAR,
        "unknown_model",
    ),
    "an agent whose file is not there": (spawning(served=(), **REWRITE), UNCLEAR, None),
}


def test_which_agent_of_a_workflow_was_to_have_which_model_is_not_known(machine, ledger):
    session = prompted(machine.session(), STAYED)
    session.workflow(("mod", "haiku", SONNET), ("mod", "opus", OPUS), ("none", None, OPUS))
    session.stop()
    assert [row.verdict for row in ledger()] == [UNCLEAR] * 3


def test_an_agent_of_a_rewritten_workflow_for_which_nothing_was_decided_is_no_mismatch(machine, ledger):
    session = prompted(machine.session(), STAYED)
    session.rewritten_workflow(("haiku", HAIKU), (None, OPUS))
    session.stop()
    assert [row.verdict for row in ledger()] == [UNCLEAR] * 2


def found(rows):
    return [(row.verdict, row.kind) for row in rows if row.verdict == MISMATCH]


@pytest.mark.parametrize(("live", "kind"), WRONG.values(), ids=WRONG)
def test_a_mismatch_is_found_and_named(machine, ledger, live, kind):
    live(machine.session())
    assert found(ledger()) == [(MISMATCH, kind)]


@pytest.mark.parametrize(("live", "verdict", "kind"), UNDECIDED.values(), ids=UNDECIDED)
def test_what_cannot_be_told_is_no_mismatch(machine, ledger, live, verdict, kind):
    live(machine.session())
    rows = ledger()
    assert found(rows) == []
    assert [(row.verdict, row.kind) for row in rows if row.requested] == [(verdict, kind)]


def test_an_agent_without_its_card_is_joined_by_its_launch(machine, ledger):
    session = prompted(machine.session(), STAYED)
    child = session.spawn(**REWRITE)
    child.path.with_suffix(".meta.json").unlink()
    told = [(row.part, row.agent_id, row.requested, row.verdict) for row in ledger()]
    assert told == [("main", None, None, NOT_DECIDED), ("agent", child.agent, "haiku", "ok")]


def test_the_corpus_holds_every_kind():
    assert {kind for _, kind in WRONG.values()} == set(WORST)
    assert len(WORST) >= 12


def tools(session, chance):
    session.prompt(STAYED)
    for _ in range(chance.randint(1, 4)):
        session.main.answer(OPUS, blocks=("thinking", "tool_use"))
        session.main.result("x" * chance.choice([10, 5000]))
    session.main.answer(OPUS)


def obeyed(session, chance):
    """The directive was followed: by the definition of the agent, or by the model the call names."""
    session.prompt(DELEGATED)
    named = chance.choice([None, "haiku"])
    session.spawn("haiku-general", call_model=named, meta_model=named or HAIKU, background=chance.random() < 0.5)
    session.main.answer(OPUS)


def from_the_plugin(session, chance):
    session.prompt({**DELEGATED, "agent": "orchestrate:haiku-general"})
    session.spawn("orchestrate:haiku-general", background=chance.random() < 0.5)
    session.main.answer(OPUS)


def rewritten(session, chance):
    session.prompt(STAYED)
    for _ in range(chance.randint(1, 3)):
        tier, model = chance.choice([("haiku", HAIKU), ("sonnet", SONNET), ("opus", OPUS)])
        rung = chance.choice(["rewrite", "mod"])
        session.spawn(
            call_model="opus",
            rung=rung,
            model_set=tier,
            meta_model=tier,
            resolved=model,
            served=[model] * chance.randint(1, 4),
            background=chance.random() < 0.5,
            env_model=chance.choice([None, "sonnet"]),
        )
    session.main.answer(OPUS)


def nested(session, chance):
    session.prompt(STAYED)
    child = session.spawn(rung="rewrite", model_set="sonnet", resolved=SONNET, served=[SONNET], meta_model="sonnet")
    session.spawn(within=child, meta_model="haiku", background=chance.random() < 0.5, **REWRITE)
    session.spawn(within=child, resolved=SONNET, served=[SONNET])  # nothing was asked for: it inherits
    session.main.answer(OPUS)


def resumed(session, chance):
    """A prompt on each side, the second with a switch that holds; the client may come back with another model."""
    session.prompt(chance.choice([STAYED, SWITCHED]))
    session.main.answer(HAIKU)
    session.stop()
    session.resume()
    session.prompt(chance.choice([STAYED, SWITCHED]))
    session.main.answer(HAIKU)


def unasked(session, chance):
    """Nothing was asked for, and anything may serve."""
    session.prompt(chance.choice([STAYED, None]))
    for model in chance.sample([OPUS, SONNET, HAIKU, GATEWAY], 3):
        session.main.answer(model)
    session.main.falls_back(OPUS, SONNET)
    session.main.synthetic()
    session.spawn(
        chance.choice(["Explore", "fork", "Plan"]),
        resolved=chance.choice([OPUS, GATEWAY]),
        served=[chance.choice([OPUS, GATEWAY, None])],
        env_model="haiku",
        env_forced=chance.random() < 0.5,
    )


def forked(session, _chance):
    session.prompt(SWITCHED)
    session.main.answer(HAIKU)
    session.stop()
    fork = session.fork()
    fork.main.answer(OPUS)
    fork.stop()


def compacted(session, _chance):
    session.prompt(SWITCHED)
    session.main.answer(HAIKU)
    session.compact()
    session.main.answer(HAIKU)


def with_ids(session, chance):
    """Concrete ids, as the service and its providers write them."""
    asked, served = chance.choice(
        [
            (PINNED, PINNED),
            ("claude-haiku-4-5", PINNED),
            (PINNED, "us.anthropic.claude-haiku-4-5-20251001-v1:0"),
            ("claude-haiku-4-5@20251001", PINNED),
            ("claude-haiku-5-5[1m]", HAIKU),
            (GATEWAY, GATEWAY),
            ("sonnet[1m]", "claude-sonnet-5-5"),
        ]
    )
    session.prompt({**STAYED, "rung": "mod", "main_model": asked})
    session.main.answer(served)
    session.spawn(rung="mod", model_set=asked, resolved=served, served=[served], meta_model=asked)
    session.spawn(ran_type="haiku-general", rung="rewrite", model_set=PINNED, resolved=PINNED, served=[PINNED])


def workflow(session, chance):
    session.prompt(STAYED)
    session.main.answer(OPUS)
    session.workflow(*chance.choice([[("mod", "haiku", HAIKU)] * 3, [("none", None, OPUS)] * 2]))


def rewritten_workflow(session, chance):
    session.prompt(STAYED)
    session.main.answer(OPUS)
    session.rewritten_workflow(*chance.choice([[("haiku", HAIKU)] * 2, [("opus", OPUS)]]))


def run_by_us(session, chance):
    session.prompt({**DELEGATED, "mode": "orchestration", "rung": "orchestration"})
    session.run(outcome="timeout", served=None)
    session.run(requested=chance.choice(["haiku", HAIKU]))


def unfinished(session, _chance):
    """The turn goes on: what has not come yet is not missing."""
    session.prompt(DELEGATED)
    session.main.answer(OPUS)
    session.spawn("Explore")
    session.spawn(served=(), background=True, **REWRITE)
    session.prompt_id = session.machine.name("unrelated")


def interrupted(session, _chance):
    session.prompt(SWITCHED)
    session.main.fails()
    session.main.answer(HAIKU)
    session.main.synthetic("No response requested.")


SHAPES = (
    tools,
    obeyed,
    from_the_plugin,
    rewritten,
    nested,
    resumed,
    unasked,
    forked,
    compacted,
    with_ids,
    workflow,
    rewritten_workflow,
    run_by_us,
    unfinished,
    interrupted,
)


def clean(machine, count, chance):
    for number in range(count):
        session = machine.session()
        SHAPES[number % len(SHAPES)](session, chance)
        session.stop()


@pytest.mark.slow
def test_two_hundred_clean_sessions_give_no_false_alarm(place, machine, ledger):
    clean(machine, 200, random.Random(11))
    rows = ledger()
    assert found(rows) == []
    assert len({row.session for row in rows}) >= 200
    assert sum(row.verdict == "ok" for row in rows) > 150
    with open_store(place) as store:
        assert alarm(store, DAY) is None


@pytest.mark.parametrize("seed", some(range(3), 1))
def test_mismatches_are_found_among_clean_sessions(place, machine, ledger, seed):
    chance = random.Random(seed)
    wrong, expected = list(WRONG.values()), []
    chance.shuffle(wrong)
    for live, kind in wrong:
        clean(machine, 2, chance)
        session = machine.session()
        live(session)
        expected.append((session.name, kind))
    told = [(row.session, row.kind) for row in ledger() if row.verdict == MISMATCH]
    assert sorted(told) == sorted(expected)
    with open_store(place) as store:
        told = alarm(store, DAY)
    assert told[:2] == (len(expected) - len(UNENFORCED), "lying_success")


def test_the_alarm_is_of_what_was_served_against_an_order(place, machine):
    for what in UNENFORCED:
        WRONG[what][0](machine.session())
    with open_store(place) as store:
        ingest(place, store)
        transcripts.take(store)
        assert alarm(store, DAY) is None
        falls_back(machine.session())
        WRONG["availableModels lacks it"][0](machine.session())
        ingest(place, store)
        transcripts.take(store)
        assert alarm(store, DAY) == Alarm(mismatches=2, worst="allowlist", rows=3)
