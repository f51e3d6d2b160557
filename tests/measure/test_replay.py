"""Never dearer than the better of never switching and always following, on sessions of many shapes."""

import json
import random
import statistics
from pathlib import Path

import made_sessions as sessions
import pytest
from made_sessions import Shape, Turn
from tiers import some

from orchestrate.measure import replay, replay_read
from orchestrate.measure.replay import ENOUGH, FOLLOW, NEVER, OURS
from orchestrate.request import usage
from state.errors import UserError

RECORDED = sorted(Path(__file__).with_name("transcripts").glob("recorded-*.jsonl"))
HARD = "slow_alternating"  # nothing in its first turns tells what comes
MADE = [(name, seed) for name in sessions.SHAPES if name != HARD for seed in range(3)]
CENT = 0.01


@pytest.fixture
def played(tmp_path):
    def play(shape, main=None):
        return replay.replay(sessions.write(tmp_path / "session.jsonl", shape), main)

    return play


def costs(found):
    return {name: rule.usd for name, rule in found.rules.items()}


def holds(found):
    """Ours costs no more than the better of both, and every sure wish is met."""
    return found.rules[OURS].usd <= found.best_usd + 1e-12 and found.rules[OURS].served_share in (None, 1.0)


def test_there_are_enough_transcripts():
    assert len(MADE) + len(RECORDED) >= 30
    assert len(RECORDED) == 4


@pytest.mark.parametrize(("name", "seed"), some(MADE, 3))
def test_ours_is_never_dearer_than_the_better_of_both(played, name, seed):
    found = played(sessions.shape(name, seed))
    assert found.is_main_enough
    assert found.best_usd == min(found.rules[NEVER].usd, found.rules[FOLLOW].usd)
    assert holds(found), costs(found)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_the_same_on_recorded_sessions(path):
    found = replay.replay(path)
    assert found.is_main_enough
    assert holds(found), costs(found)


@pytest.mark.parametrize("seed", range(3))
def test_where_the_session_turns_out_otherwise_ours_loses_little(played, seed):
    found = played(sessions.shape(HARD, seed))
    assert found.rules[OURS].usd <= 1.1 * found.rules[NEVER].usd < found.rules[FOLLOW].usd


@pytest.mark.parametrize("seed", range(6))
def test_a_main_model_that_is_not_enough_is_raised(played, seed):
    found = played(sessions.cheap_main(random.Random(f"cheap {seed}")))
    assert not found.is_main_enough
    assert found.rules[NEVER].served_share < 1
    assert [found.rules[name].served_share for name in (ENOUGH, FOLLOW, OURS)] == [1, 1, 1]
    assert found.rules[OURS].usd <= found.rules[FOLLOW].usd + CENT


@pytest.mark.slow
def test_three_hundred_sessions_by_chance(played):
    ratios, totals = [], dict.fromkeys((NEVER, ENOUGH, FOLLOW, OURS), 0.0)
    for seed in range(300):
        found = played(sessions.by_chance(seed))
        assert found.rules[OURS].served_share == 1
        ratios.append(found.rules[OURS].usd / found.best_usd)
        for name in totals:
            totals[name] += found.rules[name].usd
    assert totals[OURS] < totals[FOLLOW] < totals[ENOUGH]
    assert sum(ratio <= 1 + 1e-12 for ratio in ratios) >= 240
    assert statistics.mean(ratios) < 1.01
    assert statistics.quantiles(ratios, n=20)[-1] < 1.1
    assert max(ratios) < 1.35


@pytest.mark.parametrize("name", ["recorded-chat", "recorded-loop"])
def test_never_switching_costs_what_the_client_itself_counted(name):
    path = next(path for path in RECORDED if path.stem == name)
    states = [json.loads(line) for line in path.read_text().splitlines() if '"cost-state"' in line]
    found = replay.replay(path)
    assert found.rules[NEVER].usd == pytest.approx(states[-1]["totalCostUSD"], abs=1e-12)
    assert found.recorded_usd == pytest.approx(found.rules[NEVER].usd, abs=1e-12)


@pytest.mark.parametrize("name", ["chat", "nights", "compaction", "hour_cache"])
def test_the_caches_of_the_model_that_ran_are_those_of_the_transcript(played, name):
    found = played(sessions.shape(name, 7))
    assert found.rules[NEVER].usd == pytest.approx(found.recorded_usd, rel=1e-9)


def test_what_is_saved_is_told_net_of_lost_cache(played):
    found = played(sessions.shape("mixed", 0))
    assert found.net_usd == pytest.approx(found.rules[NEVER].usd - found.rules[OURS].usd)
    assert found.cache_loss_usd == pytest.approx(found.gross_usd - found.net_usd)
    assert found.gross_usd > found.net_usd > 0


