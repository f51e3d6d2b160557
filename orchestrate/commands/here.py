"""What every command asks first: which project, and how to print."""

import os
import unicodedata
from pathlib import Path

import click

from state import compiled, log, sessions, snapshot
from state.errors import UserError
from state.paths import Place, locate
from state.snapshot import Snapshot
from state.telling import Teller

_STEERING = ("Cc", "Cf", "Cs", "Zl", "Zp")
_TOLD: dict[str, Place] = {}


def place(project_root: str | None = None) -> Place:
    """The project of the working directory, or of --project-root."""
    env = dict(os.environ)
    if project_root:
        env["ORCHESTRATOR_ROOT"] = str(Path(project_root).absolute())
    return locate(working_directory(), env)


def settled(found: Place) -> Snapshot:
    """The settings in force, compiled anew if a file changed; what is wrong with them goes to stderr."""
    try:
        problem = compiled.ensure_fresh(found)
    except UserError as error:  # a folder that cannot be written must not stop the answer
        problem = str(error)
    for line in [*([problem] if problem else []), *compiled.warnings(found)]:
        tell(line)
    settings = snapshot.read(found, dict(os.environ))
    for key in snapshot.DEFAULTS:
        name = snapshot.PREFIX + key.upper().replace(".", "__")
        if os.environ.get(name) and key not in settings.from_env:
            tell(f"{name}={os.environ[name]}: is no value of {key}, and ignored")
    return settings


def tell(line: str, name: str = "orchestrate") -> None:
    """One line for the user on stderr; a line of JSON where the story is told in JSON."""
    if log.is_json():
        log.get().error("command.told", command=name, message=line)
    else:
        click.echo(f"{name}: {line}", err=True)


def teller(found: Place, is_followed: bool = True) -> Teller:
    """Who calls this command, for the events it leaves; ORCHESTRATOR_CORRELATION ties several calls together.
    `is_followed`: sinks are told of them when the command has ended."""
    if is_followed:
        _TOLD[found.state] = found
    env = dict(os.environ)
    actor = env.get("ORCHESTRATOR_ACTOR") or ("agent" if env.get("CLAUDECODE") == "1" else "user")
    session = sessions.choose(found, env.get("ORCHESTRATOR_SESSION") or env.get("CLAUDE_CODE_SESSION_ID"), env)
    return Teller(actor, session or "-", env.get("ORCHESTRATOR_CORRELATION") or os.urandom(8).hex())


def told_in() -> list[Place]:
    """The projects that this command tells something in; asked once."""
    found = list(_TOLD.values())
    _TOLD.clear()
    return found


def working_directory() -> str:
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        return "/"


def emit(value: object) -> None:
    """One JSON document on stdout."""
    click.echo(pretty(value))


def pretty(value: object) -> str:
    import orjson

    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def clean(text: str) -> str:
    """What came from outside, on one line and without what would steer a terminal: a control character, or one that
    turns the direction of writing, becomes a space."""
    return "".join(char if unicodedata.category(char) not in _STEERING else " " for char in text)


def plain(value: object) -> str:
    """A value as a person reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)
