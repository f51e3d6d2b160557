"""What becomes of a request whose attempts end in every way that there is: the real program, a client that is told."""

import json
import os
import re
import time

import pytest
from faking import events, recorded_once
from tiers import some

from orchestrate.agents import answer, breaker, runs
from orchestrate.agents.progress import Progress
from orchestrate.request import context, mode
from orchestrate.request.call import Call
from state import quota, snapshot


def attempts(record):
    return [(attempt["model"], attempt["kind"]) for attempt in record["attempts"]]


def test_one_request_from_the_decision_to_the_record(desk):
    asked = desk.ask("ok", "--json", "--session", "s1", FAKE_KEY="ANTHROPIC_API_KEY")
    record = asked.record
    [decided, started, finished] = events(desk.place)
    assert asked.code == 0
    assert {name: record[name] for name in ("session", "mode", "agent", "tier", "outcome", "exit_code", "answer")} == {
        "session": "s1",
        "mode": "orchestration",
        "agent": "haiku-general",
        "tier": "haiku",
        "outcome": "ok",
        "exit_code": 0,
        "answer": "done by haiku",
    }
    assert (record["model_requested"], record["model_served"]) == ("haiku", "claude-haiku-5-5")
    assert record["models"] == {
        "claude-haiku-5-5": {
            "input_tokens": 10,
            "output_tokens": 5,
            "cache_read_tokens": 200,
            "cache_write_tokens": 3,
            "cost_usd": 0.000195,
        }
    }
    assert record["cost_usd"] == 0.000195
    assert 0 < record["overhead_ms"] < record["took_ms"]
    assert [event["type"].rpartition("orchestration.")[2] for event in (decided, started, finished)] == [
        "prompt.decided",
        "run.started",
        "run.finished",
    ]
    assert {event["prompt_id"] for event in (decided, started, finished)} == {record["prompt_id"]}
    assert json.loads(json.dumps(runs.find(desk.place, record["run"]).record)) == record
    assert recorded_once(desk.place) == {record["run"]: "ok"}


@pytest.mark.slow
def test_without_an_api_key_there_is_no_price(desk):
    record = desk.told("ok")
    assert (record["cost_usd"], record["models"]["claude-haiku-5-5"]["cost_usd"]) == (None, None)


def test_the_answer_is_on_stdout_and_the_story_on_stderr(desk):
    asked = desk.ask("ok")
    assert (asked.code, asked.out) == (0, "done by haiku\n")
    assert re.sub(r"after \d+:\d\d,", "after 0:00,", asked.err).splitlines() == [
        "haiku-general: started on haiku",
        "haiku-general: ok after 0:00, claude-haiku-5-5, 1 turn, 214 tokens",
    ]


@pytest.mark.parametrize(
    ("fake", "outcome", "code", "tries"),
    some(
        [
            ("garbage", "no_json", 1, 2),
            ("cut", "no_json", 1, 2),
            ("nothing", "empty", 1, 2),
            ("blank", "empty", 1, 2),
            ("error_inside", "lying_success", 1, 2),
            ("unserved", "lying_success", 1, 2),
            ("crash", "crashed", 1, 2),
            ("terminated", "killed", 1, 1),
            ("killed", "killed", 1, 1),
            ("limited_bare", "rate_limited", 1, 3),
            ("auth", "auth", 1, 1),
            ("budget", "budget", 4, 1),
            ("blocked", "blocked", 4, 1),
            ("denied", "permission_denied", 4, 1),
        ],
        ("garbage", "budget"),
    ),
)
def test_how_a_failure_ends(desk, fake, outcome, code, tries):
    asked = desk.ask(fake, "--json")
    assert (asked.code, asked.record["outcome"], asked.record["exit_code"]) == (code, outcome, code)
    assert attempts(asked.record) == [("haiku", outcome)] * tries
    assert (asked.record["answer"], len(desk.calls())) == ("", tries)
    assert list(recorded_once(desk.place).values()) == [outcome]


