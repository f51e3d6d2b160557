"""The command that an answer has to pass: the real program, a client that mends or does not, a check that is run."""

import json
import os
import signal
import sys
from contextlib import closing
from pathlib import Path

import pytest
from ending import are_gone
from faking import recorded_once
from living import HANG, TELL, run_id, script
from tiers import some

from orchestrate.agents import breaker, check, runs
from orchestrate.agents.stop import Stop
from state.errors import UserError

MENDED = "test -e mended"


@pytest.fixture
def checked(tmp_path):
    """Run one check in an empty folder."""

    def run(argv, total_s=60.0, env=os.environ):
        with closing(Stop()) as stop:
            return check.run(argv, env, str(tmp_path), total_s, run_id(), str(tmp_path / "user"), stop)

    return run


def attempts(record):
    return [(attempt["model"], attempt["kind"]) for attempt in record["attempts"]]


SHELL = "no shell runs this, and {} needs one: write sh -c '...' around all of it, or quote it where it is an argument"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("pytest -q", ["pytest", "-q"]),
        ("sh -c 'make && make test'", ["sh", "-c", "make && make test"]),
        ("make '>' log", ["make", ">", "log"]),
    ],
)
def test_a_check_is_words_and_no_shell(text, words):
    assert check.words(text) == words


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "--check: give a command, as --check 'pytest -q'"),
        ("  ", "--check: give a command, as --check 'pytest -q'"),
        ("sh -c 'make", '--check: "sh -c \'make": no closing quotation: quote it as for a shell'),
        ("make > log", f"--check: 'make > log': {SHELL.format('>')}"),
        ("make && make test", f"--check: 'make && make test': {SHELL.format('&&')}"),
    ],
)
def test_what_is_no_command(text, told):
    with pytest.raises(UserError) as error:
        check.words(text)
    assert (str(error.value), error.value.code) == (told, 2)


@pytest.mark.parametrize(
    ("script_", "code", "tail", "is_green"),
    [
        ("echo fine", 0, "fine\n", True),
        ("echo one; echo two >&2; exit 3", 3, "one\ntwo\n", False),
        ("kill -9 $$", 137, "", False),
        ("printf 'no end of line'", 0, "no end of line\n", True),
        ("echo key sk-ant-api03-abcdefghijklmnopqrstuvwxyz0123456789", 0, "key [redacted:anthropic-key]\n", True),
    ],
)
def test_how_a_check_ends(checked, script_, code, tail, is_green):
    done = checked(["sh", "-c", script_])
    assert (done.code, done.tail, done.is_green, done.fault) == (code, tail, is_green, None)


@pytest.mark.parametrize(
    ("out", "err", "kept_out", "kept_err"),
    some(
        [
            (9000, 0, 4000, 0),
            (0, 9000, 0, 4000),
            (9000, 9000, 2000, 2000),
            (9000, 500, 3500, 500),
            (10, 9000, 10, 3990),
        ],
        2,
    ),
)
def test_of_long_output_the_ends_are_kept(checked, out, err, kept_out, kept_err):
    code = f"import sys; sys.stdout.write(('o' * {out} + chr(10))[1:]); sys.stderr.write('e' * {err})"
    assert checked([sys.executable, "-IS", "-c", code]).tail == ("o" * kept_out + "\n")[1:] + "e" * kept_err


def test_a_check_that_is_not_there_is_a_fault_of_the_check(checked):
    done = checked(["no-such-check"])
    assert (done.code, done.is_green, done.fault) == (None, False, "the check 'no-such-check' is not found")
    assert (done.evidence.red_check, done.evidence.no_check) == (None, done.fault)


def test_a_check_that_takes_too_long_is_ended_and_red(checked, clock):
    clock.starts_after(1)
    text = f"echo begun; {TELL}; exec sleep 600"
    done = checked(["sh", "-c", text], total_s=0.1)
    assert (done.code, done.tail, done.result) == (None, "begun\n", "it took too long")
    assert done.evidence.red_check == f"sh -c '{text}': it took too long"


def test_what_a_check_leaves_running_is_ended(checked, tmp_path):
    daemon = "setsid sh -c 'echo $$ > pid; exec sleep 600' &"
    assert checked([script(tmp_path / "check", f"{daemon}\nwhile [ ! -s pid ]; do sleep 0.01; done")]).is_green
    assert are_gone([int((tmp_path / "pid").read_text())], 0)


def test_a_green_check_lets_the_answer_stand(desk):
    asked = desk.ask("mends", "--json", "--check", MENDED)
    record = asked.record
    assert (asked.code, record["outcome"], record["answer"]) == (0, "ok", "done by haiku")
    assert (attempts(record), record["check"]) == (
        [("haiku", "ok")],
        {"command": MENDED, "code": 0, "tail": ""},
    )
    assert "haiku-general: the check is green\n" in asked.err


def test_without_a_check_there_is_none_in_the_record(desk):
    assert desk.told("ok")["check"] is None


