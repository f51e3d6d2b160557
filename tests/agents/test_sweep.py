"""Nothing that we started runs on: not after its parent's end, not after ours, not after a kill -9."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing

import pytest
from ending import are_gone, is_alive
from living import DEAF, DEAF_SOON, HANG, TELL, Fifo, catches, ours, run_id, until
from tiers import some

from orchestrate.agents import notes, proc_linux, proc_psutil, process, processes
from orchestrate.agents.guard import Guard
from orchestrate.agents.outcome import Ended
from orchestrate.agents.process import ProcessLimits, run
from orchestrate.agents.sweep import MARKER, Trace, sweep


@pytest.fixture
def tools(agent, monkeypatch):
    """$HANG and $DEAF, for a script to start."""
    monkeypatch.setenv("HANG", agent(HANG, "hang"))
    monkeypatch.setenv("DEAF", agent(DEAF, "deaf"))


@pytest.fixture
def user(tmp_path):
    return tmp_path / "user"


def ended(argv, on_line=lambda line: None, **options):
    limits = options.pop("limits", ProcessLimits(60, grace_s=60))
    return run([argv], os.environ, "/", b"", on_line, limits, run_id(), **options)


def guard_of(pid):
    """Who has been started has its words in a moment: in the middle of an exec it has none."""
    until(lambda: _guards_of(pid))
    [guard] = _guards_of(pid)
    return guard


def _guards_of(pid):
    return [child for child in processes.children(pid) if b"\0guard\0" in _command(child)]


def _command(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return file.read()


def identity(pid):
    return processes.find(pid).started


@pytest.mark.parametrize(
    "leftover",
    some(
        [
            "$HANG &",
            "setsid $HANG &",
            "(setsid $HANG &)",
            "setsid $DEAF > /dev/null 2>&1 &",
            "env -i FIFO=$FIFO $HANG &",  # without the mark, in the session
            "setsid sh -c 'env -i FIFO=$FIFO setsid $HANG & wait' &",  # below a marked one
            "setsid sh -c 'env -i FIFO=$FIFO setsid $DEAF & wait' &",  # which ends before it
        ],
        2,
    ),
)
def test_leftovers_are_swept_when_the_child_ends(agent, fifo, tools, tmp_path, leftover):
    go = tmp_path / "go"
    os.mkfifo(go)
    # The child ends once its leftover runs: it tells the test, and the test tells the child.
    with ours(agent(f"{leftover}\nread word < {go}; exit 2")) as process:
        pids = fifo.pids(1)
        go.write_text("on\n")
        assert process.communicate(timeout=60)[0] == f"{Ended(code=2)}\n"
    assert are_gone(pids, 0)


@pytest.mark.slow
def test_a_daemon_without_session_and_mark_is_known_from_having_been_seen(agent, fifo, tools, tmp_path):
    """Its parent, marked and in the session, goes on until we have looked: between two words of it we do so."""
    pids = []

    def hear(word):
        if word == b"started":
            pids.extend(fifo.pids(1))
            time.sleep(process._LOOK_EVERY_S)
        go.say("on")

    with closing(Fifo(tmp_path / "go")) as go:
        wait = f"read -r word < {go.path}"
        done = ended(agent(f"env -i FIFO=$FIFO setsid $HANG & echo started; {wait}; echo seen; {wait}; exit 0"), hear)
    assert (done.ended, done.swept) == (Ended(code=0), pids)
    assert are_gone(pids, 0)


@pytest.mark.slow
@pytest.mark.parametrize("limits", [ProcessLimits(total_s=0.1, grace_s=0.1), ProcessLimits(stall_s=0.1, grace_s=0.1)])
def test_timeout_and_stall_end_the_tools_too(agent, clock, limits, tools):
    pids = clock.starts_after(3)
    done = ended(agent(f"setsid $DEAF & setsid $HANG & {DEAF}"), limits=limits)
    assert done.ended.signal == signal.SIGKILL
    assert set(done.swept) & set(pids)
    assert are_gone(pids, 0)


def test_a_timeout_ends_what_left_the_session(agent, clock, tools):
    pids = clock.starts_after(2)
    done = ended(agent(f"setsid $HANG & {HANG}"), limits=ProcessLimits(total_s=0.1, grace_s=60))
    assert done.ended == Ended(signal=15, timed_out=True)
    assert are_gone(pids, 0)


def test_a_killed_client_leaves_no_tools(agent, fifo, tools):
    tool = "setsid $HANG & "
    with ours(agent(f"{tool}{TELL}; wait")) as process:
        pids = fifo.pids(2)
        leader = next(pid for pid in pids if processes.find(pid).parent == process.pid)
        os.kill(leader, signal.SIGKILL)
        assert process.communicate(timeout=60)[0] == f"{Ended(signal=9)}\n"
    assert are_gone(pids, 0)


@pytest.mark.slow
def test_an_agent_that_runs_an_agent_is_swept_with_it(agent, fifo, tools):
    inner = agent(f"setsid $DEAF & {DEAF}", "inner")
    code = (
        "import os, sys; from orchestrate.agents.process import ProcessLimits, run; "
        f"run([sys.argv[1]], os.environ, '/', b'', print, ProcessLimits(grace_s=0.3), 'r-inner-{run_id()}')"
    )
    outer = agent(f'setsid {sys.executable} -c "{code}" {inner} & {DEAF}')
    with ours(outer, limits=DEAF_SOON) as process:
        pids = fifo.pids(3)
        process.terminate()
        assert process.communicate(timeout=60)[0] == f"{Ended(signal=9, aborted=True)}\n"
    assert are_gone(pids, 0)


def test_kill_9_of_us_leaves_nothing(agent, fifo, user, tools):
    with ours(agent(f"setsid $DEAF & {DEAF}"), user, DEAF_SOON) as process:
        pids = fifo.pids(2)
        process.kill()
    assert are_gone(pids)
    until(lambda: has_no_note(user))  # the guard removes it after the last kill


def test_kill_9_of_us_in_the_childs_first_moment_leaves_nothing(agent, fifo, user):
    """It tells of itself first: once we are gone, the guard may end it at any time."""
    with ours(agent(f'trap "" TERM; {TELL}; kill -9 $PPID; while :; do sleep 600; done'), user, DEAF_SOON):
        pids = fifo.pids(1)
    assert are_gone(pids)
    until(lambda: has_no_note(user))


def has_no_note(user):
    return list((user / "running").iterdir()) == []


def test_kill_9_of_us_and_of_the_guard_leaves_it_to_the_kernel_and_the_next_start(agent, fifo, user, tools):
    with ours(agent(f"setsid $HANG & {HANG}"), user) as process:
        pids = fifo.pids(2)
        child = next(pid for pid in pids if processes.find(pid).parent == process.pid)
        tool = next(pid for pid in pids if pid != child)
        guard = guard_of(process.pid)
        os.kill(guard, signal.SIGKILL)
        process.kill()
    assert are_gone([child])  # PR_SET_PDEATHSIG
    assert is_alive(tool)
    assert notes.sweep_dead(str(user)) == [tool]
    assert are_gone([tool], 0)
    assert has_no_note(user)


def test_the_guard_does_not_end_with_a_terminal_or_a_service(agent, fifo, user):
    with ours(agent(DEAF), user, DEAF_SOON) as process:
        pids = fifo.pids(1)
        guard = guard_of(process.pid)
        for signum in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            until(lambda signum=signum: catches(guard, signum, "SigIgn"))  # it has begun its work
            os.kill(guard, signum)
        process.kill()
    assert are_gone(pids)


def test_a_run_leaves_neither_guard_nor_note(agent, fifo, user):
    before = {*processes.children(os.getpid())}
    assert ended(agent("exit 0"), user=str(user)).swept == []
    assert {*processes.children(os.getpid())} - before == set()  # one of before may be reaped by any start
    assert has_no_note(user)


@pytest.mark.parametrize("is_known", [True, False])
def test_a_guard_that_is_told_that_all_is_over_does_nothing(user, is_known):
    marker = run_id()
    env = {**os.environ, MARKER: marker}
    with subprocess.Popen(["sleep", "600"], env=env, start_new_session=True) as process:
        guard = Guard(marker, 0.1, str(user))
        if is_known:
            guard.know(Trace(process.pid, identity(process.pid), marker))
        guard.close()
        assert process.poll() is None
        process.kill()


def test_a_full_disk_does_not_stop_a_run(agent, tmp_path):
    (tmp_path / "user").write_text("a file where the folder should be")
    assert ended(agent("exit 6"), user=str(tmp_path / "user")).ended == Ended(code=6)


def test_the_next_start_leaves_the_living_alone(agent, fifo, user):
    with ours(agent(HANG), user) as process:
        pids = fifo.pids(1)
        assert notes.sweep_dead(str(user)) == []
        assert [is_alive(pid) for pid in pids] == [True]
        assert ".json" in [path.suffix for path in (user / "running").iterdir()]  # beside it, perhaps, its next draft
        process.terminate()
        assert process.communicate(timeout=60)[0] == f"{Ended(signal=15, aborted=True)}\n"


def test_the_next_start_does_not_harm_who_got_the_pid(user):
    """The owner is gone, and the child's pid belongs to another by now."""
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as bystander:
        note(user, owner=0, child=bystander.pid, started=identity(bystander.pid) - 1)
        assert notes.sweep_dead(str(user)) == []
        assert bystander.poll() is None
        bystander.kill()
    assert has_no_note(user)


