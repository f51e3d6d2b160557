"""Nights run by the real command line, with fakes/claude as the client."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from desk import GREEN, PROGRAM, RED, Desk
from ending import are_gone, is_alive, is_gone
from mounting import AS_ROOT, mounts

from orchestrate.agents import process
from orchestrate.agents.stop import Stop
from orchestrate.overnight import limits, loop
from orchestrate.overnight.window import Span
from state.snapshot import DEFAULTS
from state.store.night_records import New
from state.store.search_records import Filter

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]  # each has several nights, of a dozen processes each

REPO = Path(__file__).resolve().parents[2]


@pytest.fixture
def desk(tmp_path, home):
    made = Desk(tmp_path, home)
    made.known()
    made.reads(12)
    return made


def ended(desk, code):
    """How often it was told that a job has ended."""
    job = desk.jobs()[code].id
    with desk.store() as store:
        found = store.listing.newest(Filter(entity_type="night_job", entity_id=job), 1000)
    return [one.event.type.rpartition(".")[2] for one in found]


def test_each_job_ends_as_its_checks_say_and_the_users_project_stays_as_it_was(desk):
    (desk.repo.path / "a.txt").write_text("not committed\n")
    (desk.repo.path / "mine.txt").write_text("mine\n")
    desk.repo.git("add", "mine.txt")
    before = desk.repo.state()
    desk.add("write one", "commits two")
    desk.add("write three", checks=(GREEN, RED))
    desk.add("write four", checks=())
    desk.add("write five", checks=(("no-such-check",),))
    desk.add("nothing six", "mischief seven")
    done = desk.night()
    assert (done.returncode, done.stdout) == (0, "")
    assert desk.standing() == {
        "J-1": "shipped",
        "J-2": "shipped",
        "J-3": "failed",
        "J-4": "unverified",
        "J-5": "unverified",
        "J-6": "unverified",
        "J-7": "failed",
    }
    assert desk.repo.state() == before
    for code, name in (("J-1", "one"), ("J-2", "two"), ("J-3", "three")):
        tree = desk.tree(code)
        shown = desk.repo.git("log", "--format=%D", "-1", "--name-only", f"overnight/{code}", at=str(tree))
        assert shown.split() == ["HEAD", "->", f"overnight/{code}", f"{name}.txt"]
    assert not (desk.tree("J-1") / "mine.txt").exists(), "what is not committed is not the job's"


def test_children_know_that_it_is_night_and_where_they_work(desk):
    desk.add("write one")
    desk.night(ORCHESTRATOR_SESSION="of-the-user", GIT_DIR="/nowhere")
    told = dict(line.split("=", 1) for line in (desk.desk / "env-one").read_text().splitlines() if "=" in line)
    assert (told["CLAUDE_OVERNIGHT"], "GIT_DIR" in told) == ("1", False)
    assert told["ORCHESTRATOR_SESSION"] != "of-the-user"
    assert (desk.desk / "pwd-one").read_text().strip() == str(desk.tree("J-1"))


def test_the_checks_of_the_project_count_where_a_job_names_none(desk):
    desk.add("write one", "write two", checks=())
    done = desk.night(ORCHESTRATOR_OVERNIGHT__CHECKS="test -e one.txt && test -e a.txt")
    assert desk.standing() == {"J-1": "shipped", "J-2": "failed"}, done.stderr


def test_a_check_cannot_put_anything_into_the_commit(desk):
    desk.add("write one", checks=(("sh", "-c", "echo dirt > dirt.txt; git add dirt.txt"),))
    desk.night()
    assert desk.standing() == {"J-1": "shipped"}
    assert "dirt.txt" not in desk.repo.git("ls-tree", "--name-only", "overnight/J-1", at=str(desk.tree("J-1")))


def test_every_job_is_a_decision_of_its_project(desk):
    desk.add("write one", "write two", "nothing three")
    desk.night()
    told = json.loads(desk.command("metrics", "report", "--by-mode", "--json", cwd=desk.project).stdout)
    assert told["by"]["mode"]["orchestration"]["followed"] == 3


def test_a_second_night_is_refused_with_the_pid_of_the_first(desk):
    desk.add("hang one")
    with desk.start() as first:
        desk.awaits("hangs-one")
        second = desk.night()
        assert second.returncode == 75
        assert f"pid {first.pid}" in second.stderr
        first.send_signal(signal.SIGTERM)
        first.wait(60)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_an_interrupted_night_ends_its_agents_and_queues_their_jobs_again(desk, signum):
    desk.add("hang one", "write two")
    with desk.start() as night:
        desk.awaits("hangs-one")
        night.send_signal(signum)
        assert night.wait(60) == 130
    assert not is_alive(desk.pid("one"))
    jobs = desk.jobs()
    assert (jobs["J-1"].status, jobs["J-1"].attempts, jobs["J-1"].why) == ("queued", 0, "the night was interrupted")
    report = desk.report()
    assert (report["state"], report["why"]) == ("ended", "stopped")
    assert {line["code"]: line["why"] for line in report["not_done"]}["J-1"] == "the night was interrupted"


_PATIENT = """
import sys
from orchestrate.agents.process import ProcessLimits
ProcessLimits.__new__.__defaults__ = tuple({**ProcessLimits._field_defaults, "grace_s": 3600.0}.values())
sys.argv[0] = "orchestrate"
from orchestrate.cli import main
main()
"""


def test_an_agent_that_does_not_listen_is_ended_at_the_second_signal(desk):
    """Only by that: it had an hour after the first."""
    desk.add("deaf one")
    with desk.start(program=(sys.executable, "-c", _PATIENT), PYTHONPATH=str(REPO)) as night:
        desk.awaits("hangs-one")
        night.send_signal(signal.SIGINT)
        desk.awaits("told-one")
        night.send_signal(signal.SIGINT)
        assert night.wait(60) == 130
    assert not is_alive(desk.pid("one"))


def test_a_job_that_takes_too_long_is_ended_and_what_it_has_so_far_is_kept(desk, monkeypatch):
    desk.add("hang one", minutes=10)
    desk.add("write two")
    clock = Clock()
    monkeypatch.setattr(process, "time", clock)
    lasts(desk, clock, ahead_s=600, within_s=7200)
    jobs = desk.jobs()
    assert (jobs["J-1"].status, jobs["J-1"].why) == ("failed", "timeout: stopped: it took too long")
    assert jobs["J-2"].status == "shipped"
    assert not is_alive(desk.pid("one"))
    (line,) = desk.report()["not_done"]
    assert (line["branch"], desk.repo.git("show", f"{line['commit']}:one.txt", at=line["worktree"])) == (
        "overnight/J-1",
        "one\n",
    )


def test_a_limit_that_is_reached_puts_the_job_off_until_its_reset(desk):
    desk.add("limited one")
    began = int(time.time())
    done = desk.night()
    job = desk.jobs()["J-1"]
    assert (done.returncode, job.status, job.attempts) == (0, "queued", 0)
    assert began <= job.not_before - 14400 <= time.time()
    (line,) = desk.report()["not_done"]
    at = time.strftime("%H:%M", time.gmtime(job.not_before))
    assert line["why"] == f"a limit of the account is reached: it may begin again at {at}"


def test_a_job_that_was_refused_is_put_off_also_where_the_night_ends_its_client_first(desk):
    """The refusal is a reading as well: the night may see by it that nothing is left before the client has ended."""
    desk.add("refused one")
    began = int(time.time())
    assert desk.night().returncode == 0
    job = desk.jobs()["J-1"]
    assert (job.status, job.attempts, job.why) == ("queued", 0, "a limit of the account is reached")
    assert began <= job.not_before - 14400 <= time.time()


def test_a_client_that_is_not_logged_in_stops_the_night_with_one_line(desk):
    desk.add("auth one", "hang two")
    desk.add("write three", depends=("J-2",))
    done = desk.night("--max-concurrent", "2")
    assert done.returncode == 1
    line = "overnight: the client is not logged in, or its account does not serve: run `claude` and log in"
    assert [each for each in done.stderr.splitlines() if "log in" in each] == [f"{line} (auth: Invalid API key)"]
    assert desk.standing() == {"J-1": "queued", "J-2": "queued", "J-3": "queued"}
    assert desk.log("start") in (["one"], ["one", "two"], ["two", "one"])
    report = desk.report()
    assert report["decisions"][0]["text"].startswith("the client is not logged in")
    assert report["halted"] == report["decisions"][0]["text"]


def test_without_a_client_the_night_says_so_and_loses_nothing(desk):
    desk.add("write one")
    done = desk.night(PATH="/usr/bin:/bin")
    assert (done.returncode, desk.standing()) == (1, {"J-1": "queued"})
    assert "the client is not on PATH" in done.stderr


def test_what_the_service_fails_is_tried_again_later_and_not_for_ever(desk):
    desk.add("crash one", "write two")
    began = time.time()
    with desk.start() as night:
        while desk.standing() != {"J-1": "queued", "J-2": "shipped"} or not desk.jobs()["J-1"].attempts:
            assert night.poll() is None
            time.sleep(0.05)
        night.send_signal(signal.SIGTERM)
        night.wait(60)
    job = desk.jobs()["J-1"]
    assert (job.status, job.attempts) == ("queued", 1)
    assert began <= job.not_before - 300 <= time.time()
    assert job.why.startswith("crashed: ")


def test_a_project_that_is_gone_fails_its_job_and_the_night_goes_on(desk, tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    with desk.store() as store:
        store.nights.add([New("write one", str(gone))], time.time(), desk.told)
    gone.rmdir()
    desk.add("write two")
    done = desk.night()
    jobs = desk.jobs()
    assert (done.returncode, jobs["J-1"].status, jobs["J-1"].why) == (0, "failed", f"{gone}: the project is gone")
    assert jobs["J-2"].status == "shipped"
    assert not gone.exists()


def test_a_worktree_that_cannot_be_made_fails_its_job_and_the_night_goes_on(desk):
    desk.add("write one", "write two")
    Path(desk.user, "overnight").mkdir(parents=True)
    Path(desk.user, "overnight", "J-1").write_text("in the way")
    assert desk.night().returncode == 0
    jobs = desk.jobs()
    assert jobs["J-1"].status == "failed"
    assert "a file stands where a folder is needed" in jobs["J-1"].why
    assert jobs["J-2"].status == "shipped"


@mounts
def test_a_full_disk_fails_the_jobs_that_it_stops_and_the_night_goes_on(desk):
    desk.add("write one", "write two")
    mount = f"mkdir -p {desk.user}/overnight; mount -t tmpfs -o size=16k x {desk.user}/overnight"
    argv = [*AS_ROOT, "sh", "-ec", f'{mount}; exec "$@"', "sh", PROGRAM, "overnight", "run", "--until", desk.until]
    done = subprocess.run(argv, env=desk.env, cwd=desk.home, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, desk.standing()) == (0, {"J-1": "failed", "J-2": "failed"}), done.stderr
    why = desk.jobs()["J-1"].why
    assert any(said in why for said in ("No space left on device", "could not set", "failed to write")), (
        why
    )  # as git says


def test_a_project_without_a_commit_fails_its_job(desk, tmp_path):
    empty = tmp_path / "empty"
    subprocess.run(["git", "init", "--quiet", str(empty)], check=True)
    with desk.store() as store:
        store.nights.add([New("write one", str(empty))], time.time(), desk.told)
    desk.night()
    assert desk.jobs()["J-1"].why == f"{empty}: no commit to start from: commit something first"


def test_a_job_that_is_cancelled_while_it_runs_ends_nobody_elses(desk):
    desk.add("hang one", "write two")
    with desk.start() as night:
        desk.awaits("hangs-one")
        with desk.store() as store:
            store.nights.cancel(store.nights.one("J-1").id, None, time.time(), desk.told)
        _, said = night.communicate(timeout=60)
    assert night.returncode == 0
    assert [line for line in said.splitlines() if "J-1" in line][1:] == [
        "overnight: J-1: let go: it was cancelled, or taken over, while it ran"
    ]
    assert not is_alive(desk.pid("one"))
    assert desk.standing() == {"J-1": "cancelled", "J-2": "shipped"}
    assert {line["code"]: line["why"] for line in desk.report()["not_done"]}["J-1"] == "it was cancelled while it ran"


def test_a_dry_run_changes_nothing(desk):
    desk.add("write one", "write two")
    desk.command("overnight", "report")  # settings are compiled by now

    def state():
        files = [path for path in desk.home.rglob("*") if path.is_file()]
        return {str(path): path.read_bytes() for path in files} | {"project": desk.repo.state()}

    before = state()
    done = desk.night("--dry-run")
    assert done.returncode == 0
    assert "2 of 2 jobs" in done.stdout
    assert state() == before
    assert desk.log("start") == []


def test_a_dry_run_where_nothing_was_ever_queued_makes_no_store(tmp_path, home):
    desk = Desk(tmp_path, home)
    done = desk.night("--dry-run")
    assert (done.returncode, done.stdout) == (0, "")
    assert not Path(desk.user, "store.db").exists()


def test_a_night_is_refused_where_orchestration_is_switched_off(desk):
    desk.add("write one")
    done = desk.night(ORCHESTRATOR_DISABLED="1")
    assert (done.returncode, desk.standing()) == (4, {"J-1": "queued"})


@pytest.mark.parametrize(
    ("reading", "blind", "begun", "why"),
    [(True, "0", 3, "done"), (False, "0", 1, "blind"), (False, "1", 2, "blind"), (False, "9", 3, "done")],
)
def test_without_any_reading_one_job_is_a_probe(tmp_path, home, reading, blind, begun, why):
    desk = Desk(tmp_path, home)
    if reading:
        desk.reads(12)
    desk.add("write one", "write two", "write three")
    done = desk.night(ORCHESTRATOR_OVERNIGHT__BLIND_JOBS=blind)
    assert (len(desk.log("start")), desk.report()["why"]) == (begun, why), done.stderr
    windows = {each["window"]: each["used"] for each in desk.report()["quota"]["windows"]}
    assert windows == {"five_hour": 0.0 if reading else None, "seven_day": None}
    told = [owed["command"] for owed in desk.report()["decisions"]]
    assert (told[0] == "orchestrate install --statusline") == (why == "blind")


@pytest.mark.parametrize("is_there", [False, True], ids=["gone", "without a commit"])
def test_a_probe_for_which_no_agent_was_begun_is_followed_by_another(tmp_path, home, is_there):
    desk = Desk(tmp_path, home)
    desk.reads(12)
    whole, desk.project = desk.project, str(tmp_path / "other")
    desk.add("write one", points=0.5)
    desk.project = whole
    if is_there:
        subprocess.run(["git", "init", "-q", str(tmp_path / "other")], check=True)
    desk.add("write two")
    desk.night()
    assert (desk.standing(), desk.report()["why"]) == ({"J-1": "failed", "J-2": "shipped"}, "done")


def test_the_users_own_work_stops_the_night_where_he_said_so(desk):
    desk.add("hang one", "write two")
    env = {"ORCHESTRATOR_OVERNIGHT__STOP_ON_ACTIVITY": "true"}
    with desk.start("--max-concurrent", "1", **env) as night:
        desk.awaits("hangs-one")
        talk = desk.home / ".claude/projects/-home-me-project"
        talk.mkdir(parents=True)
        (talk / "s.jsonl").write_text("{}\n")
        os.utime(talk / "s.jsonl", (time.time() + 5, time.time() + 5))
        assert night.wait(45) == 0
    assert desk.report()["why"] == "activity"
    assert desk.jobs()["J-1"].why == "you were at work yourself"
    assert desk.standing() == {"J-1": "queued", "J-2": "queued"}


_DIES = """
import os, signal, sys
from orchestrate.overnight import dispatch, kept, loop, verdict, worker
from state.store.nights import Nights

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def after(owner, name):
    was = getattr(owner, name)
    def both(*given, **named):
        was(*given, **named)
        die()
    setattr(owner, name, both)

