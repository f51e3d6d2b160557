"""`orchestrate overnight install-timer` and what the timer calls."""

import plistlib
import time
from datetime import datetime, timedelta

import pytest

PROGRAM = '#!/bin/sh\necho "$*" >> "$HOME/calls"\n'


@pytest.fixture
def machine(tmp_path, home, monkeypatch):
    """It has a systemd of the user's, which writes down what it is asked."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "systemctl").write_text(PROGRAM)
    (folder / "systemctl").chmod(0o755)
    (tmp_path / "run" / "systemd").mkdir(parents=True)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    return home


def timer(cli, *words):
    return cli("overnight", "install-timer", *words)


def test_it_is_put_there_and_taken_out(machine, cli):
    ran = timer(cli, "--systemd", "--at", "23:00", "--until", "6:00")
    assert (ran.code, ran.out) == (0, "orchestrate-overnight: each day at 23:00, by systemd\n")
    units = machine / ".config/systemd/user"
    assert '"--at" "23:00" "--until" "06:00"' in (units / "orchestrate-overnight.service").read_text()
    ran = timer(cli, "--systemd", "--resume", "--every", "5")
    assert ran.out == "orchestrate-resume: every 5 minutes, by systemd\n"
    assert "OnUnitInactiveSec=5min" in (units / "orchestrate-resume.timer").read_text()
    for words in (["--remove"], ["--remove", "--resume"]):
        assert timer(cli, *words).code == 0
    assert not (machine / ".config").exists()
    assert timer(cli, "--remove").code == 3


def test_without_a_time_it_is_that_of_the_settings(machine, cli, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_OVERNIGHT__START", "21:30")
    assert "OnCalendar=*-*-* 21:30:00" in timer(cli, "--systemd", "--print").out


def test_the_time_is_the_users_and_no_projects(machine, cli):
    assert cli("config", "set", "overnight.start", "20:15").code == 0
    assert cli("config", "set", "overnight.start", "21:30", "--global").code == 0
    assert "OnCalendar=*-*-* 21:30:00" in timer(cli, "--systemd", "--print").out


def test_what_is_printed_is_not_written(machine, cli):
    told = timer(cli, "--launchd", "--print").out
    assert plistlib.loads(told[told.index("<?xml") : told.index("</plist>") + 8].encode())["ProgramArguments"]
    assert timer(cli, "--cron", "--print").out.endswith("# orchestrate-overnight\n")
    assert (not (machine / "Library").exists(), (machine / "calls").exists()) == (True, False)


def test_a_key_is_not_written_and_its_user_is_told(machine, cli, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-secret")
    assert "ANTHROPIC_API_KEY is not written into a timer" in timer(cli, "--systemd").err
    texts = [path.read_text() for path in machine.rglob("*") if path.is_file() and "store.db" not in path.name]
    assert [text for text in texts if "sk-secret" in text] == []


@pytest.mark.parametrize(
    "words",
    [
        ["--resume", "--at", "23:00"],
        ["--every", "5"],
        ["--print", "--remove"],
        ["--cron", "--systemd", "--print"],
        ["--systemd", "--launchd", "--print"],
        ["--at", "25:00"],
        ["--at", "soon"],
        ["--resume", "--every", "60"],
    ],
)
def test_what_makes_no_sense_is_refused(cli, words):
    assert timer(cli, *words).code == 2


def test_of_two_kinds_none_is_chosen_for_the_user(cli):
    told = timer(cli, "--systemd", "--cron", "--print")
    assert (told.out, told.err.splitlines()[-1]) == ("", "Error: --systemd and --cron: give one of them")


def clock(hours):
    return (datetime.now() + timedelta(hours=hours)).strftime("%H:%M")


def test_a_timer_that_is_late_begins_within_the_night_alone(cli):
    late = cli("overnight", "timed", "--at", clock(-3), "--until", clock(-1))
    assert (late.code, late.err.split(": ")[1]) == (0, "nothing is begun\n")
    began = time.monotonic()
    in_time = cli("overnight", "timed", "--at", clock(-1), "--until", clock(1))
    assert (in_time.code, "the night of" in in_time.err) == (0, True), in_time.err
    assert time.monotonic() - began < 1800, "there is nothing to do: it does not last until its end"
