"""The status line as the client calls it: a command line, a payload on stdin, two lines back, and exit code 0."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from copies import copy_of
from ending import are_gone, is_alive, is_let_go, tells_ends
from tiers import some

from orchestrate import hookline
from orchestrate.install import shipped, status_line
from state import paths, quota

SESSION = "3c939ccf-e089-4342-9e14-c87adf645b1d"
REPO = Path(__file__).resolve().parent.parent
SOON = int(time.time()) + 3 * 3600
LIMITS = {
    "five_hour": {"used_percentage": 42.4, "resets_at": SOON},
    "seven_day": {"used_percentage": 13, "resets_at": SOON + 86_400},
}
OURS = "sonnet · rewrite\n"
HOT_BUILTINS = {"_blake2", "_json", "_signal", "_struct", "binascii", "fcntl", "posix", "select", "time", "zlib"}


@pytest.fixture
def payload(project):
    """What Claude Code 2.1.329 sends after one turn, but for what only others read."""

    def make(**changes):
        return {
            "session_id": SESSION,
            "transcript_path": f"/home/me/.claude/projects/-home-me-proj/{SESSION}.jsonl",
            "cwd": str(project),
            "prompt_id": "276f73d8-fe03-4168-b8c7-83d861c6b37a",
            "effort": {"level": "medium"},
            "model": {"id": "claude-sonnet-5-5", "display_name": "Sonnet 5.5"},
            "workspace": {"current_dir": str(project), "project_dir": str(project), "added_dirs": []},
            "version": "2.1.329",
            "cost": {"total_cost_usd": 0.00021, "total_duration_ms": 67914, "total_api_duration_ms": 61},
            "exceeds_200k_tokens": False,
            **changes,
        }

    return make


def copied(folder, **limits):
    """What starts a copy of ours with other limits."""
    file = copy_of(folder) / "orchestrate/statusline.py"
    text = file.read_text()
    for name, value in limits.items():
        text, found = re.subn(rf"^{name} = [\d.]+", f"{name} = {value}", text, flags=re.M)
        assert found == 1
    file.write_text(text)
    return shipped.here()._replace(home=str(folder))


@pytest.fixture(scope="module")
def patient(tmp_path_factory):
    """It waits as long as a busy machine may need."""
    return copied(tmp_path_factory.mktemp("patient"), LIMIT_S=100, THEIRS_S=90)


@pytest.fixture
def line(project, payload, patient):
    """Run the installed line around a command of the user's: (exit code, stdout, stderr)."""

    def run(content=None, own="", runs=patient, **env):
        content = payload() if content is None else content
        raw = content if isinstance(content, bytes) else json.dumps(content).encode() + b"\n"
        done = subprocess.run(
            ["/bin/sh", "-c", status_line.command(runs, own)],
            input=raw,
            capture_output=True,
            cwd=project,
            env={**os.environ, "NO_COLOR": "1", "COLUMNS": "", **env},
            timeout=110,
            check=False,
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    return run


@pytest.fixture
def session(place):
    """The session's folder."""
    folder = Path(paths.session_dir(place, SESSION))
    folder.mkdir(parents=True)
    return folder


def readings(home):
    return {name: reading.used for name, reading in quota.read(f"{home}/.orchestrator").items()}


def test_with_an_api_key_there_is_no_quota_and_nothing_is_written(line, home):
    assert line() == (0, OURS, "")
    assert list(home.iterdir()) == []


def test_what_the_platform_says_is_shown_and_kept(line, payload, home):
    assert line(payload(rate_limits=LIMITS)) == (0, "sonnet · rewrite · 5h 42% · 7d 13%\n", "")
    assert readings(home) == {"five_hour": 42.4, "seven_day": 13}
    assert len((home / ".orchestrator/quota.jsonl").read_bytes().splitlines()) == 1


def test_a_session_that_rests_reads_nothing_new(line, payload, home):
    line(payload(rate_limits=LIMITS))
    first = (home / ".orchestrator/cache/quota.json").read_bytes()
    line(payload(rate_limits=LIMITS))
    assert (home / ".orchestrator/cache/quota.json").read_bytes() == first
    line(payload(rate_limits=LIMITS, cost={"total_api_duration_ms": 99}))
    assert (home / ".orchestrator/cache/quota.json").read_bytes() != first


def test_another_session_s_reading_is_shown_too(line, payload, home):
    quota.note(f"{home}/.orchestrator", {"five_hour": {"used": 70, "resets_at": SOON}}, "stream", time.time())
    assert line()[1] == "sonnet · rewrite · 5h 70%\n"


@pytest.mark.parametrize(
    ("used", "resets_in_s", "age_s", "shown"),
    [(70, 3600, 0, "70%"), (70, -5, 100, "?"), (70, 3600, 7 * 3600, "≥70%"), (0, 3600, 0, "0%"), (70, None, 0, "70%")],
)
def test_what_is_not_known_is_not_shown_as_a_figure(used, resets_in_s, age_s, shown, line, home):
    now = time.time()
    resets_at = None if resets_in_s is None else now + resets_in_s
    kept = {"used": used, "resets_at": resets_at, "read_at": now - age_s, "source": "stream"}
    folder = home / ".orchestrator/cache"
    folder.mkdir(parents=True)
    (folder / "quota.json").write_text(json.dumps({"v": 1, "windows": {"seven_day": kept}}))
    assert line()[1] == f"sonnet · rewrite · 7d {shown}\n"


@pytest.mark.parametrize(
    ("model", "tier"),
    [
        ({"id": "claude-opus-5-5"}, "opus"),
        ({"id": "us.anthropic.claude-haiku-5-5-v1:0"}, "haiku"),
        ({"id": "glm-5", "display_name": "GL\x1b[31mM 5\n"}, "GL[31mM 5"),
        ({"id": 5}, ""),
        ("sonnet", ""),
    ],
)
def test_the_tier_of_the_main_model(model, tier, line, payload):
    assert line(payload(model=model))[1] == (f"{tier} · rewrite\n" if tier else "rewrite\n")


def sign(session, age_s=0.0):
    (session / "mod.json").write_text("{}")
    os.utime(session / "mod.json", (time.time() - age_s,) * 2)


def decided(session, permission_mode="default", age_s=0.0):
    at = int((time.time() - age_s) * 1000)
    entry = {
        "id": f"{at:012x}00",
        "type": "orchestration.prompt.decided",
        "prompt_id": "p",
        "payload": {"permission_mode": permission_mode},
    }
    (session / "log.jsonl").write_text(json.dumps(entry, separators=(",", ":")) + "\n")


STANDING = {
    "a sign of the mod": (sign, {}, "mod"),
    "with the prompt's decision": (lambda s: (sign(s, 3000), decided(s, age_s=3000)), {}, "mod"),
    "a sign of an older prompt": (lambda s: (sign(s, 3000), decided(s)), {}, "rewrite"),
    "a blown fuse": (
        lambda s: (sign(s), (s / "fuse.json").write_text('{"mod":{"failures":3,"blown":true,"told":true}}')),
        {},
        "rewrite",
    ),
    "auto mode": (lambda s: decided(s, "auto"), {}, "advise"),
    "the mod in auto mode": (lambda s: (decided(s, "auto"), sign(s)), {}, "mod"),
    "advise": (sign, {"ORCHESTRATOR_ENFORCEMENT": "advise"}, "advise"),
    "off": (sign, {"ORCHESTRATOR_ENFORCEMENT": "off"}, "off"),
    "session": (sign, {"ORCHESTRATOR_ENFORCEMENT": "session"}, "mod"),
    "garbage": (lambda s: (s / "fuse.json").write_text("garbage"), {}, "rewrite"),
}


@pytest.mark.parametrize("name", STANDING)
def test_the_rung_that_is_live(name, line, session):
    prepare, env, rung = STANDING[name]
    prepare(session)
    assert line(**env) == (0, f"sonnet · {rung}\n", "")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("opus served, haiku was decided\nmore\n", "! opus served, haiku was decided"),
        ("", "! another model served"),
        ("\x1b]0;x\x07bad\x1b[2J", "! ]0;xbad[2J"),
        ("x" * 500, "! " + "x" * 60),
    ],
)
def test_the_alarm_is_shown_to_who_asked_for_it(said, shown, line, session):
    (session / "alarm").write_text(said)
    assert line()[1] == OURS
    assert line(ORCHESTRATOR_STATUSLINE__ALARM="1")[1] == f"sonnet · rewrite · {shown}\n"


