"""What durability costs a step, how wide a run may be, and what the runner takes when it has nothing to do."""

import sys
import time
from itertools import pairwise
from pathlib import Path
from statistics import median

import psutil
import pytest
from gates import TRIES, kept

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests" / "workflow"))
from machine import Machine

from orchestrate.workflow import runs
from orchestrate.workflow.progress import seconds

CHAIN = 200
WIDE = 1_000
STEP_MS = {"sqlite": 10, "postgres": 15}
THREADS_MOST = 200  # 128 of them for steps
IDLE_MIB = 80
IDLE_PERCENT = 1  # of a core
IDLE_S = 10.0


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.database)])
def machine(request, tmp_path):
    url = "" if request.param == "sqlite" else request.getfixturevalue("cluster").url
    made = Machine(tmp_path / "m", url, "60")
    made.engine = request.param
    yield made
    made.end()


def gates(count, chained):
    waits = [f", depends_on: [s{number - 1}]" if chained and number else "" for number in range(count)]
    steps = [f'    - {{id: s{number}, gate: "1 == 1"{wait}}}\n' for number, wait in enumerate(waits)]
    return "workflow:\n  name: gates\n  steps:\n" + "".join(steps)


def ended(machine, header):
    assert machine.wait(header, 100).status == "finished"
    return [seconds(event["ts"]) for _, event in runs.events(header) if event["type"] == "orchestration.step.finished"]


def test_a_step_without_an_agent_costs_milliseconds(machine, benchmark):
    header = machine.begin(machine.workflow(gates(CHAIN, chained=True)))
    with machine.runner() as runner:
        times = ended(machine, header)
        runner.kill()
    taken_ms = median(1000 * (after - before) for before, after in pairwise(times))
    benchmark.pedantic(lambda: None, rounds=1)
    assert kept(benchmark, taken_ms, STEP_MS[machine.engine])


def test_a_thousand_steps_at_once_are_done(machine, benchmark):
    header = machine.begin(machine.workflow(gates(WIDE, chained=False)))
    with machine.runner() as runner:
        benchmark.pedantic(lambda: ended(machine, header), rounds=1)
        threads = psutil.Process(runner.pid).num_threads()
        runner.kill()
    print(f"a thousand steps at once: {threads} threads")
    assert threads <= THREADS_MOST
    assert sum(machine.told(header, "finished").values()) == WIDE


def cpu_percent(process):
    began, before = time.monotonic(), sum(process.cpu_times()[:2])
    time.sleep(IDLE_S)
    return 100 * (sum(process.cpu_times()[:2]) - before) / (time.monotonic() - began)


def test_an_idle_runner_is_small_and_quiet(machine, benchmark):
    header = machine.begin(machine.workflow(gates(4, chained=True)))
    with machine.runner() as runner:
        ended(machine, header)
        process = psutil.Process(runner.pid)
        time.sleep(1)
        percent = benchmark.pedantic(cpu_percent, (process,), rounds=1)
        for _ in range(TRIES - 1):  # the first may have seen the end of the run
            if percent > IDLE_PERCENT:
                percent = cpu_percent(process)
        size_mib = process.memory_info().rss / 2**20
        runner.kill()
    benchmark.extra_info["percent"] = round(percent, 2)
    print(f"idle: {size_mib:.1f} MiB, {percent:.2f} % of a core")
    assert kept(benchmark, size_mib, IDLE_MIB)
    assert percent <= IDLE_PERCENT
