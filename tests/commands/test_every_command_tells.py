"""Every command either reads, or leaves an event of what it did: who, together with what, and no secret in it."""

import io
import json
import os
import shlex
import sys
from pathlib import Path
from typing import NamedTuple

import click
import pytest
from made_history import NAME as CLASS
from made_talk import Talk

from orchestrate.cli import root
from state.store.opening import FILE, open_user_store

SECRET = "ghp_" + "a1" * 18
TOGETHER, ACTOR = "together-1", "tester"

# What they write is what can be made again (a cache, a compiled snapshot), a file that the user named, or nothing.
READING = {
    *("agents list", "agents show"),
    *("bench overhead", "bench replay", "bench routing"),
    *("bug list", "bug show", "bug stats"),
    *("config compile", "config get", "config reference", "config schema", "config show"),
    *("context", "demo", "doctor", "version", "wave plan"),
    *("events follow", "events list", "search"),
    *("git status", "hooks status", "hooks test"),
    *("knowledge get", "knowledge list"),
    *("metrics ab", "metrics ledger", "metrics report", "mode", "quota report", "quota status"),
    *("overnight list", "overnight plan", "overnight report", "overnight resume list"),
    *("phase list", "phase show"),
    *("route", "route explain", "route rules", "route shadow status"),
    *("session list", "session show", "sprint list", "sprint show"),
    *("state schema", "state show", "state validate"),
    *("task list", "task show"),
    *("work list", "work show", "work stats"),
    *("workflow list", "workflow runs", "workflow show", "workflow validate"),
    # Their traces stand where their own commands show them: `events sinks list`, `quota report`.
    *("events sinks list", "events sinks test", "statusline"),
}


# What they do is told by the night or by the session that goes on, under its own correlation: tests/overnight.
OF_THE_NIGHT = {"overnight run", "overnight timed", "overnight resume run"}


class Does(NamedTuple):
    """The last line of `words` is the command, and leaves `kind`; those above prepare it."""

    kind: str
    words: str
    actor: str = ACTOR
    prepare: str = ""  # a function below
    marks: tuple = ()


ASKED = "agents run haiku-general 'Fix typo in README.md'"
TASK = "task create TSK-1 --title t --description d --acceptance a --tag x"
BEGUN = f"init\n{TASK}\nsession start TSK-1"
RECORDED = f"{BEGUN}\ntask artifact add TSK-1 PLAN.md"
ITEM = "work add 'do it'"
TAKEN = f"{ITEM}\nwork next --owner me"
SPRINT = "sprint create SPR-1 --title t"
SLOW, DATABASE = (pytest.mark.slow,), (pytest.mark.database,)
RUN, FLOW = "orchestrate-request", "orchestrate-workflow"

