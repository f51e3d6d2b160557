"""A child is fed, heard and ended, whatever it does; how it ended is told as it was."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from types import SimpleNamespace

import pytest
from ending import are_gone, is_alive
from living import DEAF, HANG, REPO, TELL, Fifo, ours, run_id, script
from tiers import some

from orchestrate.agents import process, spawn
from orchestrate.agents.outcome import Ended
from orchestrate.agents.pipes import LONGEST_LINE, STDERR_KEPT
from orchestrate.agents.process import ProcessLimits, run
from orchestrate.agents.stop import Stop
from state.errors import UserError

SOON = ProcessLimits(total_s=60, grace_s=60)
DEAF_SOON = ProcessLimits(total_s=60, grace_s=0.3)


def heard(argv, stdin=b"", limits=SOON, **options):
    """(how it ended, its lines, the rest) of one run."""
    lines = []
    argv = [argv] if isinstance(argv, str) else argv
    done = run(argv, os.environ, "/", stdin, lines.append, limits, options.pop("marker", None) or run_id(), **options)
    return done, lines


def python(code):
    return f"#!{sys.executable} -IS\n{code}\n"


def test_what_goes_in_and_what_comes_out(agent):
    marker = run_id()
    done, lines = heard(
        agent('cat; echo "$ORCHESTRATOR_RUN $PWD"; echo oops >&2; exit 3'), b"one\ntwo\n", marker=marker
    )
    assert (done.ended, done.stderr, done.swept) == (Ended(code=3), "oops\n", [])
    assert lines == [b"one", b"two", f"{marker} /".encode()]


@pytest.mark.parametrize(
    ("text", "ended"),
    some(
        [
            ("exit 0", Ended(code=0)),
            ("exit 143", Ended(code=143)),
            ("kill -9 $$", Ended(signal=9)),
            ("kill -TERM $$", Ended(signal=15)),
            ("#!/no/such/interpreter\n", Ended(missing="not executable", started=False)),
        ],
        2,
    ),
)
def test_the_end_is_told_as_it_was(agent, text, ended):
    assert heard(agent(text))[0] == (ended, "", [])


def test_a_program_that_is_not_there():
    assert heard("no-such-program")[0].ended == Ended(missing="not found", started=False)
    assert heard("/no/such/program")[0].ended == Ended(missing="not found", started=False)


@pytest.mark.parametrize("mode", [0o644, 0o755])
def test_a_file_that_is_no_program(tmp_path, mode):
    path = tmp_path / "claude"
    path.write_bytes(b"\x7fnothing")
    path.chmod(mode)
    assert heard(str(path))[0].ended == Ended(missing="not executable", started=False)


def test_a_folder_that_is_not_there(agent):
    with pytest.raises(
        UserError, match=r"^/no/such: cannot work there: no such file or directory: name another folder$"
    ):
        run([agent("exit 0")], os.environ, "/no/such", b"", print, SOON, run_id())


def test_an_argument_that_is_too_long(agent):
    with pytest.raises(UserError, match=r"agent: cannot be started: argument list too long$"):
        heard([agent("exit 0"), "x" * 4_000_000])


def test_lines_are_given_on_as_they_are(agent):
    done, lines = heard(agent(r"printf '\377\376 garbage\n\n{\n\0\r\nno newline at the end'"))
    assert (done.ended, lines) == (Ended(code=0), [b"\xff\xfe garbage", b"{", b"\0\r", b"no newline at the end"])


def test_of_a_line_that_is_too_long_the_head_is_given(agent):
    text = "import sys\nsys.stdout.write('{' * 20_971_520 + '\\nnext\\n')"
    done, lines = heard(agent(python(text)))
    assert (done.ended, lines) == (Ended(code=0), [b"{" * 1024, b"next"])


@pytest.mark.slow
def test_a_line_without_end_does_not_eat_the_memory(tmp_path):
    endless = python("import sys\nfor _ in range(100): sys.stdout.write('{' * 1_048_576)")
    code = (
        "import os, resource, sys\nfrom orchestrate.agents.process import ProcessLimits, run\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024\nbefore = peak()\n"
        "run([sys.argv[1]], os.environ, '/', b'', lambda line: None, ProcessLimits(60), f'r-{os.getpid()}')\n"
        "print(peak() - before)"
    )
    argv = [sys.executable, "-c", code, script(tmp_path / "endless", endless)]
    grown = subprocess.run(argv, env={**os.environ, "PYTHONPATH": str(REPO)}, capture_output=True, check=True).stdout
    assert int(grown) < 3 * LONGEST_LINE


def test_stdout_may_close_long_before_the_end(agent):
    done, lines = heard(agent("echo said; exec >&-; sleep 0.2; echo late >&2; exit 5"))
    assert (done, lines) == ((Ended(code=5), "late\n", []), [b"said"])


def test_of_a_flood_on_stderr_the_end_is_kept(agent):
    text = "import sys\nfor _ in range(100): sys.stderr.write('x' * 100_000)\nsys.exit('é last words')"
    done, lines = heard(agent(python(text)))
    assert (done.ended, lines) == (Ended(code=1), [])
    assert len(done.stderr.encode()) == STDERR_KEPT
    assert done.stderr.strip("x") == "é last words\n"


def test_who_does_not_read_its_stdin_is_not_fed(agent):
    assert heard(agent("exit 0"), b"x" * 10_000_000)[0].ended == Ended(code=0)


def test_who_closes_stdin_and_goes_on_is_heard(agent):
    done, lines = heard(agent("exec <&-; sleep 0.1; echo still here"), b"x" * 10_000_000)
    assert (done.ended, lines) == (Ended(code=0), [b"still here"])


def test_who_reads_slowly_gets_all_of_it(agent):
    reader = (
        "import os, time\ntotal = 0\nwhile data := os.read(0, 100_000):\n    total += len(data)\n    time.sleep(0.01)\n"
        "print(total)"
    )
    assert heard(agent(python(reader)), b"x" * 1_000_000) == ((Ended(code=0), "", []), [b"1000000"])


def test_timeout_is_a_sigterm(agent, clock):
    pids = clock.starts_after(1)
    done, _ = heard(agent(HANG), limits=ProcessLimits(total_s=0.1, grace_s=60))
    assert done == (Ended(signal=15, timed_out=True), "", [])
    assert are_gone(pids, 0)


def test_who_ignores_sigterm_is_killed_after_the_grace(agent, clock):
    pids = clock.starts_after(1)
    done, _ = heard(agent(DEAF), limits=ProcessLimits(total_s=0.1, grace_s=0.1))
    assert done.ended == Ended(signal=9, timed_out=True)
    assert are_gone(pids, 0)


def test_what_is_said_in_the_grace_is_heard(agent, clock):
    clock.starts_after(1)
    text = "import os, signal, sys, time\nprint('start', flush=True)\n"
    text += "def end(*_): print('x' * 200_000); sys.exit(143)\nsignal.signal(15, end)\n"
    text += "with open(os.environ['FIFO'], 'w') as fifo: print(os.getpid(), file=fifo)\ntime.sleep(600)"
    done, lines = heard(agent(python(text)), limits=ProcessLimits(total_s=0.1, grace_s=60))
    assert (done.ended, lines) == (Ended(code=143, timed_out=True), [b"start", b"x" * 200_000])


@pytest.mark.parametrize("text", [f"echo said; {HANG}", f"echo said; exec >&- 2>&-; {HANG}"])
def test_silence_is_a_stall(agent, clock, text):
    clock.starts_after(1)
    done, lines = heard(agent(text), limits=ProcessLimits(total_s=60, stall_s=0.1, grace_s=60))
    assert (done.ended, lines) == (Ended(signal=15, stalled=True), [b"said"])


@pytest.mark.parametrize("to", ["", ">&2"])
def test_who_talks_does_not_stall(agent, tmp_path, monkeypatch, to):
    """A word each second, of a clock that is the agent's: it goes on to the next once we have looked at this one."""
    seconds = tmp_path / "seconds"
    seconds.touch()
    looked = [0]

    def monotonic():
        now = seconds.stat().st_size
        if now > looked[-1]:
            looked.append(now)
            go.say("on")
        return float(now)

    with closing(Fifo(tmp_path / "go")) as go:
        monkeypatch.setattr(process, "time", SimpleNamespace(monotonic=monotonic))
        text = f"for _ in 1 2 3 4 5 6; do echo . {to}; printf x >> {seconds}; read -r _ < {go.path}; done"
        done, _ = heard(agent(text), limits=ProcessLimits(60, stall_s=2.5))
    assert (done.ended, looked) == (Ended(code=0), [0, 1, 2, 3, 4, 5, 6])


