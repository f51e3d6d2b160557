"""An agent of the user's launchd."""

import os
import plistlib
from collections.abc import Mapping
from pathlib import Path

from orchestrate.overnight.timers import Parts, Timer

PREFIX = "dev."


def parts(timer: Timer, env: Mapping[str, str]) -> Parts:
    label = PREFIX + timer.name
    path = Path(env.get("HOME", ""), "Library", "LaunchAgents", f"{label}.plist")
    domain = f"gui/{os.getuid()}"
    when: dict[str, object] = {"StartInterval": (timer.every_min or 0) * 60}
    if timer.at is not None:
        when = {"StartCalendarInterval": {"Hour": timer.at.hour, "Minute": timer.at.minute}}
    told = {
        "Label": label,
        "ProgramArguments": list(timer.argv),
        "EnvironmentVariables": dict(timer.env),
        **when,
        "ProcessType": "Background",
        "ExitTimeOut": 60,
        "StandardOutPath": timer.log,
        "StandardErrorPath": timer.log,
        "WorkingDirectory": env.get("HOME", ""),
    }
    return Parts(
        {path: plistlib.dumps(told, sort_keys=False)},
        (("launchctl", "bootstrap", domain, str(path)),),
        (("launchctl", "bootout", f"{domain}/{label}"),),
    )