def test_without_an_alarm_nothing_is_said(line, session):
    assert line(ORCHESTRATOR_STATUSLINE__ALARM="1")[1] == OURS


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        ("", "sonnet · rewrite · 5h 42% · 7d 13% · ! bad\n"),
        ("wide", "sonnet · rewrite · 5h 42% · 7d 13% · ! bad\n"),
        ("46", "sonnet · rewrite · 5h 42% · 7d 13% · ! bad\n"),
        ("45", "sonnet · 5h 42% · 7d 13% · ! bad\n"),
        ("34", "5h 42% · 7d 13% · ! bad\n"),
        ("24", "5h 42% · ! bad\n"),
        ("12", "! bad\n"),
        ("8", ""),
        ("0", ""),
    ],
)
def test_the_line_fits_the_terminal(columns, shown, line, payload, session):
    (session / "alarm").write_text("bad")
    env = {"COLUMNS": columns, "ORCHESTRATOR_STATUSLINE__ALARM": "1"}
    assert line(payload(rate_limits=LIMITS), **env)[1] == shown


def test_colours_are_for_who_wants_them(line, payload):
    limits = {**LIMITS, "seven_day": {"used_percentage": 93, "resets_at": SOON}}
    coloured = "\x1b[2msonnet\x1b[0m · \x1b[2mrewrite\x1b[0m · \x1b[2m5h 42%\x1b[0m · \x1b[33m7d 93%\x1b[0m\n"
    assert line(payload(rate_limits=limits), NO_COLOR="")[1] == coloured
    assert "\x1b" not in line(payload(rate_limits=limits))[1]