@pytest.fixture
def we_stand_still(monkeypatch):
    """For 100 s before our first look at the clock once the agent runs, which does `meanwhile` its part."""

    def at_first(meanwhile):
        looks = itertools.count()

        def monotonic():
            if (look := next(looks)) == 1:
                meanwhile()
            return 100.0 if look else 0.0

        monkeypatch.setattr(process, "time", SimpleNamespace(monotonic=monotonic))

    return at_first


def test_who_ended_while_we_stood_still_was_in_time(agent, fifo, we_stand_still):
    we_stand_still(lambda: are_gone(fifo.pids(1)))
    assert heard(agent(f"{TELL}; exit 4"), limits=ProcessLimits(total_s=10))[0].ended == Ended(code=4)


@pytest.mark.parametrize(
    ("end", "ended"),
    [
        ("kill -TERM $$", Ended(signal=15, aborted=True)),
        ("exit 143", Ended(code=143, aborted=True)),
        ("", Ended(code=0)),
    ],
)
def test_who_was_told_to_end_before_we_were_is_a_run_that_was_called_off(agent, fifo, we_stand_still, end, ended):
    we_stand_still(lambda: are_gone(fifo.pids(1)))
    with closing(Stop()) as stop:
        text = agent(f"{TELL}; echo said; {end}")
        done = run([text], os.environ, "/", b"", lambda line: stop.ask("SIGTERM"), SOON, run_id(), "", stop)
    assert done.ended == ended


