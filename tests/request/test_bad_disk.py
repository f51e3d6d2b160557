"""The disk is missing, full, read-only or another's: the directive still arrives, and nothing is torn."""

import json
import os
import shlex
import subprocess
import time

import pytest
from mounting import AS_ROOT, mounts
from patient import patient
from payloads import AT_HOME, SESSION, ask, faults, files, logged, payload, said
from tiers import some

from orchestrate import hookline
from state import compiled, journal, paths, snapshot
from state.paths import locate

LINE = patient(hookline.command(*hookline.here()))


def run(script, cwd, **env):
    """`script` in a mount name space of its own; `$hook` is the command of the hook, stdin is a prompt."""
    return subprocess.run(
        [*AS_ROOT, "sh", "-ec", script],
        input=json.dumps(payload("UserPromptSubmit")).encode(),
        capture_output=True,
        cwd=cwd,
        env={**os.environ, **AT_HOME, "hook": LINE, **env},
        timeout=60,
        check=False,
    )


def is_directive(done):
    return (done.returncode, done.stderr) == (0, b"") and "haiku-general" in said(done.stdout)


@pytest.fixture
def portable(project):
    """The project holds an initialised `.orchestrator`."""
    own = project / ".orchestrator"
    own.mkdir(mode=0o700)
    return paths.locate(str(project), os.environ)


def test_without_home_the_state_is_in_the_project(hook, project, monkeypatch, tmp_path):
    monkeypatch.delenv("HOME")
    code, stdout, stderr = hook(payload("UserPromptSubmit"), **AT_HOME)
    assert (code, stderr) == (0, "")
    assert "haiku-general" in said(stdout)
    assert files(tmp_path) == [f"project/.orchestrator/sessions/{SESSION}/log.jsonl"]


def test_with_a_home_that_is_not_there_the_state_is_in_the_project(hook, tmp_path):
    code, stdout, stderr = hook(payload("UserPromptSubmit"), HOME=str(tmp_path / "nobody"), **AT_HOME)
    assert (code, stderr) == (0, "")
    assert "haiku-general" in said(stdout)
    assert files(tmp_path) == [f"project/.orchestrator/sessions/{SESSION}/log.jsonl"]


@mounts
def test_with_a_read_only_home_the_state_is_in_the_project(project, tmp_path):
    assert is_directive(run('mount -t tmpfs -o ro x "$HOME"; sh -c "$hook"', project))
    assert files(tmp_path) == [f"project/.orchestrator/sessions/{SESSION}/log.jsonl"]


@mounts
def test_a_read_only_project_keeps_its_state_at_home(project, portable, home, tmp_path):
    script = 'mount --bind .orchestrator .orchestrator; mount -o remount,ro,bind .orchestrator; sh -c "$hook"'
    assert portable.initialised
    assert is_directive(run(script, project))
    assert files(tmp_path) == [f"home/.orchestrator/projects/{portable.project}/sessions/{SESSION}/log.jsonl"]


@mounts
def test_a_read_only_state_costs_the_record_alone(project, home, tmp_path):
    (home / ".orchestrator").mkdir()
    done = run('mount -t tmpfs -o ro x "$HOME/.orchestrator"; sh -c "$hook"', project)
    assert is_directive(done)
    assert files(tmp_path) == []


@mounts
def test_a_read_only_disk_costs_the_record_alone(project, tmp_path):
    whole = 'mount --bind "$1" "$1"; mount -o remount,ro,bind "$1"; cd "$1/project"; sh -c "$hook"'
    assert is_directive(run(whole.replace("$1", str(tmp_path)), project))
    assert files(tmp_path) == []


@mounts
@pytest.mark.parametrize("room", some([0, 1, 100, 400, 800], 2))
def test_a_full_disk_takes_no_part_of_a_record(room, project, place, tmp_path):
    """Pages are 4 KiB: a log that fills its own but for `room` bytes could take so much of the next record."""
    page = os.sysconf("SC_PAGE_SIZE")
    whole = b'{"old":"' + b"x" * (page - room - 11) + b'"}\n'
    (tmp_path / "before").write_bytes(whole)
    log = f"{place.state}/sessions/{SESSION}/log.jsonl"
    script = (
        'mkdir -p "$state"; mount -t tmpfs -o size=2m x "$state"; mkdir -p "${log%/*}"; cp ../before "$log"; '
        'cat /dev/zero > "$state/filler" 2>/dev/null || true; sh -c "$hook"; cp "$log" ../after'
    )
    done = run(script, project, log=log, state=place.state)
    assert (done.returncode, "haiku-general" in said(done.stdout)) == (0, True)
    assert (tmp_path / "after").read_bytes() == whole