OWN = {
    "plain": ("echo mine", "mine\n"),
    "no line end": ("printf mine", "mine\n"),
    "two lines": ("printf 'a\\nb\\n'", "a\nb\n"),
    "colours": ("printf '\\033[1;31mred\\033[0m\\n'", "\x1b[1;31mred\x1b[0m\n"),
    "a link": ("printf '\\033]8;;http://x\\007y\\033]8;;\\007'", "\x1b]8;;http://x\x07y\x1b]8;;\x07\n"),
    "not text": ("printf '\\200\\n'", None),
    "reads stdin": ('sed \'s/.*"version": *"\\([^"]*\\)".*/v\\1/\'', "v2.1.329\n"),
    "says nothing": ("true", ""),
    "fails": ("echo half; exit 3", ""),
    "is missing": ("/no/such/command", ""),
    "no syntax": ("if", ""),
    "is killed": ("echo half; kill -9 $$", ""),
    "stderr": ("echo mine; echo no >&2", "mine\n"),
    "much": ("head -c 200000 /dev/zero | tr '\\0' x", "x" * 200_000 + "\n"),
}


@pytest.mark.parametrize("name", some(OWN, 4))
def test_the_user_s_own_line_comes_first_and_unchanged(name, line, patient):
    own, shown = OWN[name]
    if shown is None:
        command = status_line.command(patient, own)
        done = subprocess.run(["/bin/sh", "-c", command], input=b"{", capture_output=True, timeout=110, check=True)
        assert done.stdout == b"\x80\n"
        return
    code, out, _ = line(own=own)
    assert (code, out) == (0, shown + OURS)


def test_its_pipes_break_as_they_do_in_a_shell(line):
    assert line(own="yes | head -1") == (0, f"y\n{OURS}", "")


