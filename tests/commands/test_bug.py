"""`orchestrate bug`: logged before anybody is asked, and nobody is asked without a terminal."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tiers import some

REPO = Path(__file__).resolve().parents[2]
FOO = ("Undefined variable: foo", "--task-code", "TSK-001", "--file", "app/Test.php", "--line", "42")


@pytest.fixture
def shown(cli):
    """What a command prints as JSON."""

    def run(*words):
        code, out, err = cli(*words, "--json")
        assert code == 0, err
        return json.loads(out)

    return run


def test_three_times_logged_is_one_record_seen_three_times(cli, shown):
    first = cli("bug", "log", *FOO)
    assert (first.code, first.out.splitlines()[0][:8], first.out.splitlines()[-1]) == (0, "new bug ", "logged, go on")
    assert first.err == "TSK-001: no such task: the bug names it all the same\n"
    assert cli("bug-log", *FOO[:1], "--task-code", "TSK-002", *FOO[3:]).out.startswith("known bug ")
    bug = shown("bug", "log", *FOO)
    assert (bug["is_new"], bug["context"]["occurrence_count"], bug["action"]) == (False, 3, "log_and_continue")
    (listed,) = shown("bug", "list", "--duplicates")
    assert listed == {name: bug[name] for name in listed}
    assert list(listed) == ["bug_hash", "task_code", "error_message", "file_path", "line_number", "context"]
    assert shown("bug", "show", bug["bug_hash"][:8]) == listed
    assert shown("bug", "list", "--task", "TSK-002") == [listed]
    assert shown("bug", "list", "--task", "TSK-003") == []


@pytest.mark.parametrize("action", ["fix_now", "log_and_continue", "provide_context", "log_only"])
def test_an_action_that_is_given_is_kept(action, shown):
    bug = shown("bug", "log", "boom", "--action", action, "--context", "host=db1", "--context", "a=b=c")
    assert (bug["action"], bug["context"]["action"]) == (action, action)
    assert (bug["context"]["host"], bug["context"]["a"]) == ("db1", "b=c")


def test_a_resolved_bug_that_recurs_is_open_again_and_said_to_be(cli, shown):
    bug = shown("bug", "log", "boom")
    name = bug["bug_hash"][:12]
    assert cli("bug", "resolve", name, "--note", "fixed").out == f"{name}: resolved\n"
    assert cli("bug", "resolve", name).out.startswith(f"{name}: was resolved at ")
    assert (cli("bug", "list", "--open").out, cli("bug", "list").out.split()[3]) == ("", "resolved")
    assert "resolved: 20" in cli("bug", "show", name).out
    assert cli("bug", "log", "boom").out.startswith(f"reopened bug {name} ")
    assert cli("bug", "list", "--open").out.split()[0] == name


def test_what_may_be_the_same_is_suggested_and_not_merged(cli, shown):
    one = shown("bug", "log", "Connection refused by db:5432")
    two = shown("bug", "log", "connection to db:5432 was refused")
    assert [near["bug_hash"] for near in two["near"]] == [one["bug_hash"]]
    assert f"perhaps the same as {one['bug_hash'][:12]}" in cli("bug", "show", two["bug_hash"]).out
    assert len(shown("bug", "list")) == 2


def test_stats_count_by_type(cli, shown):
    for error in ("TypeError: a", "TypeError: b", "connection refused", "connection refused"):
        cli("bug", "log", error)
    found = shown("bug", "stats")
    assert {name: found[name] for name in ("bugs", "occurrences", "open", "duplicates")} == {
        "bugs": 3,
        "occurrences": 4,
        "open": 3,
        "duplicates": 1,
    }
    assert list(found["by_type"]) == ["network", "type"]
    assert cli("bug", "stats").out.splitlines()[0].split()[:2] == ["all", "3"]


def test_rehash_tells_what_it_would_do_and_does(cli, shown, place):
    from orchestrate.memory import bugs
    from state.store import open_store

    with open_store(place) as store:
        for number in (1, 2):
            bug = bugs.found(bugs.Report(f"object at 0x{number}"), place.root, place.root)
            store.bugs.log(bug._replace(bug_hash=str(number) * 64), lambda logged: [])
    dry = cli("bug", "rehash", "--dry-run")
    assert (dry.out.split(" -> ")[0], dry.err) == (f"{'1' * 12}, {'2' * 12}", "would change 1 bugs\n")
    assert len(shown("bug", "list")) == 2
    assert cli("bug", "rehash").out == dry.out
    assert [bug["context"]["occurrence_count"] for bug in shown("bug", "list")] == [2]
    assert shown("bug", "rehash") == {"dry_run": False, "changes": []}


def test_a_page_of_them_is_text_whatever_they_say(cli):
    cli("bug", "log", "[x](http://evil) `a` <b> | # *c*", "--task", "TSK-001", "--file", "a_b.py")
    cli("bug", "log", "solved", "--task", "TSK-001")
    cli("bug", "resolve", json.loads(cli("bug", "list", "--json").out)[0]["bug_hash"])
    page = cli("bug", "list", "--task", "TSK-001", "--markdown").out.splitlines()
    assert page[:3] == ["# Bugs of TSK-001", "", "- [x] solved"]
    assert page[4] == r"- [ ] \[x\](http://evil) \`a\` \<b\> \| \# \*c\*"
    assert cli("bug", "list", "--task", "TSK-009", "--markdown").out.splitlines()[-1] == "None."


def test_the_stack_comes_as_text_from_a_file_or_from_stdin(cli, shown, project, monkeypatch):
    (project / "trace.txt").write_text("at f (a.js:3)\nat g")
    text = shown("bug", "log", "boom", "--stack-trace", "at f (a.js:9)")
    assert shown("bug", "log", "boom", "--stack-trace", "@trace.txt")["bug_hash"] == text["bug_hash"]
    done = orchestrate(project, "bug", "log", "boom", "--stack-trace", "-", "--json", input="at f (a.js:5)\n")
    assert json.loads(done.stdout)["bug_hash"] == text["bug_hash"]
    assert json.loads(done.stdout)["context"]["occurrence_count"] == 3


@pytest.mark.parametrize(
    ("words", "code"),
    some(
        [
            (("log",), 2),
            (("log", "  "), 2),
            (("log", "x", "--line", "-1"), 2),
            (("log", "x", "--line", "99999999999999"), 2),
            (("log", "x", "--task-code", "a b"), 2),
            (("log", "x", "--context", "novalue"), 2),
            (("log", "x", "--context", "occurrence_count=9"), 2),
            (("log", "x", "--action", "panic"), 2),
            (("log", "x", "--stack-trace", "@nowhere"), 3),
            (("show", "abc"), 3),
            (("show", ""), 3),
            (("resolve", "zz"), 3),
            (("show", "\udcff"), 3),
            (("log", "\udcff"), 2),
        ],
        5,
    ),
)
def test_a_mistake_has_its_exit_code_and_keeps_nothing(words, code, cli):
    found = cli("bug", *words)
    assert (found.code, "Traceback" in found.err, found.out) == (code, False, "")
    assert cli("bug", "list", "--json").out == "[]\n"


def test_nothing_that_is_printed_steers_the_terminal(cli):
    evil = "\x1b]0;owned\x07 bad \u202e text"
    cli("bug", "log", evil, "--file", evil, "--context", f"k={evil}", "--stack-trace", evil, "--task", "TSK-001")
    name = json.loads(cli("bug", "list", "--json").out)[0]["bug_hash"]
    printed = [cli("bug", *words).out for words in (("list",), ("show", name), ("list", "--markdown"), ("stats",))]
    assert [char for char in "".join(printed) if not char.isprintable() and char != "\n"] == []


def test_a_bug_of_a_task_in_session_belongs_to_it_and_its_phase_has_its_hooks_run(cli, shown, project):
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(project)]
    subprocess.run(["git", "init", "--quiet", str(project)], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "-m", "first"], check=True)
    (project / ".orchestrator").mkdir()
    phases = "phases:\n  dig: {order: 1, goal: x, hooks: {on_bug_found: [git.capture_commit_hash]}}\n"
    (project / ".orchestrator/workflow.yaml").write_text(phases)
    assert cli("task", "create", "TSK-001", "--title", "t").code == 0
    cli("bug", "log", "before", "--task", "TSK-001")
    assert cli("session", "start", "TSK-001").code == 0
    assert cli("bug", "log", "within", "--task", "TSK-001").err == ""
    task = shown("task", "show", "TSK-001")
    assert [(commit["message"], commit["phase"]) for commit in task["metadata"]["commits"]] == [("first", "dig")]
    events = [event for event in shown("events", "list") if event["type"] == "orchestration.bug.logged"]
    key = task["session"]["session_key"]
    assert sorted((event["payload"]["error_message"], event["session"] == key) for event in events) == [
        ("before", False),
        ("within", True),
    ]


def environment():
    return {"HOME": os.environ["HOME"], "PATH": os.environ["PATH"], "PYTHONPATH": str(REPO), "TZ": "UTC"}


def orchestrate(project, *words, **more):
    argv = [sys.executable, "-P", "-m", "orchestrate", *words]
    return subprocess.run(
        argv, cwd=project, env=environment(), capture_output=True, text=True, timeout=100, check=False, **more
    )


def kept(project):
    return json.loads(orchestrate(project, "bug", "list", "--json").stdout)


@pytest.mark.slow
@pytest.mark.parametrize("stdin", ["closed", "null", "pipe"])
def test_without_a_terminal_nobody_is_asked(stdin, project):
    line = f"exec {sys.executable} -P -m orchestrate bug log boom" + (" <&-" if stdin == "closed" else "")
    end = {"closed": None, "null": subprocess.DEVNULL, "pipe": subprocess.PIPE}[stdin]
    child = subprocess.Popen(
        ["/bin/sh", "-c", line], cwd=project, env=environment(), stdin=end, stdout=subprocess.PIPE, text=True
    )
    out = child.stdout.read()  # the pipe stays open and says nothing
    assert (child.wait(60), out.splitlines()[-1]) == (0, "logged, go on")
    assert len(kept(project)) == 1


@pytest.mark.slow
def test_where_nobody_reads_it_is_logged_all_the_same(project):
    line = f"exec {sys.executable} -P -m orchestrate bug log boom --action fix_now <&- >&-"
    done = subprocess.run(
        ["/bin/sh", "-c", line], cwd=project, env=environment(), stderr=subprocess.PIPE, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert [bug["context"]["action"] for bug in kept(project)] == ["fix_now"]


class Terminal:
    """A `bug log` whose stdin is a terminal."""

    def __init__(self, project, *words):
        self._ours, theirs = pty.openpty()
        argv = [sys.executable, "-P", "-m", "orchestrate", "bug", "log", *words]
        self.child = subprocess.Popen(
            argv,
            cwd=project,
            env=environment(),
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=theirs,
            text=True,
            start_new_session=True,
        )
        os.close(theirs)
        self.seen = ""

    def until(self, words):
        deadline = time.monotonic() + 60
        while words not in self.seen and time.monotonic() < deadline:
            if select.select([self._ours], [], [], 0.2)[0]:
                self.seen += os.read(self._ours, 4096).decode()
        assert words in self.seen
        return self

    def type(self, text):
        os.write(self._ours, text.encode())

    def ended(self):
        out = self.child.communicate(timeout=60)[0]
        os.close(self._ours)
        return self.child.returncode, out.splitlines()[-1]


RELATED = (
    "  1) fix_now: fix it now\r\n  2) log_and_continue: go on, it is logged\r\n  3) provide_context: say more about it"
)
UNRELATED = "  1) log_only: nothing, it belongs elsewhere\r\n  2) fix_now: fix it now\r\n  3) provide_context: say more"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "asked", "typed", "action"),
    [
        (("--task", "TSK-001"), RELATED, "1\n", "fix_now"),
        (("--task", "TSK-001"), RELATED, "\n", "log_and_continue"),
        ((), UNRELATED, "\n", "log_only"),
        ((), UNRELATED, "2\n", "fix_now"),
        (("--related",), RELATED, "log\n", "log_and_continue"),
        (("--task", "TSK-001", "--unrelated"), UNRELATED, "9\nnonsense\nlog_only\n", "log_only"),
        ((), UNRELATED, "\x04", "log_and_continue"),
    ],
)
def test_a_terminal_is_asked_and_the_answer_kept(words, asked, typed, action, project):
    terminal = Terminal(project, "boom", *words).until("]? ")
    assert asked in terminal.seen
    assert len(kept(project)) == 1
    terminal.type(typed)
    assert terminal.ended()[0] == 0
    assert kept(project)[0]["context"]["action"] == action


@pytest.mark.slow
def test_what_is_said_about_it_is_kept(project):
    terminal = Terminal(project, "boom", "--task", "TSK-001").until("]? ")
    terminal.type("3\n")
    terminal.until("one line about it: ").type("only at night\n")
    assert terminal.ended() == (0, "logged with its context")
    assert kept(project)[0]["context"]["note"] == "only at night"


@pytest.mark.slow
def test_ctrl_c_at_the_question_ends_with_130_and_the_bug_is_kept(project):
    terminal = Terminal(project, "boom").until("]? ")
    terminal.child.send_signal(signal.SIGINT)
    assert terminal.ended()[0] == 130
    (bug,) = kept(project)
    assert bug["context"]["occurrence_count"] == 1
