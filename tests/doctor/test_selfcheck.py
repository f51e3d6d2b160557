import json
import os
import sys
import time

import pytest
from tiers import some

from orchestrate.doctor import selfcheck
from orchestrate.doctor.diagnosis import diagnose
from orchestrate.doctor.fake_service import Asked
from orchestrate.doctor.selfcheck import Proof, Run

MAIN = Asked("claude-opus-5-5", False, "said\n[orchestrate abc123] Route: ...")
CHEAP = Asked("claude-haiku-5-5", True, "p")
DECIDED = ("orchestration.prompt.decided", {"rung": "directive", "rung_reason": "why"})
REWRITTEN = ("orchestration.spawn.requested", {"rung": "rewrite", "rung_reason": "why", "model_set": "haiku"})
BY_MOD = ("orchestration.spawn.requested", {"rung": "mod", "rung_reason": "live", "model_set": "haiku"})


def run(*asked, events=(DECIDED, REWRITTEN), strangers=0, said="", problem=""):
    return Run(
        [*asked], strangers, [{"type": kind, "payload": payload} for kind, payload in events], "abc123", said, problem
    )


def model(name):
    return Asked(name, False, "")


@pytest.mark.parametrize(
    ("seen", "proven", "why"),
    [
        (run(MAIN, CHEAP), True, "the model was told, with this session's mark"),
        (
            run(MAIN._replace(text="[orchestrate ffffff] Route: ...")),
            False,
            "the hook ran (why), but the model was not told",
        ),
        (run(CHEAP._replace(text=MAIN.text)), False, "the hook ran (why), but the model was not told"),
        (run(model("x"), events=()), False, "the hook for prompts did not run"),
        (run(events=(), said="hello"), False, "the client asked for no message: it said 'hello'"),
        (run(events=()), False, "the client asked for no message: it said nothing"),
        (
            run(events=(), problem="it was not done after 20 s"),
            False,
            "the client asked for no message: it was not done after 20 s",
        ),
        (
            run(events=(), strangers=1),
            False,
            "the client used a credential that is not the check's own: it was turned away",
        ),
    ],
)
def test_what_proves_the_directive(seen, proven, why):
    assert selfcheck.judge_directive(seen) == Proof("directive", proven, why)


@pytest.mark.parametrize(
    ("seen", "proven", "why"),
    [
        (run(MAIN, CHEAP), True, "haiku was decided, and the subagent asked for claude-haiku-5-5"),
        (
            run(MAIN, CHEAP._replace(model=MAIN.model)),
            False,
            "haiku was decided, and the subagent asked for claude-opus-5-5",
        ),
        (
            run(MAIN, CHEAP, CHEAP._replace(model="claude-x")),
            False,
            "haiku was decided, and the subagent asked for claude-haiku-5-5, claude-x",
        ),
        (run(MAIN), False, "haiku was decided, and the client started no subagent"),
        (
            run(model(CHEAP.model), CHEAP),
            False,
            "haiku was decided, but the main thread runs on it too, so nothing is shown",
        ),
        (run(MAIN, CHEAP, events=(DECIDED,)), False, "the hook for spawns did not run"),
        (run(MAIN, CHEAP, events=(DECIDED, BY_MOD)), False, "the hook chose mod: live"),
        (
            run(events=(), problem="it is not executable"),
            False,
            "the client asked for no message: it is not executable",
        ),
    ],
)
def test_what_proves_a_rewrite(seen, proven, why):
    assert selfcheck.judge_rewrite(seen) == Proof("rewrite", proven, why)


SWITCHED = ("orchestration.prompt.decided", {"rung": "mod", "main_model": "haiku"})
SPAWNED = "haiku was decided, and the subagent asked for claude-haiku-5-5"


@pytest.mark.parametrize(
    ("seen", "ceiling", "proven", "why"),
    [
        (run(MAIN, CHEAP, events=(DECIDED, BY_MOD)), "subagents", True, SPAWNED),
        (run(MAIN, CHEAP), "subagents", False, "the hook chose rewrite: why"),
        (
            run(model(CHEAP.model), CHEAP, events=(SWITCHED, BY_MOD)),
            "session",
            True,
            f"{SPAWNED}; the main thread on claude-haiku-5-5",
        ),
        (
            run(MAIN, CHEAP, events=(SWITCHED, BY_MOD)),
            "session",
            False,
            f"{SPAWNED}; the main thread stayed as it was, haiku was decided",
        ),
        (run(MAIN, CHEAP, events=(DECIDED, BY_MOD)), "session", True, SPAWNED),
    ],
)
def test_what_proves_the_mod(seen, ceiling, proven, why):
    assert selfcheck.judge_mod(seen, ceiling) == Proof("mod", proven, why)