point = sys.argv.pop(1)
{"claimed": lambda: after(Nights, "claim"),
 "worktree made": lambda: after(dispatch.worktrees, "make"),
 "before it is kept": lambda: setattr(dispatch.kept, "keep", die),
 "agent done": lambda: after(dispatch.kept, "keep"),
 "committed": lambda: setattr(dispatch.checks, "run", die),
 "checks run": lambda: after(dispatch.checks, "run"),
 "before finish": lambda: setattr(Nights, "finish", die),
 "finished": lambda: after(Nights, "finish")}[point]()
sys.argv[0] = "orchestrate"
from orchestrate.cli import main
main()
"""


def dies(desk, point, *words, **more):
    """A night that is killed at that point."""
    argv = [sys.executable, "-c", _DIES, point, "overnight", "run", "--until", desk.until, *words]
    env = {**desk.env, "PYTHONPATH": str(REPO), **more}
    return subprocess.run(argv, env=env, cwd=desk.home, capture_output=True, timeout=120, check=False)


@pytest.mark.parametrize(
    ("point", "starts"),
    [
        ("claimed", 1),
        ("worktree made", 1),
        ("before it is kept", 2),
        ("agent done", 1),
        ("committed", 1),
        ("checks run", 1),
        ("before finish", 1),
        ("finished", 1),
    ],
)
def test_a_night_that_is_killed_goes_on_where_it_was(desk, point, starts):
    desk.add("write one", checks=(("sh", "-c", "echo dirt > dirt.txt"),))
    killed = dies(desk, point, "--max-concurrent", "1")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert desk.standing() == {"J-1": "shipped" if point == "finished" else "running"}
    if point != "finished":
        (line,) = desk.report()["not_done"]
        assert line["why"] == "the night was cut off while it ran: it begins again with the next"
        assert desk.report()["state"] == "cut off"
    done = desk.night()
    assert (done.returncode, desk.standing()) == (0, {"J-1": "shipped"}), done.stderr
    assert (desk.log("start"), desk.log("beside")) == (["one"] * starts, [])
    assert ended(desk, "J-1").count("finished") == 1
    assert len(desk.report()["shipped"]) == 1
    committed = desk.repo.git("show", "--format=%s", "--name-only", "overnight/J-1", at=str(desk.tree("J-1")))
    assert committed.split() == ["write", "one", "[J-1]", "one.txt"]


def test_what_a_killed_night_has_spent_counts_for_the_one_that_goes_on(desk):
    """The window is the same until morning: the first job has taken 2 points of the 4 that are the night's."""
    desk.known(resets_in_s=14_400)
    desk.reads(12, resets_in_s=14_400)
    desk.add("write one", "write two")
    cap = {"ORCHESTRATOR_OVERNIGHT__WINDOW_CAP_PERCENT": "4"}
    killed = dies(desk, "finished", "--max-concurrent", "1", **cap)
    assert (killed.returncode, desk.standing()) == (-signal.SIGKILL, {"J-1": "shipped", "J-2": "queued"}), killed.stderr
    assert desk.jobs()["J-1"].points_used == 2.0
    planned = desk.night("--dry-run", "--max-concurrent", "1", **cap).stdout
    assert "2.5 points of the five-hour limit are to be set aside for it, 2 are left" in planned, planned
    done = desk.night("--max-concurrent", "1", **cap)
    assert (done.returncode, desk.standing(), desk.log("start")) == (
        0, {"J-1": "shipped", "J-2": "queued"}, ["one"],
    ), done.stderr  # fmt: skip
    assert desk.report()["why"] == "floor"
    (left,) = desk.report()["not_done"]
    assert left["why"] == "2.5 points of the five-hour limit are to be set aside for it, 2 are left"
    assert done.stderr.splitlines()[0].endswith(": 1 jobs, 0 of them planned")


