"""Pairs tried out with a real repository, the real runner and a client that does as it is told."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ending import are_gone, tells_ends
from made_history import NAME, TEXTS
from made_talk import decided

from orchestrate.shadow import pairs, session
from state import quota
from state.errors import INTERRUPTED, REFUSED, USAGE, UserError

pytestmark = pytest.mark.slow

REPO = Path(session.__file__).parents[2]


def only(bench, **how):
    bench.ask(1)
    done = bench.run(**how)
    assert len(done.lines) == 1
    return done.lines[0]


def test_a_pair_is_two_tiers_on_the_same_prompt_at_the_commit_before_it(bench):
    line = only(bench)
    worked = bench.calls(judges=False)
    assert [call["model"] for call in worked] == ["haiku", "sonnet"]
    assert all(TEXTS[0] in call["asked"] for call in worked)
    assert (line["commit"], line["commit_is"]) == (bench.repo.commits[0], "before the prompt")
    assert (line["as_good"], line["judged"], line["regression"], line["green"]) == (True, "equal", False, True)
    assert (line["cheaper"]["tier"], line["dearer"]["tier"], line["class"]) == ("haiku", "sonnet", NAME)
    assert pairs.read(bench.place) == [line]


def test_agents_run_without_hooks_and_may_edit_their_own_copy(bench):
    only(bench)
    for call in bench.calls(judges=False):
        words = dict(zip(call["words"], call["words"][1:], strict=False))
        assert (words["--settings"], words["--permission-mode"]) == ('{"disableAllHooks":true}', "acceptEdits")
        assert call["env"]["ORCHESTRATOR_DEPTH"] == "1"
        assert call["cwd"].startswith(f"{bench.place.user}/shadow/")
        assert not {"haiku", "sonnet", "cheaper", "dearer"} & set(call["cwd"].replace("/", " ").split())


@pytest.mark.parametrize(
    ("cheaper", "dearer", "as_good", "judged", "regression"),
    [
        ("echo GOOD > x", "echo GOOD > x", True, "equal", False),
        ("echo GOOD > x", "true", True, "cheaper", False),
        ("echo BAD > x", "echo GOOD > x", False, "dearer", False),
        ("true", "echo GOOD > x", False, "dearer", False),
        ("echo GOOD > x; touch broken", "echo BAD > x", False, "cheaper", True),
        ("touch broken", "touch broken", True, "equal", False),
        ("true", "touch broken", True, "equal", False),
        ("exit 76", "echo GOOD > x", False, None, True),
    ],
)
def test_who_is_as_good(bench, cheaper, dearer, as_good, judged, regression):
    line = only(bench, WORK_HAIKU=cheaper, WORK_SONNET=dearer)
    assert (line["as_good"], line["judged"], line["regression"]) == (as_good, judged, regression)
    assert "void" not in line


@pytest.mark.parametrize(
    ("how", "why", "asked"),
    [
        ({"WORK_HAIKU": "exit 75"}, "haiku: rate_limited", ["haiku"]),
        ({"WORK_SONNET": "exit 75"}, "sonnet: rate_limited", ["haiku", "sonnet"]),
        ({"WORK_SONNET": "exit 76"}, "sonnet: max_turns", ["haiku", "sonnet"]),
        ({"SERVED": "claude-opus-5-5"}, "haiku: claude-opus-5-5 served", ["haiku"]),
        ({"JUDGES": "third"}, "the judge failed: its answer names no better", ["haiku", "sonnet"]),
    ],
)
def test_a_fault_of_the_service_or_of_the_judge_makes_a_pair_void(bench, how, why, asked):
    line = only(bench, **how)
    assert (line["void"], [call["model"] for call in bench.calls(judges=False)]) == (why, asked)
    (row,) = [row for row in session.rows(bench.place) if row.group.name == NAME]
    assert (row.standing.pairs, row.void, row.left) == (0, 1, 1)


def test_a_judge_who_always_says_first_makes_half_of_the_pairs_worse(bench):
    bench.ask(12)
    lines = bench.run(most=12, JUDGES="first").lines
    assert {line["judged"] for line in lines} == {"cheaper", "dearer"}


def test_every_fifth_pair_the_judge_is_shown_no_work_and_has_to_see_it(bench):
    bench.ask(6)
    lines = bench.run(most=6).lines
    assert [line.get("saw_control") for line in lines] == [True, None, None, None, None, True]
    bench.calls_file.unlink()
    bench.ask(7)
    pairs.forget(bench.place, None)
    assert bench.run(JUDGES="equal").lines[0]["saw_control"] is False


def test_the_judge_is_told_nothing_of_who_is_who(bench):
    only(bench, WORK_HAIKU="echo GOOD > one", WORK_SONNET="echo GOOD > two")
    asked = bench.calls(judges=True)[0]["asked"]
    assert TEXTS[0] in asked
    assert "I, agent, have done it" in asked
    assert not any(word in asked.lower() for word in ("haiku", "sonnet", "opus", "cheaper", "dearer", "shadow/"))


def test_nothing_of_the_users_repository_is_touched_and_nothing_left(bench):
    (bench.repo.path / "dirty.txt").write_text("mine\n")
    bench.repo.git("add", "dirty.txt")
    bench.ask(1)
    before = bench.repo.state()
    mischief = "git commit -q --allow-empty -m x; git branch -f main HEAD; git stash -u; echo GOOD > done.txt"
    bench.run(WORK_HAIKU=mischief, WORK_SONNET=mischief)
    assert bench.repo.state() == before
    assert list(Path(bench.place.user, "shadow").glob("*/*")) == []
    assert bench.repo.git("worktree", "list").count("\n") == 1


def test_no_text_is_kept_and_no_run_is_told(bench):
    only(bench)
    kept = Path(pairs.path(bench.place))
    assert kept.stat().st_mode & 0o777 == 0o600
    assert TEXTS[0] not in kept.read_text()
    assert "have done it" not in kept.read_text()
    assert not Path(bench.place.state, "runs").exists()
    assert [path.name for path in Path(bench.place.state, "sessions").iterdir()] == [bench.talk.session]
    assert len(decided(bench.place)) == 1


def test_a_prompt_is_tried_once_and_the_sample_can_be_drawn_again(bench):
    bench.ask(4)
    first = [line["hash"] for line in bench.run(most=2, seed=7).lines]
    second = bench.run(most=9, seed=7)
    assert (len(second.lines), second.why) == (2, "no prompts of this class are left to try out")
    assert len({*first, *(line["hash"] for line in second.lines)}) == 4
    pairs.forget(bench.place, NAME)
    assert [line["hash"] for line in bench.run(most=2, seed=7).lines] == first


def test_it_stops_when_the_limit_is_no_longer_spare(bench):
    bench.ask(4)
    done = bench.run(most=4, USED="0.61", RESETS=str(int(time.time()) + 9000))
    assert (len(done.lines), done.why) == (
        1,
        "nothing to spare: 61% of the five-hour limit is used, shadow.spare is 50%",
    )
    with pytest.raises(UserError, match="nothing to spare: 61%"):
        bench.run()


def test_it_stops_when_the_budget_is_spent(bench):
    bench.ask(4)
    done = bench.run(most=4, KEY="ANTHROPIC_API_KEY", settings={"shadow.max_budget_usd": 0.6})
    assert (len(done.lines), done.why) == (2, "nothing to spare: 1.00 USD are spent, shadow.max_budget_usd is 0.6")


@pytest.mark.parametrize(
    ("windows", "settings", "why"),
    [
        ({}, {}, "nothing is known of your limits"),
        ({}, {"shadow.max_budget_usd": 1.0}, None),
        ({"five_hour": (10, 9000)}, {}, None),
        ({"five_hour": (49.9, 9000)}, {}, None),
        ({"five_hour": (50, 9000)}, {}, "50% of the five-hour limit is used"),
        ({"five_hour": (99, -10)}, {}, None),
        ({"five_hour": (10, 9000), "seven_day": (80, 90000)}, {}, "80% of the seven-day limit is used"),
        ({"five_hour": (10, 9000)}, {"shadow.spare": 0.0}, "10% of the five-hour limit is used"),
    ],
)
def test_only_what_is_spare_is_used(bench, windows, settings, why):
    bench.ask(1)
    Path(bench.place.user, quota.FILE).unlink()
    now = time.time()
    read = {name: {"used": used, "resets_at": now + left} for name, (used, left) in windows.items()}
    kept = {"v": 1, "windows": {name: {**each, "read_at": now - 20, "source": "t"} for name, each in read.items()}}
    Path(bench.place.user, quota.FILE).write_text(json.dumps({**kept, "seen": {}}))
    if why is None:
        assert len(bench.run(settings=settings).lines) == 1
    else:
        with pytest.raises(UserError, match=why) as caught:
            bench.run(settings=settings)
        assert (caught.value.code, bench.calls()) == (REFUSED, [])


@pytest.mark.parametrize(
    ("env", "settings", "why", "code"),
    [
        ({}, {"shadow.check": " "}, "shadow.check: name the command", USAGE),
        ({"ORCHESTRATOR_DEPTH": "1"}, {}, "nothing is tried out: an agent that was started here asks", REFUSED),
        ({"ORCHESTRATOR_DISABLED": "1"}, {}, "nothing is tried out: ORCHESTRATOR_DISABLED=1", REFUSED),
        ({}, {"rollout.enabled": False}, "nothing is tried out: rollout.enabled is false", REFUSED),
        ({}, {"shadow.check": "no-such-program -q"}, "shadow.check: the check 'no-such-program -q' is not found", 1),
    ],
)
def test_where_it_may_not_run_it_says_why(bench, env, settings, why, code):
    bench.ask(1)
    with pytest.raises(UserError, match=why) as caught:
        bench.run(settings=settings, **env)
    assert caught.value.code == code
    assert list(Path(bench.place.user).glob("shadow/*/*")) == []


def test_of_two_at_once_one_waits_for_no_one(bench):
    from state import locks

    bench.ask(1)
    with (
        locks.hold(f"{bench.place.user}/shadow/{bench.place.project}.lock", 0),
        pytest.raises(UserError, match="locked"),
    ):
        bench.run()


def test_what_a_killed_call_has_left_is_removed_by_the_next(bench):
    left = Path(bench.place.user, "shadow", bench.place.project, "abc", ".git")
    left.mkdir(parents=True)
    only(bench)
    assert not left.exists()


@tells_ends
@pytest.mark.slow
def test_asked_to_end_it_leaves_nothing(bench):
    bench.ask(1)
    code = (
        "import os,sys\nfrom state.paths import locate\nfrom orchestrate.shadow import session\n"
        f"place, settings = locate({bench.repo.root!r}, os.environ), {bench.settings!r}\n"
        f"session.run(place, dict(os.environ), settings, {NAME!r}, 1, 1, print)"
    )
    env = {**bench.env, "WORK_HAIKU": "exec sleep 600", "PYTHONPATH": str(REPO)}
    with subprocess.Popen([sys.executable, "-c", code], env=env, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not bench.calls() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert "stopped on request" in err
    assert list(Path(bench.place.user).glob("shadow/*/*")) == []
    assert pairs.read(bench.place) == []
    assert INTERRUPTED == 130
    agents = [path for path in Path("/proc").glob("[0-9]*/cwd") if _leads_to(path, bench.place.user)]
    assert are_gone([int(path.parent.name) for path in agents])


def _leads_to(path, folder):
    try:
        return os.readlink(path).startswith(f"{folder}/shadow")
    except OSError:
        return False
