"""A session at a terminal that a limit has stopped goes on by itself: once, after the reset, when its user has left."""

import json
import select
import time
from datetime import datetime

import pytest
from fake_api import text_of
from patient import CALL, patient

from state import quota

pytestmark = pytest.mark.client

LIMITED = [{"status": 429}]
PROMPT = "Write a poem about graphene"
AT_ONCE = {"ORCHESTRATOR_RESUME__JITTER_S": "0"}


@pytest.fixture
def world(world):
    """Its hooks have the time that they need on a busy machine."""
    path = world.config / "settings.json"
    settings = json.loads(path.read_text())
    hooks = [hook for groups in settings["hooks"].values() for group in groups for hook in group["hooks"]]
    ours = [hook for hook in hooks if CALL in hook["command"]]
    assert ours
    for hook in ours:
        hook |= {"command": patient(hook["command"]), "timeout": 60}
    path.write_text(json.dumps(settings))
    return world


@pytest.fixture
def stopped(world):
    """(world, the session's id): a limit has ended its turn, it may go on, and its client is still open meanwhile."""
    with world.interactive(rules=LIMITED) as tty:
        tty.type(PROMPT)
        tty.wait_for("429")
        failed = recorded(world, "turn.failed")
        assert failed["payload"]["error"] == "rate_limit"
        world.orchestrate("overnight", "resume", "on")
        (row,) = listed(world)
        assert (row["verdict"], row["reason"]) == ("wait", f"a client is open on it (pid {tty.pid})")
        assert tty.leave() == 0
    return world, failed["session"]


def recorded(world, verb, within_s=60):
    """The hook tells of it a moment after the screen."""
    deadline = time.monotonic() + within_s
    while not (found := world.events(verb)):
        assert time.monotonic() < deadline, world.kinds()
        select.select([], [], [], 0.05)
    return found[0]


def listed(world):
    return json.loads(world.orchestrate("overnight", "resume", "list", "--json", **AT_ONCE))


def read_full(world, resets_at):
    full = {"five_hour": {"used": 100, "resets_at": resets_at}}
    quota.note(str(world.home / ".orchestrator"), full, "statusline", time.time())


def conversation(world):
    """What the transcript has of it: who spoke, and what."""
    (path,) = world.config.glob("projects/*/*.jsonl")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    spoken = [line for line in lines if line["type"] in ("user", "assistant") and not line.get("isMeta")]
    return [(line["type"], text_of(line["message"]["content"]).strip()) for line in spoken]


def test_it_goes_on_after_the_reset_and_the_transcript_goes_on(stopped):
    world, session = stopped
    far = time.time() + 3600
    read_full(world, far)
    (row,) = listed(world)
    assert (row["session"], row["verdict"], row["reason"]) == (session, "wait", "the limit is not over")
    assert row["at"] == pytest.approx(far, abs=0.01)
    resets_at = int(time.time()) + 5  # resets move
    read_full(world, resets_at)
    done = world.shell("orchestrate overnight resume run --json", rules=[{"text": "Grey sheets"}], **AT_ONCE)
    assert (done.rc, [one["outcome"] for one in json.loads(done.stdout)]) == (0, ["ok"]), done.stderr
    (started,) = world.events("resume.started")
    assert datetime.fromisoformat(started["ts"]).timestamp() >= resets_at
    (request,) = done.requests
    asked = "\n".join(text_of(message["content"]) for message in request["body"]["messages"])
    assert PROMPT in asked
    (_, first), (_, refused), (who, again), answer = conversation(world)
    assert (first, "429" in refused, who, answer) == (PROMPT, True, "user", ("assistant", "Grey sheets"))
    assert again.startswith("The usage limit that stopped you has been reset.")
    kinds = [event["type"].partition(".")[2] for event in world.events(session=session)]
    assert kinds[kinds.index("resume.on") :] == [
        "resume.on", "session.end", "resume.started", "session.start", "prompt.skipped", "turn.end", "session.end",
        "resume.finished",
    ]  # fmt: skip
    assert [row["verdict"] for row in listed(world)] == ["idle"]
    again = world.shell("orchestrate overnight resume run --once --json", **AT_ONCE)
    assert (json.loads(again.stdout), again.requests) == ([], [])


def test_two_at_once_go_on_once(stopped):
    world, _ = stopped
    read_full(world, time.time() + 1)
    line = "orchestrate overnight resume run --json"
    done = world.shell(f"{line} > one & {line} > two; wait; cat one two", **AT_ONCE)
    assert len(done.requests) == 1
    assert sorted(len(json.loads((world.project / name).read_text())) for name in ("one", "two")) == [0, 1]


def test_a_limit_after_a_limit_whose_reset_nobody_knows_is_waited_out_by_nobody(stopped):
    world, session = stopped
    read_full(world, time.time() + 1)
    done = world.shell("orchestrate overnight resume run --json", rules=LIMITED, CLAUDE_CODE_MAX_RETRIES="0", **AT_ONCE)
    assert [(one["outcome"], one["usd"]) for one in json.loads(done.stdout)] == [("rate_limited", 0.0)]
    (row,) = listed(world)
    assert (row["session"], row["verdict"]) == (session, "skip")
    assert row["reason"] == "the reset is unknown, and one attempt was made"