def test_what_a_killed_night_has_left_running_is_ended_before_its_job_begins_again(desk):
    desk.add("once one", "once two")
    night = desk.start("--max-concurrent", "2")
    desk.awaits("hangs-one")
    desk.awaits("hangs-two")
    first = desk.pid("one"), desk.pid("two")
    night.kill()
    night.communicate()
    assert desk.night().returncode == 0
    assert (desk.standing(), desk.log("beside")) == ({"J-1": "shipped", "J-2": "shipped"}, [])
    assert are_gone(first)
    assert sorted(desk.log("start")) == ["one", "one", "two", "two"]


def test_a_job_that_takes_its_night_with_it_every_time_fails_in_the_end(desk):
    desk.add("write one")
    for _ in range(3):
        dies(desk, "before it is kept")
    assert desk.night().returncode == 0
    job = desk.jobs()["J-1"]
    assert (job.status, job.why) == ("failed", "its runner was gone, and that was attempt 3 of 3")
    assert len(desk.log("start")) == 3


def test_the_way_to_a_branch_that_the_report_names_leads_there(desk):
    desk.add("write one")
    desk.night()
    (owed,) = desk.report()["decisions"]
    before = desk.repo.git("status", "--porcelain=v2", "--branch")
    subprocess.run(owed["command"], shell=True, check=True, capture_output=True)
    assert desk.repo.git("show", "overnight/J-1:one.txt") == "one\n"
    assert desk.repo.git("status", "--porcelain=v2", "--branch") == before
    desk.add("write two")
    desk.night()
    assert not desk.tree("J-1").exists(), "its work is where the user wanted it"
    assert desk.tree("J-2").exists()