@pytest.mark.parametrize(
    "first",
    some(["garbage", "nothing", "error_inside", "crash", "limited_bare", "overloaded", "server_error"], ("crash",)),
)
def test_what_passes_is_tried_again(desk, first):
    asked = desk.ask(f"{first} ok")
    assert (asked.code, asked.out) == (0, "done by haiku\n")
    assert desk.calls() == [(first, "haiku"), ("ok", "haiku")]


@pytest.mark.slow
def test_one_attempt_is_one_attempt(desk):
    assert len(desk.told("crash", ORCHESTRATOR_RUN__ATTEMPTS="1")["attempts"]) == 1


@pytest.mark.slow
def test_a_failure_is_told_in_one_line_without_its_secrets(desk):
    asked = desk.ask("secret")
    assert (asked.code, asked.out) == (1, "")
    run = runs.listed(desk.place)[0]
    told = asked.err.splitlines()[-1]
    assert told == f"orchestrate-request: crashed: error: key [redacted:anthropic-key] refused (run {run.run})"
    assert "sk-ant" not in asked.err + json.dumps(run.record) + json.dumps(events(desk.place))


@pytest.mark.slow
def test_a_limit_is_waited_for(desk):
    began = time.time()
    asked = desk.ask("limited ok")
    assert (asked.code, asked.out, desk.calls()) == (0, "done by haiku\n", [("limited", "haiku"), ("ok", "haiku")])
    assert time.time() >= int(began) + 1


def test_what_the_platform_says_of_a_limit_is_kept_for_all_sessions(desk):
    assert desk.ask("warned").code == 0
    reading = quota.read(desk.place.user)["five_hour"]
    assert (reading.used, reading.source) == (91.0, "stream")
    assert 7000 < reading.resets_at - time.time() <= 7200


@pytest.mark.slow
def test_a_limit_beyond_the_time_there_is_fails_at_once(desk):
    record = desk.told("limited", FAKE_RESET_S="7200", ORCHESTRATOR_RUN__TIMEOUT_S="60")
    assert (record["outcome"], len(record["attempts"]), record["exit_code"]) == ("rate_limited", 1, 1)
    assert record["took_ms"] < 60_000


@pytest.mark.slow
def test_an_overloaded_model_gets_a_stand_in(desk):
    record = desk.told("overloaded overloaded overloaded ok")
    assert attempts(record) == [("haiku", "overloaded")] * 3 + [("sonnet", "ok")]
    assert (record["model_requested"], record["model_served"], record["answer"]) == (
        "sonnet",
        "claude-sonnet-5-5",
        "done by sonnet",
    )


def test_a_model_that_is_not_there_gets_a_stand_in_at_once(desk):
    assert attempts(desk.told("no_model ok")) == [("haiku", "model_not_found"), ("sonnet", "ok")]


def test_a_model_that_the_user_named_gets_none(desk):
    record = desk.told("no_model", "--model", "opus")
    assert (attempts(record), record["exit_code"]) == ([("opus", "model_not_found")], 1)


@pytest.mark.parametrize(
    ("words", "flags"),
    some(
        [
            ((), "--model haiku --agent haiku-general --fallback-model sonnet --session-id"),
            (("--agent", "opus-general"), "--model opus --agent opus-general --fallback-model sonnet --session-id"),
            (("--model", "haiku"), "--model haiku --agent haiku-general --session-id"),
        ],
        1,
    ),
)
def test_the_client_is_told_who_stands_in_unless_the_user_named_the_model(desk, words, flags):
    assert desk.ask("ok", *words).code == 0
    assert flags in desk.saw("argv")


@pytest.mark.slow
def test_a_model_that_does_not_answer_stands_in_for_nobody(desk):
    for _ in range(3):
        breaker.failed(desk.place.user, "sonnet", "overloaded", time.time())
    assert desk.ask("ok").code == 0
    assert "--model haiku --agent haiku-general --fallback-model opus" in desk.saw("argv")


