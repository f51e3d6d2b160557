"""Timers of each kind: what is written is what the kind understands, and what is taken out is what was written."""

import os
import plistlib
import shlex
import shutil
import subprocess
import sys
from datetime import time
from pathlib import Path

import pytest

from orchestrate.overnight import timer_book, timer_cron, timer_launchd, timer_systemd, timers
from state.errors import UserError

HOSTILE = '/opt/a b/50%/$HOME/\\x/"q"/it\'s'
CRONTAB = "# mine\nMAILTO=me\n5 4 * * * /usr/bin/true # orchestrate-overnight, but not\n"


@pytest.fixture
def env(home):
    return {**os.environ, "PATH": f"{HOSTILE}:/usr/bin:/usr/bin:/bin", "ANTHROPIC_API_KEY": "sk-secret"}


@pytest.fixture
def night(env, home):
    return timers.night(env, str(home / ".orchestrator"), time(23, 5), "06:00")


@pytest.fixture
def resume(env, home):
    return timers.resume(env, str(home / ".orchestrator"), 10)


def test_a_timer_starts_this_interpreter_and_says_that_it_is_night(night):
    assert night.argv[0] == sys.executable
    assert night.argv[5:] == ("overnight", "timed", "--at", "23:05", "--until", "06:00")
    assert dict(night.env) == {"CLAUDE_OVERNIGHT": "1", "PATH": f"{HOSTILE}:/usr/bin:/bin", "TZ": "UTC", **lang()}


def lang():
    return {"LANG": os.environ["LANG"]} if os.environ.get("LANG") else {}


def test_what_it_starts_works_from_any_folder(resume, tmp_path):
    done = subprocess.run(
        [*resume.argv[:5], "version"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout.split(".")[0]) == (0, "0")


@pytest.mark.parametrize("name", ["PATH", "CLAUDE_CONFIG_DIR"])
def test_a_line_break_is_refused(env, name):
    with pytest.raises(UserError, match="a timer holds no line break"):
        timers.night({**env, name: "/a\nExecStart=/bin/evil"}, "/u", time(23), None)


@pytest.mark.parametrize(
    ("zone", "when"),
    [
        ("Europe/Berlin", "*-*-* 23:05:00 Europe/Berlin"),
        (":Europe/Berlin", "*-*-* 23:05:00 Europe/Berlin"),
        ("UTC", "*-*-* 23:05:00 UTC"),
        ("CET-1CEST", "*-*-* 23:05:00"),
        ("/etc/localtime", "*-*-* 23:05:00"),
        ("No/Where", "*-*-* 23:05:00"),
        ("localtime", "*-*-* 23:05:00"),
        ("", "*-*-* 23:05:00"),
    ],
)
def test_a_night_of_systemd_begins_by_the_clock_by_which_it_ends(env, zone, when):
    timer = timers.night({**env, "TZ": zone}, "/u", time(23, 5), "06:00")
    (unit,) = (data for path, data in timer_systemd.parts(timer, env).files.items() if path.suffix == ".timer")
    assert f"OnCalendar={when}\n" in unit.decode()


@pytest.mark.parametrize("which", ["night", "resume"])
@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_takes_its_units_and_reads_the_words_as_they_are(which, request, env, tmp_path):
    timer = request.getfixturevalue(which)
    timer = timer._replace(argv=(*timer.argv, HOSTILE))
    parts = timer_systemd.parts(timer, {**env, "XDG_CONFIG_HOME": str(tmp_path / "config")})
    paths = write(parts.files)
    run, units = tmp_path / "run", tmp_path / "units"
    run.mkdir(mode=0o700)
    # Of all units it knows only this one beside ours: those of a machine may complain, as of a long path to a socket.
    write({units / "basic.target": b"[Unit]\n"})
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", *paths],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "XDG_RUNTIME_DIR": str(run),
            "SYSTEMD_UNIT_PATH": str(units),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    service = next(Path(path) for path in paths if path.endswith(".service")).read_text()
    # As systemd would read them: C escapes within double quotes, %% and $$.
    (line,) = [line for line in service.splitlines() if line.startswith("ExecStart=")]
    assert "$" not in line.replace("$$", "")
    assert "%" not in service.replace("%%", "").replace("=%h\n", "\n")
    assert [word.replace("%%", "%").replace("$$", "$") for word in shlex.split(line.removeprefix("ExecStart="))] == [
        *timer.argv
    ]
    entries = [line.removeprefix("Environment=") for line in service.splitlines() if line.startswith("Environment=")]
    read = [shlex.split(entry)[0].replace("%%", "%").replace("\\$", "$") for entry in entries]
    assert read == [f"{name}={value}" for name, value in timer.env.items()]


def write(files):
    for path, data in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return [str(path) for path in files]


@pytest.mark.parametrize(
    ("which", "when"),
    [("night", {"StartCalendarInterval": {"Hour": 23, "Minute": 5}}), ("resume", {"StartInterval": 600})],
)
def test_launchd_reads_what_was_meant(which, when, request, env):
    timer = request.getfixturevalue(which)
    ((path, data),) = timer_launchd.parts(timer, env).files.items()
    told = plistlib.loads(data)
    assert path == Path(env["HOME"], "Library/LaunchAgents", f"dev.{timer.name}.plist")
    assert told["ProgramArguments"] == [*timer.argv]
    assert told["EnvironmentVariables"] == dict(timer.env)
    assert {name: told[name] for name in when} == when


@pytest.mark.parametrize(("which", "when"), [("night", "5 23 * * *"), ("resume", "*/10 * * * *")])
def test_cron_runs_the_words_as_they_are(which, when, request, tmp_path):
    timer = request.getfixturevalue(which)
    line = timer_cron.line(timer)
    assert line.startswith(f"{when} ")
    assert "%" not in line.replace("\\%", "")
    # As cron does it: the rest of the line goes to sh, a backslash before a percent sign is taken away.
    script = line.split(" ", 5)[5].replace("\\%", "%")
    show = f"{shlex.quote(sys.executable)} -c 'import os,sys;print([sys.argv[1:],os.environ[\"PATH\"]])'"
    words = shlex.join(timer.argv[5:])
    script = script.replace(shlex.join(timer.argv), f"{show} {words}").replace(f">> {shlex.quote(timer.log)} 2>&1", "")
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, timeout=30, check=False)
    assert done.stdout == f"{[[*timer.argv[5:]], timer.env['PATH']]}\n"


