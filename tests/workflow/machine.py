"""A machine of its own, with a home, a project and runners that are started and killed one after the other."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from pathlib import Path

from orchestrate.workflow import inbox, launching, loading, runs, values
from state.paths import locate

REPO = Path(__file__).resolve().parents[2]
FAKES = Path(__file__).with_name("fakes")
_RUNNER = (
    "import sys; sys.path.insert(0, sys.argv[1]); exec(sys.argv[4]); from orchestrate.workflow.holding import main; "
    "main(sys.argv[2], sys.argv[3] == 'patient')"
)

_ONE_AT_A_TIME = threading.Lock()


class Machine:
    def __init__(self, folder, url="", idle_s="0.3"):
        self.folder = Path(folder)
        self.home = self.folder / "home"
        self.desk = self.folder / "desk"
        self.project = self.folder / "project"
        for one in (self.home, self.desk, self.project / ".git"):
            one.mkdir(parents=True)
        os.mkfifo(self.desk / "never")
        self.user = str(self.home / ".orchestrator")
        self.env = {
            **os.environ,
            "HOME": str(self.home),
            "DESK": str(self.desk),
            "PATH": f"{FAKES}:{os.environ['PATH']}",
            "ORCHESTRATOR_RUN__BACKOFF_S": "0.01",
            "ORCHESTRATOR_RUN__AT_ONCE": "8",
            "ORCHESTRATOR_WORKFLOW__IDLE_S": idle_s,
            "ORCHESTRATOR_WORKFLOW__ENGINE_URL": url,
        }
        self.place = locate(str(self.project), self.env)

    def workflow(self, text, name="w.yaml"):
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def own_workflow(self, name, text):
        """Among the user's, where another one finds it by name."""
        path = Path(self.user, "workflows", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def begin(self, path, most=0, **told):
        """Written down and asked for; whoever is to run it has to be started."""
        workflow = loading.load(path, self.place)
        with _ONE_AT_A_TIME:
            started, inbox.start = inbox.start, lambda user: None
            try:
                return launching.begin(self.place, workflow, values.given(workflow, told), self.env, most)
            finally:
                inbox.start = started

    def runner(self, before=(), is_patient=False, first="", **options):
        """`first`: what it does before all else, in Python."""
        told = [self.user, "patient" if is_patient else "", first]
        argv = [*before, sys.executable, "-E", "-P", "-c", _RUNNER, str(REPO), *told]
        return subprocess.Popen(argv, env=self.env, cwd="/", stdin=subprocess.DEVNULL, **options)

    @contextmanager
    def running(self, **options):
        """A runner, until it is not wanted any more."""
        with self.runner(**options) as runner:
            try:
                yield runner
            finally:
                runner.kill()

    def run_until_idle(self, most=40):
        """Runner after runner until one goes because nothing is left; how many there were."""
        for number in range(1, most):
            with self.runner() as runner:
                if runner.wait(200) == 0:
                    return number
        raise AssertionError(f"{most} runners were not enough")

    def command(self, *words, **env):
        program = str(Path(sys.executable).with_name("orchestrate"))
        env = {**self.env, **env}
        return subprocess.run(
            [program, *words], env=env, cwd=self.project, capture_output=True, text=True, timeout=200, check=False
        )

    def end(self):
        """Every runner of this machine, also one that waits for another to go."""
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if self.user.encode() in (folder / "cmdline").read_bytes():
                    os.kill(int(folder.name), signal.SIGKILL)

    def wait(self, header, within_s=60):
        """Until the run is over, whoever brings it to its end: nothing is started for it here."""
        deadline = time.monotonic() + within_s
        while not self.header(header).is_over:
            assert time.monotonic() < deadline, self.told(header, "started")
            time.sleep(0.02)
        return self.header(header)

    @property
    def executor(self):
        """What its runner is called in the engine."""
        [path] = Path(self.user, inbox.FOLDER).glob("machine-*")
        return f"{path.name.removeprefix('machine-')}-{path.read_text()}"

    def log(self):
        path = self.desk / "log"
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []

    def starts(self):
        return Counter(words[1] for words in self.log() if words[0] == "start")

    def header(self, header):
        return runs.read(header.state, header.run)

    def told(self, header, kind):
        """How often each step was told to have done so."""
        return Counter(
            event["step"] for _, event in runs.events(header) if event["type"] == f"orchestration.step.{kind}"
        )

    def events(self):
        paths = Path(self.place.state).glob("sessions/*/log.jsonl")
        return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def beats_until_taken_over(execute, gone):
    """How often the others say that they live until one of them has taken over this machine: where all is slow, so is
    this clock."""
    rows = "SELECT executor, beat_at FROM orchestrate_engine.machines"
    before = set(execute(rows))
    seen = set(before)
    while gone in (beats := dict(execute(rows))):
        seen.update(beats.items())
        time.sleep(0.02)
    return len(seen - before) + 1


def dag(edges):
    """A workflow of agents from {step: (steps before,)}: each is asked to say its name and what came before it."""
    steps = []
    for name, before in edges.items():
        asked = " ".join([name, *(f"{{{one}}}" for one in before)])
        steps.append(
            f"    - id: {name}\n      agent: haiku-general\n      retry: 2\n      prompt: '{asked}'\n"
            f"      output: {name}\n      depends_on: [{', '.join(before)}]\n"
        )
    return "workflow:\n  name: made\n  steps:\n" + "".join(steps)