def test_the_project_is_the_one_the_session_began_in(line, payload, session, tmp_path):
    sign(session)
    assert line(payload(cwd=str(tmp_path)))[1] == "sonnet · mod\n"


def test_the_setting_comes_before_what_stood_in_the_settings(line):
    assert line(own="echo before", ORCHESTRATOR_STATUSLINE__COMMAND="echo set")[1] == "set\n" + OURS


def test_a_command_that_is_this_one_again_is_not_run_for_ever(line, patient):
    again = status_line.command(patient, "")
    assert line(own=again)[1] == OURS
    assert line(ORCHESTRATOR_STATUSLINE__COMMAND=again)[1] == OURS


GARBAGE = {
    "nothing": b"",
    "no JSON": b"{",
    "no object": b"[1]",
    "no text": b"\xff\xfe\x00",
    "too deep": b"[" * 100_000,
    "null": b"null",
}


@pytest.mark.parametrize("name", some(GARBAGE, 2))
def test_garbage_leaves_the_user_s_own_line(name, line, home):
    assert line(GARBAGE[name]) == (0, "", "")
    assert line(GARBAGE[name], own="wc -c | tr -d ' '") == (0, f"{len(GARBAGE[name])}\n", "")


ODD = [
    {"model": None, "workspace": None, "cost": None},
    {"model": {"id": ["x"]}, "workspace": {"project_dir": 5}, "cost": {"total_api_duration_ms": "x"}},
    {"rate_limits": []},
    {"rate_limits": {"five_hour": {"used_percentage": "42", "resets_at": SOON}}},
    {"rate_limits": {"five_hour": {"used_percentage": float("nan"), "resets_at": float("inf")}}},
    {"rate_limits": {"five_hour": [1], "seven_day": {"used_percentage": -3}}},
    {"session_id": None},
    {"session_id": "../../x\0"},
    {"cwd": 5},
    {"workspace": {"project_dir": "/no\0where"}},
    {"transcript_path": {"x": 1}},
]


@pytest.mark.parametrize("changes", some(ODD, 4))
def test_an_odd_payload_never_fails_and_is_no_reading(changes, line, payload, home):
    code, out, err = line(payload(**changes), own="echo mine")
    assert (code, err, out.startswith("mine\n"), "%" in out) == (0, "", True, False)
    assert readings(home) == {}


def test_a_payload_of_a_megabyte(line, payload):
    big = payload(filler="x" * (1 << 20))
    assert line(big) == (0, OURS, "")
    assert line(big, own="wc -c | tr -d ' '") == (0, f"{len(json.dumps(big)) + 1}\n{OURS}", "")
    assert line(big, own="echo does not read") == (0, f"does not read\n{OURS}", "")


@pytest.mark.parametrize("switch", [{"ORCHESTRATOR_DISABLED": "1"}, {"ORCHESTRATOR_ENABLED": "no"}])
def test_switched_off_it_is_the_user_s_own_line(switch, line, payload, home):
    assert line(payload(rate_limits=LIMITS), own="echo mine", **switch) == (0, "mine\n", "")
    assert readings(home) == {}


@pytest.mark.parametrize("broken", ["a file for a folder", "unreadable", "no home"])
def test_a_bad_disk_costs_the_reading_alone(broken, line, payload, home):
    env = {}
    if broken == "no home":
        env["HOME"] = "/nowhere"
    elif broken == "unreadable":
        (home / ".orchestrator/cache/quota.json").mkdir(parents=True)
    else:
        (home / ".orchestrator").write_text("")
    code, out, err = line(payload(rate_limits=LIMITS), own="echo mine", **env)
    assert (code, out.splitlines()[0], err) == (0, "mine", "")
    assert out.splitlines()[1].startswith("sonnet · rewrite")