@pytest.mark.slow
def test_a_tier_may_stand_for_a_model_of_the_users_choice(desk):
    models = {"ORCHESTRATOR_MODELS__HAIKU": "claude-haiku-4-5", "ORCHESTRATOR_MODELS__SONNET": "claude-sonnet-4-6"}
    record = desk.told("ok", **models)
    assert "--model claude-haiku-4-5 --agent haiku-general --fallback-model claude-sonnet-4-6" in desk.saw("argv")
    assert (record["model_requested"], attempts(record)) == ("claude-haiku-4-5", [("haiku", "ok")])


@pytest.mark.parametrize("fake", some(["fallen", "fallen_silently"], 1))
def test_who_stood_in_within_the_client_is_told_beside_who_was_asked(desk, fake):
    asked = desk.ask(fake, "--json")
    record = asked.record
    (attempt,) = record["attempts"]
    told = "overloaded: sonnet stood in for haiku"
    assert (record["outcome"], record["model_requested"], record["model_served"], record["detail"]) == (
        "ok",
        "haiku",
        "claude-sonnet-5-5",
        told,
    )
    assert (attempt["model"], attempt["served"], attempt["detail"]) == ("haiku", "claude-sonnet-5-5", told)
    switched = "overloaded: the client goes on with claude-sonnet-5-5 in place of claude-haiku-5-5"
    assert (switched in asked.err) == (fake == "fallen")


@pytest.mark.slow
@pytest.mark.parametrize("fake", some(["fallen", "fallen_silently"], 1))
def test_a_model_that_fell_back_within_the_client_has_failed(desk, fake):
    """Its stand-in has not: with the third time the asked model is left alone."""
    for _ in range(3):
        assert desk.ask(fake, "--agent", "haiku-general").code == 0
    seen = breaker.view(desk.place.user, time.time())
    assert {model: view["state"] for model, view in seen.items()} == {"haiku": "open"}


@pytest.mark.slow
def test_where_the_stand_in_fails_too_both_have_failed(desk):
    record = desk.told("fallen_for_nothing fallen_for_nothing fallen_for_nothing ok", "--agent", "haiku-general")
    assert attempts(record) == [("haiku", "overloaded")] * 3 + [("opus", "ok")]
    seen = breaker.view(desk.place.user, time.time())
    assert {model: view["state"] for model, view in seen.items()} == {"haiku": "open", "sonnet": "open"}


@pytest.mark.slow
def test_a_stand_in_that_is_not_there_either_is_not_asked_again(desk):
    record = desk.told("missing_both ok", "--agent", "haiku-general")
    assert attempts(record) == [("haiku", "model_not_found"), ("opus", "ok")]
    assert breaker.view(desk.place.user, time.time()) == {}


@pytest.mark.slow
def test_a_service_that_stays_broken_is_asked_three_times_for_each_model(desk):
    record = desk.told("server_error")
    assert attempts(record) == [(model, "api_error") for model in ("haiku", "sonnet", "opus") for _ in range(3)]
    assert record["exit_code"] == 1


@pytest.mark.slow
def test_when_all_are_overloaded_the_request_fails(desk):
    record = desk.told("overloaded", ORCHESTRATOR_RUN__ATTEMPTS="1")
    assert attempts(record) == [(model, "overloaded") for model in ("haiku", "sonnet", "opus")]
    assert record["exit_code"] == 1


def test_an_agent_that_asks_for_a_stronger_one_gets_it(desk):
    record = desk.told("escalate ok")
    assert attempts(record) == [("haiku", "ok"), ("opus", "ok")]
    assert (record["agent"], record["tier"], record["answer"]) == ("opus-general", "opus", "done by opus")
    assert record["models"].keys() == {"claude-haiku-5-5", "claude-opus-5-5"}


@pytest.mark.slow
def test_a_named_agent_is_not_escalated(desk):
    record = desk.told("escalate", "--agent", "haiku-general")
    assert (attempts(record), record["answer"]) == ([("haiku", "ok")], '{"escalate":"opus"}')


@pytest.mark.slow
def test_too_many_turns_go_to_the_next_tier(desk):
    record = desk.told("max_turns ok")
    assert attempts(record) == [("haiku", "max_turns"), ("sonnet", "ok")]
    assert (record["agent"], record["tier"]) == ("sonnet-general", "sonnet")


