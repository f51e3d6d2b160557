"""What the package brings along for the client: the folder hooks/, and the hooks that go into its settings."""

from pathlib import Path

from orchestrate import hookline
from orchestrate.install.interpreter import Interpreter
from orchestrate.install.settings_file import Group


def folder(home: str) -> Path:
    """In a wheel hooks/ lies beside the other packages, in a checkout beside `orchestrate`."""
    lib = Path(home, "orchestrate/_lib/hooks")
    return lib if lib.is_dir() else Path(home, "hooks")


def here() -> Interpreter:
    return Interpreter(*hookline.here())


def groups(interpreter: Interpreter, is_offering: bool = False) -> dict[str, Group]:
    """`is_offering`: also those that the setting bugs.offer needs."""
    line = hookline.command(interpreter.python, interpreter.home)
    events = {**hookline.EVENTS, **(hookline.OFFERS if is_offering else {})}
    return {name: group(event, line) for name, event in events.items()}


def group(event: hookline.Event, line: str) -> Group:
    handler = {"type": "command", "command": line, "timeout": event.timeout_s}
    matcher = {} if event.matcher is None else {"matcher": event.matcher}
    return {**matcher, "hooks": [handler]}
