"""One log, many processes: killed at any instant, many at once, two versions side by side."""

import json
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from copies import copy_of
from patient import patient
from payloads import AT_HOME, SESSION, files, logged, payload, prompt, said

from orchestrate import bundle, hookline
from state import paths

PROCESSES = 16
PROMPTS = 50
KILLS = 500
SEED = 20261121


def arguments(home=None):
    python, here = hookline.here()
    return list(map(_patient, hookline.arguments(python, str(home or here))))


def _patient(word):
    return patient(word) if word == hookline.BOOT else word


@pytest.fixture
def run(project, home):
    """Run one hook of the package in `package` to its end: (exit code, stdout, stderr)."""
    env = {"HOME": str(home), **AT_HOME}

    def call(content, package=None):
        raw = json.dumps(content).encode()
        done = subprocess.run(
            arguments(package), input=raw, capture_output=True, cwd=project, env=env, timeout=60, check=False
        )
        return done.returncode, done.stdout, done.stderr

    return call


def submitted(place):
    return sorted(record["prompt_id"] for record in logged(place) if record["type"] == "orchestration.prompt.decided")


def all_at_once(run, processes, prompts):
    """Every answer of `processes` that submit `prompts` prompts each, one after another."""

    def one(number):
        return [run(prompt("Fix typo in README.md", prompt_id=f"{number:02d}-{at:02d}")) for at in range(prompts)]

    with ThreadPoolExecutor(processes) as pool:
        return [answer for answers in pool.map(one, range(processes)) for answer in answers]


def expected(processes, prompts):
    return [f"{number:02d}-{at:02d}" for number in range(processes) for at in range(prompts)]


@pytest.mark.slow
def test_processes_at_once_lose_no_record(run, place):
    answers = all_at_once(run, 8, 4)
    assert {(code, stderr) for code, _, stderr in answers} == {(0, b"")}
    assert submitted(place) == expected(8, 4)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_sixteen_processes_of_fifty_prompts_leave_eight_hundred_records(run, place, home):
    answers = all_at_once(run, PROCESSES, PROMPTS)
    assert {(code, stderr) for code, _, stderr in answers} == {(0, b"")}
    assert all(said(stdout) for _, stdout, _ in answers)
    assert submitted(place) == expected(PROCESSES, PROMPTS)
    assert len({record["id"] for record in logged(place)}) == PROCESSES * PROMPTS
    assert len(files(home)) == 1


def killed(content, after_s, project, home):
    """What a hook had said when it was killed, and whether it was: it may have ended before."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(arguments(), cwd=project, env={"HOME": str(home), **AT_HOME}, **pipes)
    try:
        return process.communicate(json.dumps(content).encode(), timeout=after_s)[0], False
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()[0], True


def records_and_rests(place):
    """The whole records of the session's log, and what kills cut short: the system may stop a write at a page's end,
    the next writer then closes the rest off, so a rest is the beginning of one record on a line of its own."""
    with open(f"{paths.session_dir(place, SESSION)}/{paths.LOG}", "rb") as log:
        lines = log.read().split(b"\n")
    records, rests = [], []
    for line in lines[:-1]:
        try:
            records.append(json.loads(line))
        except ValueError:
            rests.append(line)
    return records, [*rests, *lines[-1:]] if lines[-1] else rests


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_at_any_instant_no_line_is_mixed_and_none_that_was_answered_is_lost(run, project, place, home):
    instants, longest_s = random.Random(SEED), 0.05
    answered = []
    for number in range(KILLS):
        content = prompt("Fix typo in README.md", prompt_id=f"{number:03d}")
        said_before, was_killed = killed(content, instants.uniform(0, longest_s), project, home)
        # Three of four are killed, however fast the machine is just now.
        longest_s *= 1.05 if was_killed else 0.87
        if said_before:
            assert said(said_before)
            answered.append(f"{number:03d}")
    assert run(payload("Stop"))[0] == 0
    records, rests = records_and_rests(place)
    kept = [record["prompt_id"] for record in records if record["type"] == "orchestration.prompt.decided"]
    assert len(set(kept)) == len(kept)
    assert set(answered) <= set(kept)
    assert KILLS / 20 < len(kept) < KILLS * 19 / 20  # the instants fell on both sides of the record
    assert [rest[:5] for rest in rests] == [b'{"v":'] * len(rests)
    assert all(rest.count(b'{"v":') == 1 for rest in rests)
    assert len(rests) < KILLS / 50
    assert records[-1]["type"] == "orchestration.turn.end"


@pytest.fixture
def other_version(tmp_path):
    """A copy of the package that calls itself another version, with its own bundle."""
    copy = copy_of(tmp_path / "other version")
    init = copy / "orchestrate/__init__.py"
    init.write_text(init.read_text().replace("__version__ = ", "__version__ = 'other' or "))
    assert bundle.build(str(copy))
    return copy


@pytest.mark.slow
def test_two_versions_write_one_log(run, place, other_version):
    for number in range(4):
        package = other_version if number % 2 else None
        assert run(payload("SessionStart"), package) == (0, b"", b"")
        assert said(run(prompt("Fix typo in README.md", prompt_id=f"p{number}"), package)[1])
    records = logged(place)
    versions = [record["payload"]["version"] for record in records if record["type"] == "orchestration.session.start"]
    assert [version == "other" for version in versions] == [False, True, False, True]
    turns = [record["payload"]["turn"] for record in records if record["type"] == "orchestration.prompt.decided"]
    assert turns == [1, 2, 3, 4]


@pytest.mark.slow
def test_the_bundle_of_one_version_is_refused_beside_the_sources_of_another(run, place, other_version):
    tag = f"{bundle.FOLDER}/{sys.implementation.cache_tag}"
    (other_version / tag).write_bytes(bundle.contents(hookline.here()[1]))
    assert run(payload("SessionStart"), other_version) == (0, b"", b"")
    assert [record["payload"]["version"] for record in logged(place)] == ["other"]


def test_a_record_of_a_version_to_come_does_not_disturb(run, place):
    run(payload("Stop"))
    future = {"v": 9, "id": {"new": "form"}, "type": "orchestration.prompt.decided", "payload": ["another", "shape"]}
    with open(f"{place.state}/sessions/{SESSION}/log.jsonl", "a") as log:
        log.write(json.dumps(future, separators=(",", ":")) + "\n")
    assert said(run(payload("UserPromptSubmit"))[1])
