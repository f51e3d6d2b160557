"""Where the hooks are, whether they would run, and when they last did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrate import hookline
from orchestrate.install import interpreter, receipts, shipped, survey
from orchestrate.install.interpreter import Interpreter
from orchestrate.install.survey import Sighting
from state import codec, journal, settings
from state.errors import UserError
from state.paths import LOG, Place
from state.snapshot import Value

# The client starts without any hook.
_BARE = ("CLAUDE_CODE_SIMPLE", "CLAUDE_CODE_SAFE_MODE")
_MANAGED_ONLY = "allowManagedHooksOnly"
_ON = ("1", "true", "yes", "on")
_SESSIONS = 5
_LAST_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Runs:
    python: str
    home: str
    is_there: bool


@dataclass(frozen=True, slots=True)
class Scope:
    scope: str
    path: str
    events: list[str]
    missing: list[str]
    command: str  # none, current or stale
    interpreters: list[Runs]


@dataclass(frozen=True, slots=True)
class Session:
    session: str
    last_event: str | None
    at: str | None


@dataclass(frozen=True, slots=True)
class Report:
    scopes: list[Scope]
    plugin: str | None
    interpreter: Runs | None
    disabled: list[str]
    problems: list[str]
    sessions: list[Session]


def report(place: Place, env: Mapping[str, str], managed: Path | None = None) -> Report:
    seen = survey.look(place.root, env, managed)
    recorded = interpreter.recorded(receipts.book(place.user).folder)
    return Report(
        scopes=[_scope(sighting) for sighting in seen if sighting.scope != "managed"],
        plugin=next((sighting.plugin for sighting in seen if sighting.plugin), None),
        interpreter=None if recorded is None else _runs(recorded),
        disabled=_disabled(place, env, seen),
        problems=problems(seen, recorded),
        sessions=_sessions(place),
    )


def _scope(sighting: Sighting) -> Scope:
    lines = _lines([sighting])
    runs = [interpreter.of_command(line) for line in sorted(lines)]
    return Scope(
        scope=sighting.scope,
        path=str(sighting.path),
        events=list(sighting.commands),
        missing=[event for event in hookline.EVENTS if event not in sighting.commands] if lines else [],
        command="none" if not lines else "current" if all(map(is_current, lines)) else "stale",
        interpreters=[_runs(found) for found in runs if found],
    )


def is_current(line: str) -> bool:
    """Whether an install of this package would write it, be it with another interpreter."""
    runs = interpreter.of_command(line)
    return runs is not None and runs.home == shipped.here().home and line == hookline.command(*runs)


def problems(seen: list[Sighting], recorded: Interpreter | None) -> list[str]:
    found = [sighting.error for sighting in seen if sighting.error]
    lines = _lines(seen)
    has_plugin = any(sighting.plugin for sighting in seen)
    if not lines and not has_plugin:
        found.append("no hooks are installed: run `orchestrate install`")
    if len(lines) + has_plugin > 1:
        found.append("hooks of several installs run side by side: keep one, and `orchestrate uninstall` the others")
    if has_plugin and (recorded is None or not recorded.is_there):
        found.append("the plugin finds no interpreter and stays silent: run `orchestrate install --scope plugin`")
    for runs in filter(None, map(interpreter.of_command, sorted(lines))):
        if not runs.is_there:
            found.append(f"{runs.python} or {runs.home} is gone, so the hooks are silent: run `orchestrate install`")
    return found


def silencing(
    env: Mapping[str, str], seen: Sequence[Sighting], values: Mapping[str, Value], origins: Mapping[str, str]
) -> list[str]:
    """Every switch that keeps our hooks from being heard, and where it is."""
    is_managed = any(sighting.commands for sighting in seen if sighting.scope == "managed")
    found = [
        f"{name} in {sighting.path}"
        for sighting in seen
        for name in sighting.switches
        if not (is_managed and name == _MANAGED_ONLY)
    ]
    found += [f"{name}={env[name]} in the environment" for name in _BARE if env.get(name, "").lower() in _ON]
    if env.get("ORCHESTRATOR_DISABLED") == "1":
        found.append("ORCHESTRATOR_DISABLED=1 in the environment")
    if not values["enabled"]:
        found.append(f"enabled: false (from: {origins.get('enabled', 'the last good settings')})")
    return found


def _disabled(place: Place, env: Mapping[str, str], seen: Sequence[Sighting]) -> list[str]:
    try:
        loaded = settings.load(place, env)
    except UserError as error:  # the hooks go on with the last good settings
        return [*silencing(env, seen, {"enabled": True}, {}), f"unknown: {error}"]
    return silencing(env, seen, {"enabled": loaded.settings.enabled}, loaded.origins)


def _sessions(place: Place) -> list[Session]:
    """Those that were busy last, newest first."""
    logs = Path(place.state, "sessions").glob(f"*/{LOG}")
    newest = sorted(logs, key=lambda log: log.stat().st_mtime, reverse=True)
    return [_session(log) for log in newest[:_SESSIONS]]


def _session(log: Path) -> Session:
    for line in reversed(journal.tail(str(log), _LAST_BYTES)):
        try:
            event = codec.loads(line)
        except ValueError:  # torn by a crash
            continue
        if isinstance(event, dict):
            return Session(str(event.get("session")), str(event.get("type")), str(event.get("ts")))
    return Session(log.parent.name, None, None)


def _lines(seen: list[Sighting]) -> set[str]:
    return {line for sighting in seen for lines in sighting.commands.values() for line in lines}


def _runs(found: Interpreter) -> Runs:
    return Runs(found.python, found.home, found.is_there)