def note(user, **values):
    fields = {
        "boot": processes.boot(),
        "owner": 0,
        "owner_started": 1.0,
        "child": 0,
        "started": 1.0,
        "marker": run_id(),
    }
    path = user / "running" / "r-x.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({**fields, **values}))
    return path


def test_a_note_of_another_boot_is_left_alone_for_a_day(user):
    path = note(user, boot="another")
    assert notes.sweep_dead(str(user)) == []
    assert path.exists()
    os.utime(path, (0, 0))
    assert notes.sweep_dead(str(user)) == []
    assert not path.exists()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"boot": 1}'])
def test_garbage_in_a_note_harms_nobody(user, text):
    path = note(user)
    path.write_text(text)
    assert notes.sweep_dead(str(user)) == []
    assert path.exists()


def test_nobody_has_run_yet(user):
    assert notes.sweep_dead(str(user)) == []


@pytest.fixture(params=[proc_linux, proc_psutil], ids=["proc", "psutil"])
def table(request):
    return request.param


def test_what_the_process_table_tells(table, fifo, tools):
    text = f"$HANG & {TELL}; wait"
    marker = run_id()
    env = {**os.environ, MARKER: marker}
    with subprocess.Popen(["sh", "-c", text], start_new_session=True, env=env) as process:
        child = next(pid for pid in fifo.pids(2) if pid != process.pid)
        found = table.find(process.pid)
        assert found == (process.pid, os.getpid(), process.pid, found.started, False)
        assert table.find(child) == (child, process.pid, process.pid, table.find(child).started, False)
        assert table.children(process.pid) == [child]
        assert table.find(child).started >= found.started
        assert {found, table.find(child)} <= set(table.everyone())
        assert [table.is_marked(child, f"{MARKER}={value}") for value in (marker, marker[:-1], "")] == [
            True,
            False,
            False,
        ]
        os.killpg(process.pid, signal.SIGKILL)
        assert are_gone([process.pid])
        assert table.find(process.pid) == found._replace(is_dead=True)
        assert found not in table.everyone()
    assert table.find(process.pid) is None
    assert table.children(process.pid) == []
    assert not table.is_marked(process.pid, f"{MARKER}={marker}")
    assert table.boot() == table.boot()