def test_prompts_are_read_as_the_hook_reads_them(tmp_path):
    path = tmp_path / "session.jsonl"
    lines = [
        sessions.prompt(Turn(0, "haiku", 1, text="Fix typo in README.md"), 0, sessions.START),
        *sessions.answer("a", "claude-opus-5-5", sessions.START + 9, {"input_tokens": 9, "output_tokens": 1}),
        sessions.prompt(Turn(0, "haiku", 1, text=" <task-notification>done"), 1, sessions.START + 20),
        *sessions.answer("b", "claude-opus-5-5", sessions.START + 30, {"input_tokens": 9, "output_tokens": 1}),
        {**sessions.prompt(Turn(0, "opus", 1, text="opus"), 4, sessions.START + 32), "isSidechain": True},
        *(
            {**line, "isSidechain": True}
            for line in sessions.answer("x", "opus", sessions.START + 33, {"input_tokens": 9})
        ),
        *sessions.answer("b2", "claude-opus-5-5", sessions.START + 34, {"input_tokens": 9, "output_tokens": 1}),
        sessions.prompt(Turn(0, "haiku", 1, text="yes, go on"), 2, sessions.START + 40),
        *sessions.answer("c", "claude-opus-5-5", sessions.START + 50, {"input_tokens": 9, "output_tokens": 1}),
        sessions.prompt(Turn(0, "opus", 1, text="use opus for the rest"), 3, sessions.START + 60),
        *sessions.answer("d", "claude-opus-5-5", sessions.START + 70, {"input_tokens": 9, "output_tokens": 1}),
        sessions.prompt(Turn(0, "opus", 1, text="never answered"), 5, sessions.START + 90),
    ]
    path.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in [*lines, "no object"]) + "{torn")
    turns = replay_read.read(path).turns
    assert [(turn.wish.tier, turn.wish.is_sure, turn.wish.is_asked, len(turn.steps)) for turn in turns] == [
        ("haiku", True, False, 3),
        ("haiku", True, False, 1),
        ("opus", True, True, 1),
    ]


def test_the_last_line_of_an_answer_counts(tmp_path):
    shape = Shape([Turn(30, "opus", 3, out=70), Turn(30, "opus", 2, out=80)])
    turns = replay_read.read(sessions.write(tmp_path / "session.jsonl", shape)).turns
    assert [[step.output for step in turn.steps] for turn in turns] == [[70] * 3, [80] * 2]


def test_the_first_turn_may_switch_too(played):
    found = played(Shape([Turn(30, "sonnet", 3), Turn(30, "sonnet", 3)]))
    assert {name: rule.switches for name, rule in found.rules.items()} == {NEVER: 0, ENOUGH: 0, FOLLOW: 1, OURS: 1}


def test_the_hook_sees_what_replay_shows_to_our_rule(tmp_path):
    path = sessions.write(tmp_path / "session.jsonl", sessions.shape("alternating", 1))
    turns = replay_read.read(path).turns
    seen = usage.summary([_as_usage(turn) for turn in turns])
    hook = usage.last_step(str(path))
    names = ("model", "context", "output", "at", "last_steps", "is_1h", "growth", "out")
    assert [getattr(hook, name) for name in names] == [getattr(seen, name) for name in names]


def _as_usage(turn):
    found = usage.Turn(turn.at)
    found.steps = turn.steps
    return found


def test_switches_fall_between_turns_only(played, tmp_path):
    """A turn of 25 steps is served by one model: nobody asks within it."""
    shape = Shape([Turn(30, "sonnet", 25), Turn(30, "haiku", 25), Turn(30, "opus", 25)])
    session = replay_read.read(sessions.write(tmp_path / "loops.jsonl", shape))
    models = replay.served_by(session, "opus", replay.Ours())
    assert [len(set(models[at : at + 25])) for at in (0, 25, 50)] == [1, 1, 1]
    assert models[50] == "opus"


def test_a_compacted_history_is_a_fresh_context(tmp_path):
    dips = [Turn(30, "sonnet", 1), Turn(30, "opus", 1)] * 6
    turns = [Turn(30, "opus", 10, growth=20_000), *dips, Turn(30, "sonnet", 1)]
    whole, cut = Shape(turns), Shape([*turns[:-1], turns[-1]._replace(rewritten=20_000)])
    last = []
    for shape in (whole, cut):
        session = replay_read.read(sessions.write(tmp_path / "session.jsonl", shape))
        last.append(replay.served_by(session, "opus", replay.Ours())[-1])
    assert last == ["opus", "sonnet"]


def test_another_main_model_can_be_supposed(played):
    shape = sessions.shape("chat", 0)
    assert played(shape, "haiku").main == "haiku"
    assert played(shape, "haiku").rules[NEVER].usd < played(shape).rules[NEVER].usd


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "No such file or directory"),
        ("", "no step of a main thread in it"),
        ("garbage\n", "no step of a main thread in it"),
    ],
)
def test_what_cannot_be_replayed_is_told(tmp_path, content, told):
    path = tmp_path / "session.jsonl"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError) as error:
        replay.replay(path)
    assert str(error.value) == f"{path}: {told}: name a transcript of the client (*.jsonl)"


def test_a_main_model_without_a_price_is_told(tmp_path):
    path = sessions.write(tmp_path / "session.jsonl", sessions.shape("chat", 0))
    path.write_text(path.read_text().replace("claude-opus-5-5", "gpt-7"))
    with pytest.raises(UserError) as error:
        replay.replay(path)
    assert str(error.value) == "session: gpt-7: no price is known of this model: name another with --main"
    assert replay.replay(path, "opus").main == "opus"
