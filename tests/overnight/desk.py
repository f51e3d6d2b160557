"""A user with a project, a queue for the night, and fakes/claude as the client on PATH."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from made_repo import Repo

from orchestrate.overnight.telling import Telling
from state.paths import locate
from state.store import open_user_store
from state.store.night_records import New
from state.telling import Teller

FAKES = Path(__file__).with_name("fakes")
PROGRAM = str(Path(sys.executable).with_name("orchestrate"))
GREEN, RED = ("test", "-e", "."), ("sh", "-c", "echo 2 failed; exit 1")


class Night(subprocess.Popen):
    """One that a test leaves early does not go on until its own end."""

    def __exit__(self, kind, error, trace):
        if kind is not None:
            self.kill()
        super().__exit__(kind, error, trace)


class Desk:
    def __init__(self, folder, home):
        self.desk = folder / "desk"
        self.desk.mkdir()
        self.home = home
        self.repo = Repo(folder / "project")
        self.project = self.repo.root
        self.env = {
            **os.environ,
            "DESK": str(self.desk),
            "PATH": f"{FAKES}:{os.environ['PATH']}",
            "ORCHESTRATOR_OVERNIGHT__FLOOR_PERCENT": "10",
        }
        self.until = until()
        self.user = f"{home}/.orchestrator"
        self.place = locate(self.project, self.env)
        self.told = Telling(Teller("user", "-", "c"))

    def reads(self, used=10.0, resets_in_s=3600.0, window="five_hour"):
        """What the next client tells of the limits."""
        share, at = used / 100, int(time.time() + resets_in_s)
        info = {"status": "allowed", "rateLimitType": window, "resetsAt": at}
        info["unifiedWindows"] = {window: {"status": "allowed", "utilization": share, "resetsAt": at}}
        (self.desk / "limits").write_text(json.dumps({"type": "rate_limit_event", "rate_limit_info": info}))

    def known(self, used=10.0, resets_in_s=3600.0):
        """What was read before the night."""
        from state import quota

        window = {"five_hour": {"used": used, "resets_at": time.time() + resets_in_s}}
        quota.note(self.user, window, "stream", time.time())

    def add(self, *jobs, checks=(GREEN,), minutes=10.0, points=1.0, **more):
        new = [
            New(text=text, project=self.project, checks=checks, minutes=minutes, quota_points=points, **more)
            for text in jobs
        ]
        with self.store() as store:
            return [job.code for job in store.nights.add(new, time.time(), self.told)]

    def store(self):
        return open_user_store(self.place)

    def jobs(self):
        with self.store() as store:
            return {job.code: job for job in store.nights.jobs()}

    def standing(self):
        return {code: job.status for code, job in self.jobs().items()}

    def night(self, *words, **env):
        return self.command("overnight", "run", "--until", self.until, *words, **env)

    def start(self, *words, program=(PROGRAM,), **env):
        return Night(
            [*program, "overnight", "run", "--until", self.until, *words],
            env={**self.env, **env},
            cwd=self.project,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def command(self, *words, cwd=None, **env):
        return subprocess.run(
            [PROGRAM, *words],
            env={**self.env, **env},
            cwd=cwd or self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def report(self):
        done = self.command("overnight", "report", "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def log(self, verb):
        path = self.desk / "log"
        lines = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
        return [words[1] for words in lines if words[0] == verb]

    def awaits(self, name, within_s=60):
        deadline = time.monotonic() + within_s
        while not (self.desk / name).exists():
            assert time.monotonic() < deadline, f"no {name}"
            time.sleep(0.01)

    def pid(self, name):
        return int((self.desk / f"pid-{name}").read_text())

    def tree(self, code):
        return Path(self.user, "overnight", code, "tree")


def until():
    """Three hours from now, by the clock of those it is told to: no test comes near it. Which night it ends depends on
    it too: it is the same for all that is begun of one."""
    return time.strftime("%H:%M", time.gmtime(time.time() + 3 * 3600))