def test_a_folder_of_another_user_does_not_steer_us(hook, project, home, monkeypatch, tmp_path):
    """Where nobody may give files away (not root), another's folder is stood for by one that is no folder at all."""
    own = project / ".orchestrator"
    if os.geteuid() == 0:
        (own / "cache").mkdir(parents=True)
        (own / "cache/snapshot.json").write_text('{"values": {"agents.haiku": "evil-general"}, "sources": []}')
        for path in (own, own / "cache", own / "cache/snapshot.json"):
            os.chown(path, 12345, 12345)
    else:
        own.write_text("agents: {haiku: evil-general}")
    before = files(project)
    code, stdout, stderr = hook(payload("UserPromptSubmit"), **AT_HOME)
    assert (code, stderr) == (0, "")
    assert "haiku-general" in said(stdout)
    assert files(project) == before
    assert len(files(home)) == 1


EVIL = b'{"v":1,"values":{"claude_binary":"./evil","mode":"orchestration","record_prompts":"text"},"sources":[]}'


@pytest.mark.parametrize("config", [None, "typo: 1\n"])
def test_a_snapshot_that_came_with_a_repository_decides_nothing(config, project, place):
    own = project / ".orchestrator"
    (own / "cache").mkdir(parents=True)
    (own / "cache/snapshot.json").write_bytes(EVIL)
    (own / "evil").write_text("#!/bin/sh\n: > ran\n")
    (own / "evil").chmod(0o755)
    if config:
        (own / "config.yaml").write_text(config)
    place = locate(str(project), os.environ)
    assert compiled.ensure_fresh(place) == compiled.compile(place)
    assert snapshot.read(place, {}).values == snapshot.DEFAULTS
    assert "haiku-general" in said(ask(project, payload("UserPromptSubmit")))


def test_without_a_home_a_snapshot_may_silence_and_nothing_else(project, monkeypatch):
    monkeypatch.delenv("HOME")
    place = locate(str(project), os.environ)
    os.makedirs(os.path.dirname(snapshot.file(place)))
    with open(snapshot.file(place), "wb") as file:
        file.write(EVIL.replace(b'"values":{', b'"values":{"enabled":false,"rollout.stage":"batch",'))
    values = snapshot.read(place, {}).values
    assert values == {**snapshot.DEFAULTS, "enabled": False, "rollout.stage": "batch"}


def test_orchestration_that_cannot_be_handed_over_is_a_directive_and_says_why(hook, place, home, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/claude").write_text("#!/bin/sh\nexit 9\n")
    (tmp_path / "bin/claude").chmod(0o755)
    (home / ".orchestrator").mkdir()
    (home / ".orchestrator/cache").write_text("no folder\n")
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    code, stdout, stderr = hook(payload("UserPromptSubmit"), BATCH_MODE="1", PATH=path)
    assert (code, stderr, "haiku-general" in said(stdout)) == (0, "", True)
    assert logged(place)[-1]["payload"]["degraded"] == "handover_failed"


@pytest.mark.parametrize("name", ["sessions", "hook-errors.log", f"sessions/{SESSION}/log.jsonl"])
def test_a_link_that_came_with_a_repository_leads_nowhere(name, project, tmp_path):
    own, victim = project / ".orchestrator", tmp_path / "victim"
    (own / name).parent.mkdir(parents=True)
    victim.mkdir() if name == "sessions" else victim.write_text("mine\n")
    (own / name).symlink_to(victim)
    before = files(victim) if victim.is_dir() else victim.read_bytes()
    assert "haiku-general" in said(ask(project, payload("UserPromptSubmit")))
    assert ask(project, b"garbage") == b""
    assert (files(victim) if victim.is_dir() else victim.read_bytes()) == before


def test_a_state_folder_that_is_a_link_is_not_ours(project, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (project / ".orchestrator").symlink_to(tmp_path / "elsewhere")
    assert locate(str(project), os.environ).initialised is False


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\0" * 4096,
        b"\xff\xfe",
        b'{"values": 5, "sources": 7, "error": []}',
        b'{"values": {"rollout.stage": "tomorrow", "overnight.start_hour": "x", "enabled": 0, "agents.haiku": null}}',
        b'{"values": {"rollout.stage": ["full"], "mode": {}, "brand.new": 1}, "v": 2}',
        b"[" * 100_000,
    ],
    ids=lambda content: content[:12].decode("latin-1"),
)
def test_a_broken_snapshot_means_defaults(content, project, place):
    os.makedirs(os.path.dirname(snapshot.file(place)))
    with open(snapshot.file(place), "wb") as file:
        file.write(content)
    compiling(place)
    assert "haiku-general" in said(ask(project, payload("UserPromptSubmit")))
    assert snapshot.read(place, {}).values == snapshot.DEFAULTS


def compiling(place):
    """As if another prompt had just started the compiler."""
    with open(snapshot.file(place) + ".compiling", "w"):
        pass