def test_a_concrete_model_counts_by_its_very_name():
    named = ("orchestration.spawn.requested", {"rung": "rewrite", "model_set": "claude-haiku-4-5"})
    assert selfcheck.judge_rewrite(run(MAIN, CHEAP, events=(named,))).proven is False
    assert selfcheck.judge_rewrite(run(MAIN, CHEAP._replace(model="claude-haiku-4-5"), events=(named,))).proven


@pytest.mark.parametrize(
    ("script", "why"),
    some(
        [
            ("echo garbage", "the client asked for no message: it said 'garbage'"),
            ("exit 0", "the client asked for no message: it said nothing"),
            ("echo no login >&2; exit 1", "the client asked for no message: it ended by exit code 1: no login"),
            ("kill -9 $$", "the client asked for no message: it ended by signal 9"),
            ("sleep 600", "the client asked for no message: it was not done after 0.5 s"),
            (
                "trap '' TERM; sleep 600 & wait; sleep 600",
                "the client asked for no message: it was not done after 0.5 s",
            ),
        ],
        ("echo garbage",),
    ),
)
def test_a_client_that_does_nothing_of_use(script, why, machine, files):
    timeout_s = 0.5 if "sleep" in script else 60
    machine.install()
    machine.client(f'#!/bin/sh\n[ "$1" = --version ] && {{ echo 2.1.329; exit; }}\n{script}\n')
    before, started = files(machine.home), time.monotonic()
    found = diagnose(machine.place, os.environ, with_checks=False, with_proof=True, timeout_s=timeout_s)
    assert time.monotonic() - started < 60
    assert found.self_check.live == "none"
    assert [(proof.rung, proof.why) for proof in found.self_check.proofs] == [
        ("mod", "no mod is installed"),
        ("rewrite", why),
        ("directive", why),
    ]
    assert found.failures == ["self-check"]
    assert files(machine.home) == before


def test_a_client_that_brings_a_login_of_its_own_proves_nothing(machine):
    """As one would that finds the user's key where no home can hide it."""
    machine.install()
    machine.client(f"""#!{sys.executable} -IS
import os, sys
if sys.argv[1] == "--version":
    print("2.1.329")
else:
    from urllib.request import Request, urlopen
    url = os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages"
    urlopen(Request(url, b"{{}}", {{"authorization": "Bearer of-the-user"}}))
""")
    found = diagnose(machine.place, os.environ, with_checks=False, with_proof=True, timeout_s=60)
    why = "the client used a credential that is not the check's own: it was turned away"
    assert [proof.why for proof in found.self_check.proofs] == ["no mod is installed", why, why]


@pytest.mark.parametrize(
    ("is_there", "is_installed", "why"),
    [
        (False, True, "claude is not in PATH"),
        (True, False, "no hooks are installed"),
    ],
)
def test_without_a_client_or_hooks_nothing_is_run(is_there, is_installed, why, machine, tmp_path):
    if is_there:
        machine.client(f'#!/bin/sh\n[ "$1" = --version ] && echo 2.1.329 && exit\ntouch {tmp_path}/ran\n')
    if is_installed:
        machine.install()
    found = diagnose(machine.place, os.environ, with_checks=False, with_proof=True)
    assert [proof.why for proof in found.self_check.proofs] == [why] * 3
    assert (found.self_check.live, found.self_check.runs, found.failures) == ("none", 0, ["self-check"])
    assert not (tmp_path / "ran").exists()


def test_a_client_that_tells_no_version_is_not_run(machine):
    machine.install()
    path = machine.client("#!/bin/sh\nexit 1\n")
    found = diagnose(machine.place, os.environ, with_checks=False, with_proof=True)
    assert {proof.why for proof in found.self_check.proofs} == {f"{path}: it ended by exit code 1"}


def test_the_client_is_handed_the_hooks_as_they_are_installed(machine, tmp_path):
    machine.install()
    machine.install("--scope", "local")
    machine.client(f"""#!{sys.executable} -IS
import shutil, sys
if sys.argv[1] == "--version":
    print("2.1.329")
else:
    shutil.copyfile(sys.argv[sys.argv.index("--settings") + 1], {str(tmp_path / "given")!r})
""")
    diagnose(machine.place, os.environ, with_checks=False, with_proof=True, timeout_s=60)
    installed = json.loads((machine.home / ".claude/settings.json").read_bytes())
    assert json.loads((tmp_path / "given").read_bytes()) == {"hooks": installed["hooks"]}