TELLING = {
    "agents run": Does("orchestration.prompt.decided", ASKED, RUN),
    "bug log": Does("orchestration.bug.logged", "bug log 'boom <secret>' --action log_only"),
    "bug rehash": Does("orchestration.bug.rehashed", "bug rehash", prepare="two_bugs"),
    "bug resolve": Does("orchestration.bug.resolved", "bug log boom\nbug resolve <bug> --note 'it was <secret>'"),
    "config set": Does("orchestration.setting.set", "config set statusline.command 'line --token <secret>'"),
    "config unset": Does("orchestration.setting.unset", "config set log.level debug\nconfig unset log.level"),
    "events archive": Does("orchestration.events.archived", "bug log boom\nevents archive --older-than 0h"),
    "events emit": Does("deploy.started", 'events emit deploy.started --payload \'{"token": "<secret>"}\''),
    "events sinks dead": Does(
        "orchestration.sink.revived",
        "bug log boom\nevents sinks deliver --once\nevents sinks dead --retry",
        prepare="sink_that_comes_back",
    ),
    "events sinks deliver": Does(
        "orchestration.sink.dead_letter", "bug log boom\nevents sinks deliver --once", prepare="sink_that_fails"
    ),
    "feedback collect": Does("orchestration.feedback.collected", "feedback collect", prepare="failure"),
    "feedback good": Does("orchestration.feedback.given", f"{ASKED}\nfeedback good --note x"),
    "feedback too-strong": Does("orchestration.feedback.given", f"{ASKED}\nfeedback too-strong"),
    "feedback too-weak": Does("orchestration.feedback.given", f"{ASKED}\nfeedback too-weak"),
    "git capture": Does("orchestration.git.commit_captured", f"{TASK}\ngit capture TSK-1"),
    "git changes": Does("orchestration.git.changes_written", f"{TASK}\ngit changes TSK-1 --write"),
    "git commit": Does("orchestration.git.committed", f"{TASK}\ngit commit TSK-1", prepare="edited"),
    "git link-pr": Does("orchestration.git.pr_linked", f"{TASK}\ngit link-pr TSK-1 https://github.com/org/repo/pull/1"),
    "hooks run": Does("orchestration.prompt.decided", "hooks run UserPromptSubmit", "hook", prepare="prompt_on_stdin"),
    "init": Does("orchestration.project.initialised", "init"),
    "install": Does("orchestration.hooks.installed", "install"),
    "knowledge forget": Does("orchestration.knowledge.forgotten", "knowledge record k v\nknowledge forget k"),
    "knowledge record": Does("orchestration.knowledge.recorded", "knowledge record k 'it is <secret>'"),
    "metrics cleanup": Does("orchestration.metrics.cleaned", "bug log boom\nmetrics cleanup --older-than 0d"),
    "mode set": Does("orchestration.setting.set", "mode set directive"),
    "overnight add": Does("orchestration.overnight.added", "overnight add 'use <secret>' --minutes 5"),
    "overnight cancel": Does(
        "orchestration.overnight.cancelled", "overnight add x\novernight cancel J-1 --reason <secret>"
    ),
    "overnight install-timer": Does(
        "orchestration.timer.installed", "overnight install-timer --cron", prepare="a_crontab"
    ),
    "overnight resume off": Does(
        "orchestration.resume.off", "overnight resume on s-one\novernight resume off s-one", prepare="two_sessions"
    ),
    "overnight resume on": Does("orchestration.resume.on", "overnight resume on s-one", prepare="two_sessions"),
    "phase approve": Does(
        "orchestration.phase.approved", f"{BEGUN}\nphase approve TSK-1 --expect review", prepare="review_first"
    ),
    "phase complete": Does(
        "orchestration.phase.override", f"{BEGUN}\nphase complete TSK-1 --override --reason 'because of <secret>'"
    ),
    "route learn": Does("orchestration.correction.undone", "route learn --undo", prepare="correction"),
    "route shadow apply": Does("orchestration.shadow.applied", f"route shadow apply {CLASS}", prepare="passed_pairs"),
    "route shadow forget": Does(
        "orchestration.shadow.forgotten", f"route shadow forget {CLASS} --pairs", prepare="passed_pairs"
    ),
    "route shadow run": Does(
        "orchestration.shadow.tried", f"route shadow run {CLASS} --pairs 1", prepare="bench", marks=SLOW
    ),
    "session cleanup": Does(
        "orchestration.sessions.removed", "session cleanup --older-than 0h", prepare="two_sessions"
    ),
    "session end": Does("orchestration.session.end", f"{BEGUN}\nsession end TSK-1 --force --yes"),
    "session start": Does("orchestration.session.start", BEGUN),
    "session switch": Does("orchestration.session.switched", "session switch s-one", prepare="two_sessions"),
    "session sync-files": Does(
        "orchestration.session.files_synced", f"{RECORDED}\nsession sync-files TSK-1", prepare="plan"
    ),
    "sprint add-task": Does("orchestration.sprint.updated", f"{SPRINT}\n{TASK}\nsprint add-task SPR-1 TSK-1"),
    "sprint create": Does("orchestration.sprint.created", "sprint create SPR-1 --title 'about <secret>'"),
    "sprint edit": Does("orchestration.sprint.updated", f"{SPRINT}\nsprint edit SPR-1 --title 'about <secret>'"),
    "state merge": Does(
        "orchestration.state.merged", "state merge s-one s-two --output o.json", prepare="two_sessions"
    ),
    "state move": Does("orchestration.store.moved", "bug log boom\nstate move --to <database>", marks=DATABASE),
    "state restore": Does(
        "orchestration.state.restored", "state show s-one\nstate restore s-one --from-log", prepare="two_sessions"
    ),
    "task artifact add": Does("orchestration.artifact.recorded", RECORDED, prepare="plan"),
    "task create": Does("orchestration.task.created", "task create TSK-1 --title 'about <secret>'"),
    "task edit": Does("orchestration.task.updated", f"{TASK}\ntask edit TSK-1 --description 'about <secret>'"),
    "task status": Does("orchestration.task.status_updated", f"{TASK}\ntask status TSK-1 blocked --reason <secret>"),
    "trust": Does("orchestration.trust.granted", "trust", prepare="settings_of_its_own"),
    "uninstall": Does("orchestration.hooks.uninstalled", "install\nuninstall"),
    "work add": Does("orchestration.work.added", "work add 'use <secret>'"),
    "work complete": Does("orchestration.work.completed", f"{TAKEN}\nwork complete W-1 --token 1 --result <secret>"),
    "work extend": Does("orchestration.work.extended", f"{TAKEN}\nwork extend W-1 --token 1"),
    "work fail": Does("orchestration.work.failed", f"{TAKEN}\nwork fail W-1 --token 1 --reason <secret>"),
    "work next": Does("orchestration.work.claimed", TAKEN),
    "work release": Does("orchestration.work.released", f"{TAKEN}\nwork release W-1 --token 1 --reason <secret>"),
    "work retry": Does("orchestration.work.retried", f"{TAKEN}\nwork fail W-1 --token 1 --reason x\nwork retry W-1"),
    "workflow cancel": Does(
        "orchestration.workflow.called_off",
        "workflow run w --detach\nworkflow cancel <run>",
        prepare="long_flow",
        marks=SLOW,
    ),
    "workflow resume": Does(
        "orchestration.workflow.resumed", "!workflow run w\nworkflow resume <run>", FLOW, "flow", SLOW
    ),
    "workflow retry": Does(
        "orchestration.workflow.resumed", "!workflow run w\nworkflow retry <run> b", FLOW, "flow", SLOW
    ),
    "workflow run": Does("orchestration.workflow.started", "!workflow run w", FLOW, "flow", SLOW),
}
# Other things that the same commands do.
FURTHER = {
    "config set log.level": Does("orchestration.setting.set", "config set log.level debug --global"),
    "trust --revoke": Does("orchestration.trust.revoked", "trust\ntrust --revoke", prepare="settings_of_its_own"),
    "install --statusline": Does("orchestration.hooks.installed", "install\ninstall --statusline"),
    "install --scope plugin": Does("orchestration.hooks.installed", "install --scope plugin"),
    "uninstall --scope local": Does(
        "orchestration.hooks.uninstalled", "install --scope local\nuninstall --scope local"
    ),
}


