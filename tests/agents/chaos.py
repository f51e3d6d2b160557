"""One worker of the chaos: request after request, each with a fault drawn from the seed; a line of JSON for each.

python chaos.py FOLDER PROJECT SEED COUNT
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

from faking import FAKES, PROGRAM, REQUEST

from orchestrate.agents import answer
from orchestrate.agents.answer import Wish
from orchestrate.agents.progress import Progress
from orchestrate.request import context, mode
from orchestrate.request.call import Call
from state import snapshot
from state.paths import locate

# What the client says, how often of a thousand times.
FAULTS = {
    "ok": 290,
    "fallen": 10,
    "lines": 30,
    "surrogate": 30,
    "daemon": 30,
    "crash": 40,
    "crash ok": 40,
    "garbage": 30,
    "garbage ok": 30,
    "nothing": 30,
    "cut ok": 30,
    "error_inside": 30,
    "unserved ok": 30,
    "overloaded": 15,
    "overloaded ok": 30,
    "server_error ok": 30,
    "limited_bare ok": 30,
    "limited ok": 6,
    "auth": 20,
    "no_model ok": 20,
    "no_model": 10,
    "max_turns ok": 20,
    "escalate ok": 20,
    "budget": 20,
    "blocked": 20,
    "denied": 15,
    "terminated": 15,
    "killed": 15,
    "loop": 10,
    "hang": 10,
    "stall": 10,
    "deaf": 2,
    "missing": 10,
    "interrupted": 12,
    "we are killed": 10,
}
HANG_S, STALL_S = 1.0, 0.5
# These say something to us, rather than to the client.
FAKES_OF = {"stall": "hang", "interrupted": "hang", "we are killed": "hang", "missing": "ok"}
SIGNALS = {"interrupted": signal.SIGTERM, "we are killed": signal.SIGKILL}


def main(folder, project, seed, count):
    draw = random.Random(seed)
    os.chdir(project)
    for number in range(count):
        [fault] = draw.choices([*FAULTS], [*FAULTS.values()])
        desk = Path(folder, f"{seed}-{number}")
        desk.mkdir()
        env = environment(fault, desk, session=f"s{draw.randrange(10)}")
        try:
            told = by_program(fault, desk, env) if fault in SIGNALS else by_call(fault, env)
        except Exception:  # noqa: BLE001  what the chaos counts
            told = {"error": traceback.format_exc()}
        print(json.dumps({"fault": fault, **told}), flush=True)


def environment(fault, desk, session):
    env = {
        **os.environ,
        "PATH": f"{FAKES}:{os.environ['PATH']}",
        "FAKE": FAKES_OF.get(fault, fault),
        "FAKE_DIR": str(desk),
        "FAKE_TERSE": "1",
        "ORCHESTRATOR_SESSION": session,
        "ORCHESTRATOR_RUN__BACKOFF_S": "0.01",
        "ORCHESTRATOR_RUN__AT_ONCE": "64",
    }
    if fault in ("stall", "deaf"):
        env["ORCHESTRATOR_RUN__STALL_S"] = str(STALL_S)
    if fault == "missing":
        path = desk / "claude"
        path.write_text("#!/no/such/interpreter\n")
        path.chmod(0o755)
        env["ORCHESTRATOR_CLAUDE_BINARY"] = str(path)
    return env


def by_call(fault, env):
    """As the command does it, without the start of a Python for each."""
    place = locate(os.getcwd(), env)
    payload = {"prompt": REQUEST, "prompt_id": f"request-{os.urandom(8).hex()}"}
    call = Call(payload, env, place, snapshot.read(place, env), env["ORCHESTRATOR_SESSION"], time.time())
    found = context.detect(env, call.settings.values, 12, has_workflow=False, presumed=False)
    outcome = answer.decide(call, REQUEST, found, mode.select(found, call.settings.values, env, called=True))
    outcome.payload["overhead_ms"] = 1.0
    answer.record(call, outcome, "chaos")
    # With the other models to stand in, all three would soon be out of use, and nothing be escalated any more.
    wish = Wish(model="haiku" if fault == "overloaded" else "", timeout_s=HANG_S if fault == "hang" else None)
    progress = Progress(None, "chaos", env)
    record = answer.run(call, REQUEST, outcome, str.encode, progress, progress.note, wish)
    return {"run": record["run"], "outcome": record["outcome"], "code": record["exit_code"]}


def by_program(fault, desk, env):
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([PROGRAM, "--json", REQUEST], env=env, **options) as process:
        while not (desk / "calls").exists() and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(SIGNALS[fault])
        out, err = process.communicate(timeout=60)
    if fault == "we are killed":
        return {"run": None, "outcome": None, "code": process.returncode}
    record = json.loads(out or "{}")
    told = {"run": record.get("run"), "outcome": record.get("outcome"), "code": process.returncode}
    return told if record else {**told, "error": err.decode()}


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