def test_who_had_finished_when_the_end_was_asked_for_has_finished(agent, fifo):
    def ask(_line):
        assert are_gone(fifo.pids(1))
        stop.ask("SIGTERM")

    with closing(Stop()) as stop:
        done = run([agent(f"{TELL}; echo said")], os.environ, "/", b"", ask, SOON, run_id(), "", stop)
    assert done.ended == Ended(code=0)


def test_who_spoke_while_we_stood_still_was_not_silent(agent, fifo, tmp_path, we_stand_still):
    we_stand_still(lambda: fifo.pids(1))
    with closing(Fifo(tmp_path / "go")) as go:
        text = agent(f"echo said; {TELL}; read -r _ < {go.path}; exit 4")
        limits = ProcessLimits(stall_s=10)
        done = run([text], os.environ, "/", b"", lambda line: go.say("on"), limits, run_id())
    assert done.ended == Ended(code=4)


def test_one_who_holds_stdout_after_the_end_is_not_waited_for(agent):
    text = 'echo last; (echo $$; trap "" HUP; exec sleep 600) & sleep 600 & exit 0'
    began = time.monotonic()
    done, lines = heard(agent(text))
    assert done.ended == Ended(code=0)
    assert lines[0] == b"last"
    assert len(done.swept) == 2
    assert time.monotonic() - began < 300


def test_what_the_reader_raises_ends_the_child(agent, fifo):
    def refuse(line):
        raise BrokenPipeError(line)

    text = f'trap "" TERM; {TELL}; echo said; while :; do sleep 600; done'
    with pytest.raises(BrokenPipeError, match=r"^b'said'$"):
        run([agent(text)], os.environ, "/", b"", refuse, DEAF_SOON, run_id())
    assert are_gone(fifo.pids(1), 0)


def test_the_reader_may_ask_for_the_end(agent, fifo):
    with closing(Stop()) as stop:
        done = run(
            [agent(f"echo said; {HANG}")], os.environ, "/", b"", lambda _: stop.ask("loop"), SOON, run_id(), None, stop
        )
        assert (done.ended, stop.why) == (Ended(signal=15, aborted=True), "loop")


def test_after_the_end_was_asked_for_nothing_starts(agent, fifo):
    with closing(Stop()) as stop:
        stop.ask("SIGINT")
        done, _ = heard(agent(HANG), stop=stop)
    assert done.ended == Ended(aborted=True, started=False)
    assert fifo.is_silent()


def test_another_thread_may_ask_for_the_end(agent, fifo):
    ends = []
    with closing(Stop()) as stop:
        thread = threading.Thread(target=lambda: ends.append(heard(agent(DEAF), b"", DEAF_SOON, stop=stop)[0].ended))
        thread.start()
        pids = fifo.pids(1)
        stop.ask("enough")
        thread.join(60)
    assert ends == [Ended(signal=9, aborted=True)]
    assert are_gone(pids, 0)