def names(command, path=()):
    """Every command that does something by itself."""
    if isinstance(command, click.Group):
        if command.invoke_without_command:
            yield " ".join(path)
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from names(command.get_command(context, name), (*path, name))
    else:
        yield " ".join(path)


def test_every_command_is_known_to_read_or_to_tell():
    found = {*names(root), "route"}  # `route TEXT` is a command beside those below it
    assert found - READING - OF_THE_NIGHT - {*TELLING} == set(), "say in one of the tables whether it changes anything"
    assert (READING | OF_THE_NIGHT | {*TELLING}) - found == set()
    assert (READING | OF_THE_NIGHT) & {*TELLING} == set()


class World:
    """A scratch project and its user."""

    def __init__(self, cli, project, home, place, patch, asked):
        self.cli, self.project, self.home, self.place, self.patch, self.asked = cli, project, home, place, patch, asked
        patch.setenv("ORCHESTRATOR_ACTOR", ACTOR)

    def run(self, line):
        """A line that begins with `!` may fail."""
        for name, known in KNOWN.items():
            if name in line:
                line = line.replace(name, known(self))
        code, out, err = self.cli(*shlex.split(line.removeprefix("!")))
        assert code == 0 or line.startswith("!"), (line, code, out, err)

    def told(self, *words):
        return json.loads(self.cli(*words, "--json").out)

    def events(self):
        """Those of the project, of the user's home, where that is told which belongs to no project, and of his jobs."""
        roots = (self.project, self.home)
        told = [event for root in roots for event in self.told("events", "list", "--project-root", str(root))]
        if Path(self.place.user, FILE).exists():
            with open_user_store(self.place) as store:
                told += [event._asdict() for event in store.events_between("2000", "3000")]
        return told


KNOWN = {
    "<secret>": lambda world: SECRET,
    "<bug>": lambda world: world.told("bug", "list")[0]["bug_hash"],
    "<run>": lambda world: world.told("workflow", "runs")[0]["run"],
    "<database>": lambda world: world.asked.getfixturevalue("cluster").url,
}


@pytest.fixture
def world(cli, repository, home, place, monkeypatch, request):
    return World(cli, repository, home, place, monkeypatch, request)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=does.marks) for name, does in {**TELLING, **FURTHER}.items()]
)
def test_a_command_leaves_its_event(world, name):
    does = (TELLING | FURTHER)[name]
    if does.prepare:
        globals()[does.prepare](world)
    *before, last = does.words.splitlines()
    for line in before:
        world.run(line)
    world.patch.setenv("ORCHESTRATOR_CORRELATION", TOGETHER)
    assert last.removeprefix("!").split()[: len(name.split())] == name.split()
    world.run(last)
    world.patch.delenv("ORCHESTRATOR_CORRELATION")
    found = [event for event in world.events() if event["correlation"] == TOGETHER]
    assert (does.kind, does.actor) in [(event["type"], event["actor"]) for event in found]
    assert SECRET not in json.dumps(found)
    assert ("<secret>" in does.words) is ("[redacted" in json.dumps(found))


