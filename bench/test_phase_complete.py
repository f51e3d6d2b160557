"""How long a user waits for `phase complete`: a process that checks the files, asks git and tells the store.

Both what the process and git take of the cpu and the time on the clock: the latter as it would be were the machine ours
alone, by a program beside it that does nothing but count.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

import pytest
from conftest import LEFT_OUT, WRAPPER
from gates import figure, kept

LIMIT_MS = 250.0
PHASES = 5  # those that `phase complete` completes; the last one ends with the session
WALKS = 3
FILES = {"TASK.md": "x", "CONTEXT.md": "x", "PLAN.md": "- a\n", "TODO.md": "- a\n", "CHANGES.md": "x"}
PACKAGES = ("orchestrate", "routing", "state", "metrics")
BURN = "sum(range(30_000_000))"  # beyond the limit on any machine
COUNTS = "sum(range(2_000_000))"


class Took(NamedTuple):
    cpu_ms: float
    wall_ms: float


def taken(command, **more):
    """What it says, and what it took."""
    child = subprocess.Popen(command, stdout=subprocess.PIPE, **more)
    began = time.perf_counter()
    said = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.stdout.close()
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0, said
    return said, Took((usage.ru_utime + usage.ru_stime) * 1000, (time.perf_counter() - began) * 1000)


@pytest.fixture
def walked(home, tmp_path):
    """What completing a phase takes: the median of the phases, of each the quickest of several walks."""

    def make(package, url=""):
        project = tmp_path / "project"
        subprocess.run(["git", "init", "--quiet", str(project)], check=True)
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", "-C", project, *who, "commit", "--quiet", "--allow-empty", "-m", "first"], check=True)
        env = {**os.environ, "PYTHONPATH": str(package), "ORCHESTRATOR_STORE__URL": url}
        env.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has its bytecode

        shares = []  # of the cpu, that we had

        def run(*words):
            return taken([sys.executable, "-m", "orchestrate", *words], cwd=project, env=env)

        run("init")
        run("task", "create", "T", "--title", "t", "--description", "d", "--acceptance", "a")

        def walk():
            run("session", "start", "T", "--new")
            for name, text in FILES.items():
                (project / name).write_text(text)
            for phase in range(PHASES):
                said, took = run("phase", "complete", "T", "--json", *(["--approve"] if phase == PHASES - 1 else []))
                assert json.loads(said)["completed"]
                counted = taken([sys.executable, "-I", "-S", "-c", COUNTS])[1]
                shares.append(counted.cpu_ms / counted.wall_ms)
                yield took

        def measure(name, walks=WALKS):
            shares.clear()
            rounds = [list(walk()) for _ in range(walks)]
            value = median(min(getattr(took, name) for took in phase) for phase in zip(*rounds, strict=True))
            return value * (min(1.0, median(shares)) if name == "wall_ms" else 1.0)

        return measure

    return make


@pytest.fixture(params=["sqlite", "postgres"])
def url(request):
    return request.getfixturevalue("cluster").url if request.param == "postgres" else ""


@pytest.fixture
def package(tmp_path):
    """A copy that nobody changes; or one whose `complete` runs `body` first."""

    def make(body=""):
        folder = tmp_path / "copy"
        for name in PACKAGES:
            shutil.copytree(Path(__file__).parent.parent / name, folder / name, ignore=LEFT_OUT)
        with open(folder / "orchestrate/phases/completing.py", "a") as source:
            source.write(WRAPPER.format(name="complete", body=body) if body else "")
        return folder

    return make


def driver_ms():
    """What the driver for PostgreSQL takes to be imported: more than all of ours."""

    def cpu_ms(code):
        child = subprocess.Popen([sys.executable, "-c", code])
        _, _, usage = os.wait4(child.pid, 0)
        child.returncode = 0
        return (usage.ru_utime + usage.ru_stime) * 1000

    return min(cpu_ms("import psycopg") for _ in range(5)) - min(cpu_ms("pass") for _ in range(5))


def test_the_cpu_that_completing_a_phase_takes(url, walked, package, benchmark):
    """Beyond the import of a driver."""
    measure = walked(package(), url)
    driver = driver_ms() if url else 0.0
    value = benchmark.pedantic(figure, (lambda _: measure("cpu_ms") - driver, LIMIT_MS), rounds=1)
    benchmark.extra_info["driver_ms"] = round(driver, 1)
    assert kept(benchmark, value, LIMIT_MS)


def test_the_time_that_completing_a_phase_takes(url, walked, package, benchmark):
    measure = walked(package(), url)
    value = benchmark.pedantic(figure, (lambda _: measure("wall_ms"), LIMIT_MS), rounds=1)
    assert kept(benchmark, value, LIMIT_MS)


@pytest.mark.parametrize("name", ["cpu_ms", "wall_ms"])
def test_a_slow_completion_exceeds_its_gate(walked, package, name):
    measure = walked(package(BURN))
    assert figure(lambda _: measure(name, walks=1), LIMIT_MS) > LIMIT_MS