@pytest.mark.skipif(sys.platform != "linux", reason="how /proc shows it")
def test_a_process_is_known_by_its_mark_in_the_middle_of_an_exec():
    """It does nothing but to replace itself: of some hundred looks a few find it without an environment."""
    marker, again = run_id(), 'exec sh -c "$0" "$0"'
    env = {**os.environ, MARKER: marker}
    with subprocess.Popen(["sh", "-c", again, again], env=env, start_new_session=True) as process:
        try:
            looks = [proc_linux.is_marked(process.pid, f"{MARKER}={marker}") for _ in range(2000)]
        finally:
            process.kill()
    assert looks == [True] * 2000


def test_who_has_no_environment_is_not_marked(fifo):
    with subprocess.Popen(
        ["env", "-i", "sh", "-c", f"echo $$ > {fifo.path}; read -r _"], stdin=subprocess.PIPE
    ) as process:
        fifo.pids(1)
        assert not proc_linux.is_marked(process.pid, f"{MARKER}={run_id()}")
        process.kill()
    assert not proc_linux.is_marked(2, f"{MARKER}={run_id()}")  # of the kernel's own


def test_who_is_started_between_the_listing_and_the_look_is_found(table, fifo, monkeypatch, agent):
    """By one that was listed, and has ended before it is looked at."""
    go = f"{fifo.path}.go"
    os.mkfifo(go)
    looked = []

    def late(pid):
        if pid == parent.pid and not looked:
            with open(go, "w") as file:
                file.write("on\n")
            looked.extend(fifo.pids(1))
            parent.wait()
        return find(pid)

    find = table.find
    monkeypatch.setattr(table, "find", late)
    with subprocess.Popen(["sh", "-c", f"read -r _ < {go}; setsid {agent(HANG)} &"], start_new_session=True) as parent:
        found = {process.pid for process in table.everyone()}
        os.kill(looked[0], signal.SIGKILL)
    assert looked[0] in found


_STARTS_ANOTHER = f"""#!{sys.executable}
import os, signal, subprocess
def tell(pid):
    with open(os.environ["FIFO"], "w") as fifo:
        fifo.write(f"{{pid}}\\n")
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
tell(os.getpid())
signal.sigwait([signal.SIGTERM])
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
tell(subprocess.Popen(["sleep", "600"], start_new_session=True).pid)
"""


def test_a_sweep_takes_what_is_forked_meanwhile(agent, fifo):
    """On SIGTERM it starts another, marked as itself, which hangs. It tells of the other, who may be ended at once."""
    marker = run_id()
    env = {**os.environ, MARKER: marker}
    with subprocess.Popen([agent(_STARTS_ANOTHER)], env=env, start_new_session=True) as process:
        fifo.pids(1)
        swept = sweep(Trace(process.pid, identity(process.pid), marker), grace_s=20)
        second = fifo.pids(1)
        assert process.wait() == 0
    assert swept == sorted([process.pid, *second])
    assert are_gone(second, 0)