@pytest.mark.slow
def test_a_hang_is_ended_tried_once_more_and_is_124(desk):
    asked = desk.ask("hang", "--json", "--timeout", "1", ORCHESTRATOR_RUN__ATTEMPTS="30")  # half a minute for both
    record = asked.record
    assert (asked.code, record["outcome"], attempts(record)) == (124, "timeout", [("haiku", "timeout")] * 2)
    assert all(1000 <= attempt["took_ms"] < 60_000 for attempt in record["attempts"])


def test_silence_is_a_stall(desk):
    record = desk.told("hang", ORCHESTRATOR_RUN__STALL_S="0.4")
    assert (record["outcome"], record["exit_code"], len(record["attempts"])) == ("stalled", 124, 1)
    assert record["took_ms"] < 60_000


def test_a_loop_is_ended_and_named(desk):
    record = desk.told("loop")
    assert (record["outcome"], record["exit_code"]) == ("stalled", 124)
    assert "Bash was called" in record["detail"]
    assert record["took_ms"] < 60_000


@pytest.mark.slow
def test_three_failures_in_a_row_keep_others_from_asking(desk):
    desk.told("overloaded", "--model", "haiku", "--session", "s1")
    shared = desk.place.user
    assert breaker.view(shared, time.time())["haiku"]["state"] == "open"
    first = desk.ask("ok", "--json", "--session", "s2")
    assert (first.code, attempts(first.record)) == (0, [("sonnet", "ok")])
    assert first.err.splitlines()[0] == ("orchestrate-request: haiku does not answer just now: sonnet instead of haiku")
    second = desk.ask("ok", "--json", "--session", "s3", "--agent", "haiku-general")
    assert (second.code, attempts(second.record)) == (0, [("sonnet", "ok")])
    assert "haiku has failed too often just now: sonnet stands in" in second.err
    assert (second.record["tier"], second.record["decision"]["tier"]) == ("haiku", "haiku")


@pytest.mark.slow
def test_two_runs_share_a_session(desk):
    first, second = (desk.start("slow", "--json", "--session", "s1") for _ in range(2))
    records = [json.loads(process.communicate(timeout=60)[0]) for process in (first, second)]
    assert [record["outcome"] for record in records] == ["ok", "ok"]
    assert [record["session"] for record in records] == ["s1", "s1"]
    assert recorded_once(desk.place) == {record["run"]: "ok" for record in records}


@pytest.mark.slow
def test_twenty_at_once_run_three_at_a_time(desk):
    started = [desk.start("crowd", "--json", FAKE_TERSE="1") for _ in range(20)]
    records = [json.loads(process.communicate(timeout=100)[0]) for process in started]
    assert [process.returncode for process in started] == [0] * 20
    assert recorded_once(desk.place) == {record["run"]: "ok" for record in records}
    assert len(desk.calls()) == 20
    assert desk.most_at_once() == 3


