"""A timer and a service of the user's systemd."""

from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

from orchestrate.overnight.timers import Parts, Timer

_SERVICE = """\
[Unit]
Description={title}

[Service]
Type=oneshot
WorkingDirectory=%h
{env}
ExecStart={argv}
KillMode=mixed
TimeoutStopSec=60
"""
_TIMER = """\
[Unit]
Description={title}

[Timer]
{when}
Persistent={persistent}

[Install]
WantedBy=timers.target
"""


def parts(timer: Timer, env: Mapping[str, str]) -> Parts:
    folder = Path(env.get("XDG_CONFIG_HOME") or f"{env.get('HOME', '')}/.config", "systemd", "user")
    unit = f"{timer.name}.timer"
    systemctl = ("systemctl", "--user")
    return Parts(
        {
            folder / f"{timer.name}.service": _service(timer).encode("utf-8", "surrogateescape"),
            folder / unit: _timer(timer).encode(),
        },
        ((*systemctl, "daemon-reload"), (*systemctl, "enable", "--now", unit)),
        ((*systemctl, "disable", "--now", unit),),
        "it runs while you are logged in; `loginctl enable-linger` lets it run at any time",
    )


def _service(timer: Timer) -> str:
    entries = "\n".join(f"Environment={_quoted(f'{name}={value}')}" for name, value in timer.env.items())
    # In a command line a dollar sign names a variable.
    argv = " ".join(_quoted(word).replace("$", "$$") for word in timer.argv)
    return _SERVICE.format(title=timer.title, env=entries, argv=argv)


def _timer(timer: Timer) -> str:
    if timer.at is not None:
        when = f"OnCalendar=*-*-* {timer.at:%H:%M}:00{_zone(timer)}"
        return _TIMER.format(title=timer.title, when=when, persistent="true")
    when = f"OnBootSec=2min\nOnUnitInactiveSec={timer.every_min}min"
    return _TIMER.format(title=timer.title, when=when, persistent="false")


def _zone(timer: Timer) -> str:
    """The service goes by TZ: a timer that went by the machine's own clock would begin it at another hour."""
    name = timer.env.get("TZ", "").removeprefix(":")
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # systemd does not take it either
        return ""
    return f" {name}" if "/" in name or name == "UTC" else ""  # `localtime` is a file, and no zone


def _quoted(text: str) -> str:
    """As a unit file has it: what stands for something else there stands for itself."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'