def two_bugs(world):
    from orchestrate.memory import bugs
    from state.store import open_store

    root = str(world.project)
    with open_store(world.place) as store:
        for number in (1, 2):
            bug = bugs.found(bugs.Report(f"object at 0x{number}"), root, root)
            store.bugs.log(bug._replace(bug_hash=str(number) * 64), lambda logged: [])


def sink(world, command):
    """Nothing is delivered but by the command itself."""
    world.patch.setenv("ORCHESTRATOR_DISABLED", "1")
    path = world.home / ".orchestrator/sinks.yaml"
    path.parent.mkdir()
    sink = {"name": "chat", "events": ["*"], "command": command, "retries": 0}
    path.write_text(json.dumps({"sinks": [sink]}))
    os.utime(path, (1, 1))


def sink_that_fails(world):
    sink(world, ["false"])


def sink_that_comes_back(world):
    sink(world, ["sh", "-c", "test -e back || { touch back; exit 1; }"])


def failure(world):
    talk = Talk(world.project, world.home)
    talk.ask("p-1", "Fix typo in README.md")
    talk.call("StopFailure", "p-1", error="rate_limit")


def edited(world):
    (world.project / "a.txt").write_text("edited\n")


def prompt_on_stdin(world):
    raw = json.dumps({"prompt": "Fix typo in README.md", "session_id": "s", "prompt_id": "p"}).encode()
    world.patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))


def review_first(world):
    world.run("init")
    phases = "phases:\n  review: {order: 1, goal: x, validation: {require_user_approval: true}}\n"
    Path(world.project, ".orchestrator/workflow.yaml").write_text(phases + "  last: {order: 2, goal: y}\n")


def correction(world):
    from orchestrate.learning import kept
    from routing.correction import Correction

    Path(world.place.user).mkdir()
    kept.write(world.place, kept.record_of(Correction("draft", (2.0, 2.0)), "2026-11-21T12:00:00.000Z", {}))


def passed_pairs(world):
    from orchestrate.request import memory, stepped
    from orchestrate.shadow import pairs, session

    basis = stepped.basis(memory.correction(world.place))
    for number in range(50):
        control = {"saw_control": True} if number % 5 == 0 else {}
        line = {"class": CLASS, "basis": basis, "hash": f"h{number}", "as_good": True, "regression": False}
        pairs.keep(world.place, {**line, "green": True, **control})
    if "forget" in world.asked.node.name:
        session.apply(world.place, CLASS, 1795000000.0)


def bench(world):
    """A client that does as it is told, a prompt to try out, and quota to spare."""
    import time

    world.patch.syspath_prepend(str(Path(__file__).resolve().parents[1] / "shadow"))
    import bench_client
    from made_history import TEXTS

    from state import quota

    Talk(world.project, world.home).ask("p-1", TEXTS[0])
    now = time.time()
    quota.note(world.place.user, {"five_hour": {"used": 10.0, "resets_at": now + 9000}}, "test", now)
    world.patch.setenv("CALLS", str(world.home / "calls"))
    world.patch.setenv("ORCHESTRATOR_CLAUDE_BINARY", str(bench_client.install(world.home / "bin")))
    world.patch.setenv("ORCHESTRATOR_SHADOW__CHECK", "true")


def a_crontab(world):
    """A program that keeps what it is given, for the real one is the machine's."""
    path = world.home / "bin/crontab"
    path.parent.mkdir()
    path.write_text('#!/bin/sh\nif [ "$1" = -l ]; then cat "$HOME/crontab"; else cat > "$HOME/crontab"; fi\n')
    path.chmod(0o755)
    (world.home / "crontab").touch()
    world.patch.setenv("PATH", f"{path.parent}:{os.environ['PATH']}")


def two_sessions(world):
    for name in ("s-one", "s-two", "s-three"):
        Talk(world.project, world.home, name).ask("p-1", "Fix typo in README.md")


def plan(world):
    (world.project / "PLAN.md").write_text("# Plan\n\n1. Do it\n")


def settings_of_its_own(world):
    path = world.project / ".orchestrator/config.yaml"
    path.parent.mkdir()
    path.write_text(f"claude_binary: ./claude --token {SECRET}\n")


def flow(world, second='sh, -c, "! mkdir tried"'):
    """Its second step fails the first time."""
    path = world.home / ".orchestrator/workflows/w.yaml"
    path.parent.mkdir(parents=True)
    steps = f"[{{id: a, command: [echo, a]}}, {{id: b, command: [{second}], depends_on: [a]}}]"
    path.write_text(f"workflow: {{name: w, steps: {steps}}}\n")
    world.patch.setenv("ORCHESTRATOR_WORKFLOW__IDLE_S", "0.3")


def long_flow(world):
    flow(world, 'sleep, "60"')