@pytest.mark.slow
def test_who_waits_too_long_for_a_place_is_told_who_runs(desk, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with desk.start("hang", ORCHESTRATOR_RUN__AT_ONCE="1", FIFO=str(fifo)) as holder:
        fifo.read_text()
        asked = desk.ask("ok", ORCHESTRATOR_RUN__AT_ONCE="1", ORCHESTRATOR_RUN__WAIT_S="0.2")
        holder.terminate()
    assert (asked.code, asked.out) == (75, "")
    assert asked.err == (
        f"orchestrate-request: {desk.place.user}/slots: all 1 taken for 0.2 s by pid {holder.pid}: "
        "try again, or end one of them\n"
    )


@pytest.mark.slow
def test_who_waits_for_a_place_is_told_so_and_when_there_is_one(desk, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with desk.start("hang", ORCHESTRATOR_RUN__AT_ONCE="1", FIFO=str(fifo)) as holder:
        fifo.read_text()
        waiting = desk.start("hang ok", ORCHESTRATOR_RUN__AT_ONCE="1")
        first = waiting.stderr.readline()
        holder.terminate()
        out, rest = waiting.communicate(timeout=60)
    assert first == f"haiku-general: waiting for a place: all 1 are taken by pid {holder.pid}\n"
    assert re.fullmatch(r"haiku-general: got a place after \d+ s", rest.splitlines()[0])
    assert (waiting.returncode, out) == (0, "done by haiku\n")


ABANDONED = "haiku-general: what stdout has so far is of the attempt that was given up"


@pytest.mark.parametrize(
    ("fakes", "is_checked", "out"),
    some(
        [
            ("cut ok", False, "so far\ndone by haiku\n"),  # a retry
            ("cut_off ok", False, "so far\ndone by sonnet\n"),  # a fallback
            ("lines ok", True, "one\ntwo\nthree\ndone by sonnet\n"),  # an escalation
        ],
        1,
    ),
)
def test_what_a_given_up_attempt_has_printed_is_told_to_be_that(desk, fakes, is_checked, out):
    check = ("--check", f"sh -c 'test $(wc -l < {desk.folder}/calls) = 2'") if is_checked else ()
    asked = desk.ask(fakes, *check)
    lines = asked.err.splitlines()
    assert (asked.code, asked.out, lines.count(ABANDONED)) == (0, out, 1)
    assert lines.index(ABANDONED) < next(n for n, line in enumerate(lines) if "started on" in line and n)


@pytest.mark.slow
def test_where_nothing_was_printed_nothing_is_said_of_it(desk):
    assert ABANDONED not in desk.ask("crash ok").err
    (desk.folder / "calls").unlink()
    assert ABANDONED not in desk.ask("fallen").err  # the client has kept the conversation


@pytest.mark.slow
def test_with_json_stdout_is_the_final_record_alone(desk):
    asked = desk.ask("cut ok", "--json")
    assert (asked.code, asked.record["answer"], ABANDONED in asked.err) == (0, "done by haiku", False)


@pytest.mark.slow
def test_the_answer_comes_while_the_agent_is_at_work(desk):
    process = desk.start("talks")
    assert (process.stdout.readline(), process.poll()) == ("so far\n", None)
    process.terminate()
    assert process.communicate(timeout=60)[0] == ""
    assert process.returncode == 130


@pytest.mark.slow
def test_where_the_story_is_json_every_line_is_and_names_its_run(desk):
    asked = desk.ask("cut ok", "-v", "--log-format", "json")
    lines = [json.loads(line) for line in asked.err.splitlines()]
    (run,) = recorded_once(desk.place)
    assert (asked.code, {line["run"] for line in lines}) == (0, {run})
    assert [line["event"] for line in lines] == [
        "run.started",
        "attempt.finished",
        "run.told",
        "run.told",
        "attempt.finished",
        "run.finished",
    ]
    assert ABANDONED.endswith(lines[3]["message"])


@pytest.mark.slow
def test_without_a_level_that_shows_it_the_story_is_what_went_wrong(desk):
    (line,) = map(json.loads, desk.ask("crash ok", "--log-format", "json").err.splitlines())
    assert (line["event"], line["message"]) == ("run.told", "crashed: retry: Error: something broke")


@pytest.mark.slow
def test_all_attempts_together_get_no_more_than_there_is(desk, place, monkeypatch):
    """As in a hook, which the client ends with all that it has started."""
    for name, value in {**desk.env, "FAKE": "hang"}.items():
        monkeypatch.setenv(name, value)
    payload = {"prompt": "Fix typo in README.md", "prompt_id": "p"}
    call = Call(payload, dict(os.environ), place, snapshot.read(place, dict(os.environ)), "s1", time.time())
    found = context.detect(call.env, call.settings.values, 12, has_workflow=False, presumed=False)
    outcome = answer.decide(call, call.text("prompt"), found, mode.select(found, call.settings.values, call.env))
    outcome.payload["overhead_ms"] = 1.0
    record = answer.run(
        call, call.text("prompt"), outcome, print, Progress(None, "", {}), print, within_s=0.6, started_ns=None
    )
    assert (record["outcome"], attempts(record)) == ("timeout", [("haiku", "timeout")])
    assert 600 <= record["took_ms"] < 60_000