def test_a_snapshot_that_is_a_folder_means_defaults(project, place):
    os.makedirs(snapshot.file(place))
    assert "haiku-general" in said(ask(project, payload("UserPromptSubmit")))


def test_a_log_that_is_a_folder_costs_the_record_alone(project, place, capfd):
    os.makedirs(f"{place.state}/sessions/{SESSION}/log.jsonl")
    assert "haiku-general" in said(ask(project, payload("UserPromptSubmit")))
    (fault,) = faults(place)
    assert (fault["where"], fault["error"][:17]) == ("persist", "IsADirectoryError")


def test_a_typo_keeps_the_last_good_settings(project, place):
    os.makedirs(place.state)
    config = f"{place.state}/config.yaml"
    with open(config, "w") as file:
        file.write("agents: {haiku: quick-hands}\n")
    assert compiled.compile(place) is None
    with open(config, "w") as file:
        file.write("agents: {haiku: quick-hands\nenabld: : 5\n")
    compiling(place)
    assert snapshot.read(place, {}).stale
    assert "quick-hands" in said(ask(project, payload("UserPromptSubmit")))
    assert compiled.compile(place) is not None
    assert "quick-hands" in said(ask(project, payload("UserPromptSubmit")))


def test_changed_settings_reach_the_prompt_after_the_next(project, place, compilers):
    os.makedirs(place.state)
    with open(f"{place.state}/config.yaml", "w") as file:
        file.write("agents: {haiku: quick-hands}\n")
    env = {"PATH": os.environ["PATH"]}
    assert "haiku-general" in said(ask(project, payload("UserPromptSubmit"), **env))
    assert compilers() == [0]
    assert "quick-hands" in said(ask(project, payload("UserPromptSubmit"), **env))


@pytest.mark.slow
def test_the_compiler_is_not_started_twice_within_seconds(project, place, compilers, monkeypatch):
    for folder in (place.state, os.path.dirname(snapshot.file(place))):
        os.makedirs(folder, exist_ok=True)
    with open(f"{place.state}/config.yaml", "w") as file:
        file.write("agents: {haiku: quick-hands}\n")
    compiling(place)
    mark = snapshot.file(place) + ".compiling"
    started, now = [], time.time()
    with monkeypatch.context() as clock:
        clock.setattr(time, "time", lambda: now)
        for age_s in (1, 9, 11):
            then = now - age_s
            os.utime(mark, (then, then))
            ask(project, payload("Stop"))
            started.append(os.path.getmtime(mark) > then + 0.5)
    assert started == [False, False, True]
    assert compilers() == [0]
    assert "quick-hands" in said(ask(project, payload("UserPromptSubmit")))


def test_stdout_that_is_closed_or_gone_ends_with_0(project, place):
    raw = json.dumps(payload("UserPromptSubmit")).encode()
    for shut in (f"( {LINE} ) >&-", f"( {LINE} ) >&- 2>&-", f"( {LINE}; echo $? >&2 ) | true"):
        done = subprocess.run(["sh", "-c", shut], input=raw, capture_output=True, cwd=project, timeout=60, check=False)
        assert (done.returncode, done.stdout, done.stderr.strip()) in ((0, b"", b""), (0, b"", b"0"))
    assert len(logged(place)) == 3


def test_stdin_that_is_closed_ends_with_0(project):
    done = subprocess.run(["sh", "-c", f"( {LINE} ) <&-"], capture_output=True, cwd=project, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, b"")


def test_a_folder_that_was_removed_meanwhile(tmp_path, home):
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f"cd {shlex.quote(str(gone))} && rmdir {shlex.quote(str(gone))} && {LINE}"
    raw = json.dumps(payload("UserPromptSubmit")).encode()
    done = subprocess.run(["sh", "-c", script], input=raw, capture_output=True, timeout=60, check=False)
    assert is_directive(done)
    assert not gone.exists()
    assert [name.partition("/")[0] for name in files(tmp_path)] == ["home"]


def test_a_torn_line_is_closed_off_by_the_next_record(project, place):
    ask(project, payload("SessionStart"))
    log = f"{place.state}/sessions/{SESSION}/log.jsonl"
    with open(log, "ab") as file:
        file.write(b'{"v":1,"id":"0199')
    ask(project, payload("Stop"))
    with open(log, "rb") as file:
        lines = file.read().split(b"\n")
    assert (len(lines), lines[1], lines[3]) == (4, b'{"v":1,"id":"0199', b"")
    assert [json.loads(lines[at])["type"] for at in (0, 2)] == ["orchestration.session.start", "orchestration.turn.end"]


def test_records_of_one_instant_have_ids_of_their_own(place):
    now = time.time()
    ids = {journal.event(place, "x", SESSION, None, ("x", ""), {}, now)["id"] for _ in range(1000)}
    assert len(ids) == 1000