@pytest.mark.parametrize("before", ["", CRONTAB, CRONTAB.rstrip("\n"), "\n\n# x"])
def test_other_lines_of_a_crontab_stay_as_they_are(before, night, resume):
    once = timer_cron.added(before, night)
    assert timer_cron.added(once, night) == once
    both = timer_cron.added(once, resume)
    assert timer_cron.removed(both, resume.name) == once
    assert timer_cron.removed(once, night.name) == (before if before.endswith("\n") or not before else f"{before}\n")
    later = night._replace(at=time(1, 0))
    assert timer_cron.added(both, later) == both.replace(timer_cron.line(night), timer_cron.line(later))


def test_a_line_that_cron_would_cut_is_refused(night):
    with pytest.raises(UserError, match="use a shorter PATH"):
        timer_cron.line(night._replace(env={"PATH": "/" + "a" * 2000}))


PROGRAM = """\
#!/bin/sh
echo "$(basename "$0") $*" >> "$DESK/calls"
case "$(basename "$0") $*" in
  "crontab -l") [ -e "$DESK/table" ] || { echo "no crontab for me" >&2; exit 1; }; cat "$DESK/table" ;;
  "crontab -") cat > "$DESK/table" ;;
  "crontab -r") rm "$DESK/table" ;;
  *enable*) [ ! -e "$DESK/fails" ] || { echo "no bus" >&2; exit 1; } ;;
esac
"""


@pytest.fixture
def machine(tmp_path, home, monkeypatch):
    """Its environment: the programs that keep timers are there, and write down what they are asked."""
    folder = tmp_path / "desk"
    folder.mkdir()
    for name in ("crontab", "systemctl", "launchctl"):
        (folder / name).write_text(PROGRAM)
        (folder / name).chmod(0o755)
    (tmp_path / "run" / "systemd").mkdir(parents=True)
    return {
        "HOME": str(home),
        "PATH": f"{folder}:/usr/bin:/bin",
        "DESK": str(folder),
        "XDG_RUNTIME_DIR": str(tmp_path / "run"),
    }


