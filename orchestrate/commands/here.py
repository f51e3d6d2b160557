"""What every command asks first: which project, and how to print."""

import os
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from state import compiled, log, sessions, snapshot
from state.errors import NOT_FOUND, UserError
from state.journal import CORRELATION
from state.paths import Place, locate
from state.snapshot import Snapshot

if TYPE_CHECKING:
    from state.telling import Teller

_STEERING = ("Cc", "Cf", "Cs", "Zl", "Zp")
_TOLD: dict[str, Place] = {}
_CALL: list[str] = []  # the correlation of this call of a command


def place(project_root: str | None = None, may_be_gone: bool = False) -> Place:
    """The project of the working directory, or of --project-root. `may_be_gone`: one of our processes names it, which
    had it from where it was called, or it is only taken leave of."""
    env = dict(os.environ)
    if project_root:
        # What is kept of a project that is mistyped would be a project of its own, which nobody ever looks at.
        if not (may_be_gone or os.path.isdir(project_root)):  # noqa: PTH112  Path.is_dir raises for a long name
            what = "no such folder: name the root of a project with --project-root"
            raise UserError(f"{project_root}: {what}", NOT_FOUND)
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
    """One line for the user on stderr, or a line for each problem; one of JSON where the story is told in JSON."""
    if log.is_json():
        log.get().error("command.told", command=name, message=line)
    else:
        click.echo("\n".join(map(clean, f"{name}: {line}".split("\n"))), err=True)


def correlation() -> str:
    """The same for all that this call of a command tells; ORCHESTRATOR_CORRELATION ties several calls together."""
    if not _CALL:
        _CALL.append(os.environ.get(CORRELATION) or os.urandom(8).hex())
    return _CALL[0]


def environment() -> dict[str, str]:
    """For what this command starts, and what tells events in its stead."""
    return {**os.environ, CORRELATION: correlation()}


def teller(found: Place, is_followed: bool = True) -> "Teller":
    """Who calls this command, for the events it leaves. `is_followed`: sinks are told of them when it has ended."""
    from state.telling import Teller  # the store's modules: 15 ms that a command which tells nothing does not owe

    if is_followed:
        _TOLD[found.state] = found
    env = dict(os.environ)
    actor = env.get("ORCHESTRATOR_ACTOR") or ("agent" if env.get("CLAUDECODE") == "1" else "user")
    session = sessions.choose(found, env.get("ORCHESTRATOR_SESSION") or env.get("CLAUDE_CODE_SESSION_ID"), env)
    return Teller(actor, session or "-", correlation())


def leave(
    found: Place, kind: str, entity: tuple[str, str], payload: Mapping[str, object], for_all: bool = False
) -> None:
    """The event of what this command has done beside the store, in the log of commands: no store has to answer for it.

    `for_all`: it was done for all projects, and is told in this one only where something is kept of it already. What
    cannot be told here is told in the user's home, or on stderr; the command goes on.
    """
    from state import command_log  # as in `teller`

    event = teller(found, is_followed=False).event(kind, entity, dict(payload))
    problem = f"{kind} could not be told as an event"
    home = command_log.at_home(found)
    here = [] if for_all and home and not command_log.is_begun(found) else [found]
    for place in [*here, *([home] if home else [])]:
        try:
            command_log.keep(place, event)
        except OSError as error:
            problem += f"; {place.state}: {(error.strerror or '').lower()}"
        else:
            _TOLD[place.state] = place
            return
    tell(problem)


def told_in() -> list[Place]:
    """The projects that this command tells something in; asked once, when it has ended."""
    found = list(_TOLD.values())
    _TOLD.clear()
    _CALL.clear()
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