def test_a_store_that_takes_nothing_ends_the_night_and_its_agents_and_the_next_night_goes_on(desk):
    desk.add("once one")
    with desk.start() as night:
        desk.awaits("hangs-one")
        resource.prlimit(night.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        night.send_signal(signal.SIGTERM)
        assert night.wait(60) == 1
        said = night.stderr.read().splitlines()  # a measurement of coverage that cannot be written speaks last
        assert any(line.startswith("orchestrate: ") for line in said)
    assert is_gone(desk.pid("one"))
    assert desk.standing() == {"J-1": "running"}
    assert desk.night().returncode == 0
    assert desk.standing() == {"J-1": "shipped"}


def until_it_is(desk, code, status):
    deadline = time.monotonic() + 60
    while desk.standing()[code] != status:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_reading_near_the_floor_ends_what_runs(desk):
    desk.add("hang one")
    with desk.start() as night:
        desk.awaits("hangs-one")
        desk.known(89.9)
        until_it_is(desk, "J-1", "queued")
        night.send_signal(signal.SIGTERM)
        night.wait(60)
    assert (desk.jobs()["J-1"].why, is_alive(desk.pid("one"))) == ("the limits came near the floor", False)


class Clock:
    """Of a module, which somebody moves on: the wall's and the machine's go alike."""

    localtime, strftime = staticmethod(time.localtime), staticmethod(time.strftime)

    def __init__(self):
        self.ahead_s = 0.0

    def time(self):
        return time.time() + self.ahead_s

    def monotonic(self):
        return time.monotonic() + self.ahead_s


def lasts(desk, clock, ahead_s, within_s):
    """What a night says that ends within that time, one job after the other; that clock goes on where J-1 hangs."""
    said, now = [], time.time()
    when = limits.night(DEFAULTS)
    span = Span(now, now + within_s, when.span(now).evening)
    allowed = limits.of(DEFAULTS)._replace(max_concurrent=1)

    def goes_on():
        desk.awaits("hangs-one")
        clock.ahead_s = ahead_s

    with desk.store() as store, closing(Stop()) as stop, ThreadPoolExecutor(1) as pool:
        pool.submit(goes_on)
        assert loop.Loop(loop.Setting(desk.user, desk.env, span, when, allowed, said.append), store, stop).run() == 0
    return said


def test_a_night_that_is_over_ends_what_runs(desk, monkeypatch):
    desk.add("hang one", "write two", minutes=None)
    clock = Clock()
    monkeypatch.setattr(loop, "time", clock)
    said = lasts(desk, clock, ahead_s=3600, within_s=3600)
    assert said[-1] == "the night ends: its time is over"
    assert {code: (job.status, job.why) for code, job in desk.jobs().items()} == {
        "J-1": ("queued", "the night was over"),
        "J-2": ("queued", None),
    }
    assert not is_alive(desk.pid("one"))


def test_a_night_that_is_halted_names_no_answer_where_there_is_none_and_what_could_never_run(desk):
    desk.add("auth one")
    desk.add("write two", points=99.0)
    assert desk.night().returncode == 1
    tried, left = desk.report()["not_done"]
    assert (tried["code"], tried["answer"]) == ("J-1", None)
    assert left["why"] == "takes 99 points, and the night leaves a job 88 of a window"


def test_what_an_agent_leaves_to_its_user_is_in_the_report(desk):
    desk.add("asks one", "nothing two")
    desk.night()
    report = desk.report()
    assert [owed["text"] for owed in report["decisions"]] == ["merge it, or leave it", "tabs or spaces?"]
    (line,) = report["unverified"]
    assert Path(line["answer"]).read_text() == "there was nothing to do"