def test_a_red_check_brings_a_stronger_agent_that_is_told_of_it(desk):
    line = "sh -c 'echo 1 failed; echo see log >&2; test -e mended'"
    asked = desk.ask("ok mends", "--json", "--check", line)
    record = asked.record
    assert (asked.code, record["outcome"], record["agent"], record["answer"]) == (
        0,
        "ok",
        "sonnet-general",
        "done by sonnet",
    )
    assert attempts(record) == [("haiku", "ok"), ("sonnet", "ok")]
    assert record["attempts"][0]["detail"] == f"the check is red: {line}: exit code 1"
    assert record["check"] == {"command": line, "code": 0, "tail": "1 failed\nsee log\n"}
    stdin = desk.saw("stdin")
    assert stdin.startswith("Fix typo in README.md\n\nAnother model has worked on this already")
    assert f"The check `{line}` failed then (exit code 1)." in stdin
    assert stdin.endswith("\n\n1 failed\nsee log\n")
    assert "1 failed" not in desk.saw("argv")
    assert "the check has said: see log" in asked.err


def test_a_check_that_stays_red_is_exit_code_1(desk):
    asked = desk.ask("ok", "--check", MENDED)
    run = runs.listed(desk.place)[0]
    assert (asked.code, asked.out) == (1, "done by haiku\ndone by sonnet\n")
    last = f"orchestrate-request: red_check: the check is red: {MENDED}: exit code 1 (run {run.run})"
    assert asked.err.splitlines()[-1] == last
    assert (run.record["outcome"], run.record["answer"], run.record["check"]["code"]) == (
        "red_check",
        "done by sonnet",
        1,
    )
    assert attempts(run.record) == [("haiku", "ok"), ("sonnet", "ok")]
    assert recorded_once(desk.place) == {run.run: "red_check"}


@pytest.mark.parametrize(
    "words", [("--agent", "haiku-general"), pytest.param(("--model", "haiku"), marks=pytest.mark.slow)]
)
def test_who_names_an_agent_or_a_model_gets_no_other_for_a_red_check(desk, words):
    record = desk.told("ok", "--check", MENDED, *words)
    assert (record["outcome"], record["exit_code"], attempts(record)) == ("red_check", 1, [("haiku", "ok")])


def test_what_failed_is_not_checked(desk):
    record = desk.told("auth", "--check", "touch checked")
    assert (record["outcome"], record["check"]) == ("auth", None)
    assert not os.path.exists(f"{desk.place.root}/checked")


@pytest.mark.slow
def test_who_asks_for_a_stronger_agent_is_not_checked(desk):
    record = desk.told("escalate mends", "--check", "sh -c 'echo checked; test -e mended'")
    assert (attempts(record), record["check"]["code"]) == ([("haiku", "ok"), ("opus", "ok")], 0)
    assert "check" not in desk.saw("stdin")


def test_a_check_that_cannot_be_started_makes_the_work_no_dearer(desk):
    asked = desk.ask("ok", "--json", "--check", "no-such-check")
    record = asked.record
    assert (asked.code, record["outcome"], attempts(record)) == (1, "no_check", [("haiku", "ok")])
    assert (record["detail"], record["answer"]) == ("the check 'no-such-check' is not found", "done by haiku")


@pytest.mark.slow
def test_a_red_check_says_nothing_of_the_service(desk):
    for _ in range(3):
        desk.told("ok", "--check", "false", "--agent", "haiku-general")
    assert breaker.view(desk.place.user, 0) == {}


def test_a_check_has_the_users_environment_and_not_the_agents(desk):
    desk.told("ok", "--check", "sh -c 'env > seen; pwd > where'", MINE="yes")
    root = Path(desk.place.root)
    seen = dict(line.split("=", 1) for line in (root / "seen").read_text().splitlines() if "=" in line)
    assert (seen["MINE"], (root / "where").read_text()) == ("yes", f"{root}\n")
    names = {name for name in seen if name.startswith(("ORCHESTRATOR_", "CLAUDE", "API_"))}
    assert names == {"ORCHESTRATOR_RUN", "ORCHESTRATOR_RUN__BACKOFF_S", "ORCHESTRATOR_CORRELATION"}


@pytest.mark.slow  # the time is the agent's too, which has to be done before, also on a busy machine
def test_a_check_gets_what_is_left_of_the_time(desk):
    record = desk.told("ok", "--check", "sleep 600", "--timeout", "6", ORCHESTRATOR_RUN__ATTEMPTS="1")
    assert (record["outcome"], record["detail"], record["exit_code"]) == (
        "red_check",
        "the check is red: sleep 600: it took too long",
        1,
    )
    assert 6000 <= record["took_ms"] < 60_000
    assert record["overhead_ms"] < record["took_ms"] - 2000  # of the check nothing


@pytest.mark.parametrize("words", [(), ("--agent", "haiku-general")])
@pytest.mark.parametrize("signum", some([signal.SIGINT, signal.SIGTERM], 1))
def test_asked_to_end_during_a_check_we_end_all_of_it(desk, fifo, signum, words, tmp_path):
    check_ = script(tmp_path / "check", f"setsid sh -c '{HANG}' & {HANG}")
    process = desk.start("ok", "--json", "--check", check_, *words)
    pids = fifo.pids(2)
    process.send_signal(signum)
    out, _ = process.communicate(timeout=60)
    record = json.loads(out)
    assert (process.returncode, record["outcome"], record["exit_code"]) == (130, "aborted", 130)
    assert are_gone(pids, 0)
    assert recorded_once(desk.place) == {record["run"]: "aborted"}


def test_kill_9_of_us_ends_the_check(desk, fifo):
    process = desk.start("ok", "--check", "sh -c 'echo $$ > \"$FIFO\"; exec sleep 600'")
    pids = fifo.pids(1)
    process.kill()
    process.communicate(timeout=60)
    assert are_gone(pids)