def test_the_kernel_ends_a_child_with_the_thread_that_forked_it(agent, fifo):
    """Which is why `run` stays in the thread that it was called in."""
    children = []
    thread = threading.Thread(target=lambda: children.append(spawn.start([agent(HANG)], os.environ, "/")))
    thread.start()
    thread.join()
    assert children[0].wait(30) == -signal.SIGTERM
    children[0].communicate()


def test_a_child_outlives_every_thread_but_its_own(agent, fifo, tmp_path):
    go = tmp_path / "go"
    os.mkfifo(go)
    ends = []
    text = f'echo $$ > "$FIFO"; read word < {go}; echo "$word"'
    runner = threading.Thread(target=lambda: ends.append(heard(agent(text))))
    starter = threading.Thread(target=runner.start)
    starter.start()
    starter.join()
    fifo.pids(1)
    go.write_text("on\n")
    runner.join(60)
    assert ends == [((Ended(code=0), "", []), [b"on"])]


def test_handlers_are_put_back(agent):
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    heard(agent("exit 0"))
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before


@pytest.mark.parametrize("signum", some([signal.SIGINT, signal.SIGTERM, signal.SIGHUP], 1))
def test_a_signal_to_us_ends_all_of_it(agent, fifo, signum):
    tool = f"setsid sh -c '{HANG}' & {HANG}"
    with ours(agent(tool)) as process:
        pids = fifo.pids(2)
        process.send_signal(signum)
        assert process.communicate(timeout=60)[0] == f"{Ended(signal=15, aborted=True)}\n"
    assert are_gone(pids, 0)


def test_a_second_signal_does_not_wait_for_the_grace(agent, fifo):
    text = "import os, signal, time\nsignal.signal(15, lambda *_: open(os.environ['FIFO'], 'w').write('told\\n'))\n"
    text += "open(os.environ['FIFO'], 'w').write('up\\n')\nwhile True: time.sleep(600)"
    with ours(agent(python(text)), limits="ProcessLimits(grace_s=600)") as process:
        assert fifo.lines(1) == ["up"]
        process.send_signal(signal.SIGINT)
        assert fifo.lines(1) == ["told"]
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60)[0] == f"{Ended(signal=9, aborted=True)}\n"


def test_nohup_is_respected(agent, fifo, tmp_path):
    go = tmp_path / "go"
    os.mkfifo(go)
    text = f'echo $$ > "$FIFO"; read word < {go}; exit 7'
    process = ours(agent(text), preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    with process:
        fifo.pids(1)
        process.send_signal(signal.SIGHUP)
        go.write_text("on\n")
        assert process.communicate(timeout=60)[0] == f"{Ended(code=7)}\n"


def test_a_run_costs_no_large_import(agent):
    code = (
        "import os, sys\nbefore = set(sys.modules)\n"  # a measured interpreter has more than its own
        "from orchestrate.agents.process import ProcessLimits, run\n"
        "run([sys.argv[1]], os.environ, '/', b'', print, ProcessLimits(60), f'r-{os.getpid()}', sys.argv[2])\n"
        "print(sorted({'asyncio', 'filelock', 'json', 'psutil', 'logging'} & (set(sys.modules) - before)))"
    )
    argv = [sys.executable, "-c", code, agent("exit 0"), os.environ["HOME"]]
    env = {**os.environ, "PYTHONPATH": str(REPO)}
    assert subprocess.run(argv, env=env, capture_output=True, text=True, check=True).stdout == "[]\n"


def test_an_interpreter_without_ctypes_runs_agents_all_the_same(agent):
    code = (
        "import os, sys\nsys.modules['_ctypes'] = None\nfrom orchestrate.agents.process import ProcessLimits, run\n"
        "print(run([sys.argv[1]], os.environ, '/', b'', print, ProcessLimits(60), f'r-{os.getpid()}').ended.code)"
    )
    argv = [sys.executable, "-c", code, agent("exit 4")]
    env = {**os.environ, "PYTHONPATH": str(REPO)}
    assert subprocess.run(argv, env=env, capture_output=True, text=True, check=True).stdout == "4\n"


def test_two_runs_at_once_leave_each_other_alone(agent, fifo):
    with ours(agent(HANG)) as one, ours(agent(HANG)) as two:
        pids = fifo.pids(2)
        one.terminate()
        assert one.communicate(timeout=60)[0] == f"{Ended(signal=15, aborted=True)}\n"
        assert sorted(map(is_alive, pids)) == [False, True]
        two.terminate()
        assert two.communicate(timeout=60)[0] == f"{Ended(signal=15, aborted=True)}\n"
    assert are_gone(pids, 0)
