"""What grows does not make a hook slower: the prompt, the history of a session, the number of sessions."""

import importlib.util
import json
import os
import time
from pathlib import Path
from statistics import median

from gates import cpu_ratio, figure, held

from orchestrate import payloads
from orchestrate.measure import cases
from orchestrate.measure.runner import once
from orchestrate.request import memory
from state import journal
from state.paths import session_dir

PROMPT_LIMIT = 2.0
HISTORY_LIMIT = 1.5
SESSIONS_LIMIT = 1.15
HISTORY_BYTES = 1 << 30
SESSIONS = 10_000
WORDS = "please rename the helper in billing.py and add a test for the empty order, then say what changed. "


def large_over_small(box):
    small, large = ((WORDS * 11_000)[:size] for size in (100, 1_000_000))
    cold = cases.hook(box, "UserPromptSubmit", prompt=large, label="large")
    return cold, cpu_ratio(cold, cases.hook(box, "UserPromptSubmit", prompt=small, label="small"))


def test_a_prompt_of_1_mb(box, benchmark):
    large, measure = large_over_small(box)
    assert held(benchmark, measure, PROMPT_LIMIT, lambda: once(large))
    assert last_record(box)["payload"]["length"] == 1_000_000


def test_reading_all_of_a_prompt_exceeds_its_gate(slowed):
    box = slowed("orchestrate/request/prompt.py", "submitted", "sum(map(ord, arguments[0].text('prompt')))")
    _, measure = large_over_small(box)
    assert figure(measure, PROMPT_LIMIT) > PROMPT_LIMIT
    assert last_record(box)["payload"]["length"] == 1_000_000


def last_record(box, session=payloads.SESSION):
    return json.loads(journal.tail(str(box.log(session)), 1 << 16)[-1])


def with_history(box, session):
    """A session's log of 1 GB: a hole, and one decision at its end."""
    once(cases.hook(box, "UserPromptSubmit", session=session, label=session))
    log = box.log(session)
    decided = log.read_bytes()
    os.truncate(log, HISTORY_BYTES)
    with log.open("ab") as file:
        file.write(b"\n" + decided)
    assert log.stat().st_size > HISTORY_BYTES
    return log


def old_over_new(box):
    with_history(box, "old")
    old, new = (cases.hook(box, "UserPromptSubmit", session=name, label=name) for name in ("old", "new"))
    return old, cpu_ratio(old, new)


def test_a_session_with_1_gb_of_history(box, benchmark):
    old, measure = old_over_new(box)
    assert held(benchmark, measure, HISTORY_LIMIT, lambda: once(old))
    assert last_record(box, "old")["payload"]["turn"] > last_record(box, "new")["payload"]["turn"] > 1


def test_reading_the_history_exceeds_its_gate(slowed):
    whole = "call = arguments[0]; memory.journal.tail(session_dir(call.place, call.session) + '/log.jsonl', 1 << 26)"
    box = slowed("orchestrate/request/prompt.py", "submitted", f"from state.paths import session_dir; {whole}")
    _, measure = old_over_new(box)
    assert figure(measure, HISTORY_LIMIT) > HISTORY_LIMIT
    assert last_record(box, "old")["payload"]["turn"] > 1


def appended_ms(module, path, line):
    started = time.perf_counter()
    module.append(path, line)
    lines = module.tail(path, memory.LOG_TAIL)
    took_ms = (time.perf_counter() - started) * 1000
    assert lines[-1] == line
    return took_ms


def append_ratio(module, old):
    """The append and the bounded read alone, in turn on both logs: the process around them would hide much."""
    line = module.tail(str(old), memory.LOG_TAIL)[-1]

    def measure(rounds):
        times = {"old": [], "new": []}
        for turn in range(20 * rounds):
            new = old.with_name(f"new-{rounds}-{turn % 20}.jsonl")
            times["old"].append(appended_ms(module, str(old), line))
            times["new"].append(appended_ms(module, str(new), line))
        return median(times["old"]) / median(times["new"])

    return measure


def test_one_record_after_1_gb_of_history(box, benchmark):
    old = with_history(box, "old")
    measure = append_ratio(journal, old)
    assert held(benchmark, measure, HISTORY_LIMIT, lambda: journal.append(str(old), b"one record"))


def test_an_append_that_reads_exceeds_its_gate(slowed):
    box = slowed("state/journal.py", "append", "tail(arguments[0], 1 << 22)")
    spec = importlib.util.spec_from_file_location("slowed_journal", Path(box.package, "state/journal.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert figure(append_ratio(module, with_history(box, "old")), HISTORY_LIMIT) > HISTORY_LIMIT


def many_over_one(box, tmp_path):
    many = cases.sandbox(tmp_path / "many", box.package)
    for number in range(SESSIONS):
        Path(session_dir(many.place, f"session-{number}")).mkdir(parents=True)
    return cases.hook(many, "UserPromptSubmit"), cpu_ratio(
        cases.hook(many, "UserPromptSubmit"), cases.hook(box, "UserPromptSubmit")
    )


def test_10_000_sessions(box, tmp_path, benchmark):
    hook, measure = many_over_one(box, tmp_path)
    assert held(benchmark, measure, SESSIONS_LIMIT, lambda: once(hook))
    assert box.records() > 0


def test_listing_the_sessions_exceeds_its_gate(slowed, tmp_path):
    body = "import posix; posix.listdir(arguments[0].place.state + '/sessions')"
    box = slowed("orchestrate/request/prompt.py", "submitted", body)
    _, measure = many_over_one(box, tmp_path)
    assert figure(measure, SESSIONS_LIMIT) > SESSIONS_LIMIT
    assert box.records() > 0


def test_the_history_is_found_behind_the_hole(box):
    lines = journal.tail(str(with_history(box, "old")), memory.LOG_TAIL)
    assert [json.loads(line)["type"] for line in lines] == ["orchestration.prompt.decided"]