def calls(machine):
    return Path(machine["DESK"], "calls").read_text().splitlines()


def tree(home):
    return sorted(str(path.relative_to(home)) for path in home.rglob("*") if ".orchestrator" not in path.parts)


@pytest.mark.parametrize("kind", ["systemd", "launchd"])
@pytest.mark.parametrize("has_folders", [True, False])
def test_what_was_put_there_is_taken_out_and_nothing_else(kind, has_folders, machine, home, night):
    if has_folders:
        (home / ".config" / "systemd" / "user").mkdir(parents=True)
        (home / "Library" / "LaunchAgents").mkdir(parents=True)
    before, user = tree(home), str(home / ".orchestrator")
    timer_book.install(kind, night, machine, user)
    timer_book.install(kind, night._replace(at=time(1, 0)), machine, user)
    assert tree(home) != before
    assert timer_book.remove(night.name, machine, user) == []
    assert tree(home) == before
    assert timer_book.remove(night.name, machine, user) is None


def test_systemd_is_told(machine, home, night):
    user = str(home / ".orchestrator")
    assert "enable-linger" in timer_book.install("systemd", night, machine, user)
    timer_book.remove(night.name, machine, user)
    assert calls(machine) == [
        "systemctl --user daemon-reload",
        "systemctl --user enable --now orchestrate-overnight.timer",
        "systemctl --user disable --now orchestrate-overnight.timer",
        "systemctl --user daemon-reload",
    ]


@pytest.mark.parametrize("before", [None, CRONTAB])
def test_a_crontab_is_as_it_was(before, machine, home, night, resume):
    path, user = Path(machine["DESK"], "table"), str(home / ".orchestrator")
    if before is not None:
        path.write_text(before)
    for timer in (night, resume):
        timer_book.install("cron", timer._replace(env={}), machine, user)
    assert path.read_text().count("# orchestrate-resume") == 1
    for timer in (night, resume):
        assert timer_book.remove(timer.name, machine, user) == []
    assert (path.read_text() if path.exists() else None) == before


def test_another_kind_takes_the_place_of_the_first(machine, home, night):
    user = str(home / ".orchestrator")
    timer_book.install("systemd", night, machine, user)
    timer_book.install("cron", night._replace(env={}), machine, user)
    assert [name for name in tree(home) if "orchestrate" in name] == []


def test_what_its_user_has_changed_stays_and_is_told(machine, home, night):
    user = str(home / ".orchestrator")
    timer_book.install("systemd", night, machine, user)
    service = home / ".config/systemd/user/orchestrate-overnight.service"
    service.write_text(service.read_text() + "Nice=10\n")
    assert timer_book.remove(night.name, machine, user) == [str(service)]
    assert service.read_text().endswith("Nice=10\n")


def test_what_is_not_ours_is_not_replaced(machine, home, night):
    path = home / ".config/systemd/user/orchestrate-overnight.timer"
    path.parent.mkdir(parents=True)
    path.write_text("mine\n")
    with pytest.raises(UserError, match="is there already"):
        timer_book.install("systemd", night, machine, str(home / ".orchestrator"))
    assert (path.read_text(), tree(home)[-1]) == ("mine\n", ".config/systemd/user/orchestrate-overnight.timer")


def test_a_timer_that_cannot_be_set_going_leaves_nothing(machine, home, night):
    Path(machine["DESK"], "fails").touch()
    before = tree(home)
    with pytest.raises(UserError, match=r"enable --now orchestrate-overnight\.timer: no bus"):
        timer_book.install("systemd", night, machine, str(home / ".orchestrator"))
    assert tree(home) == before


@pytest.mark.skipif(sys.platform != "linux", reason="launchd is what macOS has")
def test_the_kind_that_a_machine_has(machine, tmp_path):
    assert timer_book.usual(machine) == "systemd"
    assert timer_book.usual({**machine, "XDG_RUNTIME_DIR": str(tmp_path)}) == "cron"
    with pytest.raises(UserError, match="no systemd of your own and no cron"):
        timer_book.usual({"PATH": str(tmp_path)})