def started(path):
    """The process ids that a test's command has written down, once they are there."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if path.exists() and path.read_text().endswith("\n"):
            return [int(pid) for pid in path.read_text().split()]
        time.sleep(0.01)
    raise AssertionError(f"{path} was never written")


HANGS = "sleep 300 & echo $$ $! > {0}; wait; echo late"


@pytest.mark.parametrize("size", some([10, 1 << 20], 1))
def test_a_command_that_hangs_is_ended_and_ours_is_shown(size, line, payload, tmp_path):
    """It reads nothing either, so more than a pipe holds waits for it."""
    os.mkfifo(tmp_path / "held")
    held = os.open(tmp_path / "held", os.O_RDONLY | os.O_NONBLOCK)
    hangs, runs = f"exec 9>{tmp_path}/held; sleep 300 & wait; echo late", copied(tmp_path / "copy", LIMIT_S=100)
    before = time.monotonic()
    assert line(payload(filler="x" * size), own=hangs, runs=runs) == (0, OURS, "")
    assert 1.9 < time.monotonic() - before < 60
    assert is_let_go(held)
    os.close(held)


@tells_ends
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_when_the_client_ends_it_the_user_s_command_ends_too(number, payload, project, tmp_path, patient):
    code = "import sys\nsys.path.insert(0, sys.argv[1])\nfrom orchestrate.statusline import main\nmain()"
    child = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", code, patient.home, HANGS.format(tmp_path / "pids")],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        cwd=project,
    )
    child.stdin.write(json.dumps(payload()).encode())
    child.stdin.close()
    pids = started(tmp_path / "pids")
    child.send_signal(number)
    assert child.wait(60) == 0
    assert are_gone(pids)


@tells_ends
def test_what_the_command_leaves_behind_is_its_own_affair(line, tmp_path):
    """A line that refreshes its cache in the background, with its stdout still open."""
    before = time.monotonic()
    assert line(own=f"sleep 300 2>/dev/null & echo $! > {tmp_path / 'pid'}; echo mine") == (0, f"mine\n{OURS}", "")
    (pid,) = started(tmp_path / "pid")
    assert is_alive(pid)
    os.kill(pid, signal.SIGKILL)
    assert time.monotonic() - before < 60


def test_it_runs_on_c_builtins_alone(project, payload):
    tell = "import sys; print(*sys.modules); sys.stdout.flush()"
    raw = json.dumps(payload(rate_limits=LIMITS)).encode()
    code = (
        f"import sys\nsys.path.insert(0, {str(REPO)!r})\nfrom orchestrate import entry, statusline\n"
        f"said = statusline.answer({raw!r}, entry.environment(), 'cat', 0)\n"
        f"assert said.endswith(b'13%\\x1b[0m\\n'), said\n{tell}"
    )
    loaded = [
        set(subprocess.check_output([sys.executable, "-I", "-S", "-c", text], cwd=project, timeout=30).split())
        for text in (code, tell)
    ]
    extra = {name.decode() for name in loaded[0] - loaded[1]} - HOT_BUILTINS
    assert {name for name in extra if name.partition(".")[0] not in ("orchestrate", "routing", "state")} == set()


@pytest.mark.parametrize("with_bundle", [True, False])
def test_it_says_the_same_with_and_without_the_bundle(with_bundle, payload, project, tmp_path):
    from orchestrate import bundle

    runs = copied(tmp_path, LIMIT_S=100, THEIRS_S=90)
    if with_bundle:
        assert bundle.build(runs.home)
    line = status_line.command(runs, "echo mine")
    done = subprocess.run(
        ["/bin/sh", "-c", line],
        input=json.dumps(payload()).encode(),
        capture_output=True,
        cwd=project,
        env={**os.environ, "NO_COLOR": "1"},
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout.decode(), done.stderr) == (0, f"mine\n{OURS}", b"")


def test_the_line_starts_this_module_and_fails_where_it_is_gone():
    assert hookline.BOOT.count("orchestrate.entry") == status_line.BOOT.count("orchestrate.statusline") == 1
    assert status_line.BOOT.endswith("except BaseException:sys.exit(1)\n")
