"""The settings of a project, merged from every layer, each value with the layer it came from."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import EnvSettingsSource

from state import config_file, files, routing_rules, sinks_file, sinks_where, trust, workflow_programs
from state.config_file import ConfigFile
from state.errors import UserError
from state.paths import Place
from state.settings_model import GROUPS, KEYS, Settings, flat, nested, unknown, variable
from state.snapshot import PREFIX, RULES, SOURCES, Value

NAMED_MOST = 5  # of the rules that wait for trust


class Loaded(NamedTuple):
    settings: Settings
    origins: dict[str, str]
    warnings: list[str]
    ignored: dict[str, Value]  # what the repository wants and waits for trust
    digest: str  # of the project's own files, as trust remembers them


class _Environment(EnvSettingsSource):
    """The variables of settings alone: ORCHESTRATOR_SESSION is a session's id, not the group `session`."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._given = env
        super().__init__(Settings)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        names = (variable(key) for key in KEYS)
        return {name.lower(): self._given[name] for name in names if self._given.get(name)}


def load(place: Place, env: Mapping[str, str], flags: Mapping[str, Value] | None = None) -> Loaded:
    """Defaults < user's files < project's files < environment < flags; a UserError names file, line and key."""
    user, project = config_files(place.user), config_files(place.state)
    layers = {
        "global": _typed(_merged(user), "global", user),
        "repo": _typed(_merged(project), "repo", project),
        "env": _typed(flat(_Environment(env)()), "env", []),
        "flag": dict(flags or {}),
    }
    digest = trust.digest([*(file.raw for file in project), *_other_raws(place)])
    ignored = trust.ignored(place, digest, layers["repo"], layers["global"]) | _ignored_files(place, digest)
    layers["repo"] = {key: value for key, value in layers["repo"].items() if key not in ignored}
    origins = dict.fromkeys(KEYS, "default") | {key: name for name, layer in layers.items() for key in layer}
    merged = {key: value for layer in layers.values() for key, value in layer.items()}
    warnings = [*trust.warnings(place, ignored), *_near_misses(env)]
    return Loaded(Settings.model_validate(nested(merged)), origins, warnings, ignored, digest)


def digest(place: Place) -> str:
    """As `load` has it, of files that need not be right."""
    raws = (files.read(f"{place.state}/{name}") for name in SOURCES)
    return trust.digest([*(raw for raw in raws if raw is not None), *_other_raws(place)])


def _other_raws(place: Place) -> list[bytes]:
    return [*routing_rules.raws(place.state), *sinks_file.raws(place.state), *workflow_programs.raws(place.state)]


def _ignored_files(place: Place, sha256: str) -> dict[str, Value]:
    """The project's rules for routing that are more than floors, and where it would send events."""
    rules = [rule.name for rule in routing_rules.ignored(place)] if trust.is_repositorys_own(place) else []
    wanted = {RULES[0]: ("what is no floor", rules), sinks_where.NAMES[0]: ("sinks", sinks_file.waiting(place))}
    wanted = {key: (what, names) for key, (what, names) in wanted.items() if names}
    if not wanted or trust.is_trusted(place, sha256):
        return {}
    return {key: f"{what} ({_first_of(names)})" for key, (what, names) in wanted.items()}


def _first_of(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED_MOST} more" if len(names) > NAMED_MOST else ""
    return ", ".join(names[:NAMED_MOST]) + more


def config_files(folder: str | None) -> list[ConfigFile]:
    """What there is of a folder's config.yaml and config.json, weakest first."""
    paths = [f"{folder}/{name}" for name in SOURCES] if folder else []
    return [file for file in map(config_file.read, paths) if file]


def parse(key: str, text: str) -> Value:
    """One value as typed on a command line."""
    if key not in KEYS:
        raise UserError(unknown(key))
    return _typed({key: text}, "flag", [])[key]


def _typed(layer: Mapping[str, object], origin: str, files: Sequence[ConfigFile]) -> dict[str, Value]:
    try:
        values = Settings.model_validate(nested(layer)).flat()
    except ValidationError as error:
        raise UserError("\n".join(_complaint(item, origin, files) for item in error.errors())) from None
    return {key: values[key] for key in layer}


def _merged(files: Iterable[ConfigFile]) -> dict[str, object]:
    merged: dict[str, object] = {}
    problems = []
    for file in files:
        problems += [f"{file.path}:{file.lines[key]}: {_misplaced(key)}" for key in file.values if key not in KEYS]
        merged |= file.values
    if problems:
        raise UserError("\n".join(problems))
    return merged


def _misplaced(key: str) -> str:
    if key not in GROUPS:
        return unknown(key)
    members = ", ".join(name.removeprefix(f"{key}.") for name in KEYS if name.startswith(f"{key}."))
    return f"{key}: expected a group of keys ({members})"


def _complaint(item: ErrorDetails, origin: str, files: Sequence[ConfigFile]) -> str:
    key = ".".join(map(str, item["loc"]))
    message = item["msg"].removeprefix("Value error, ")
    return f"{_where(key, origin, files)}: {message[:1].lower()}{message[1:]}, got {item['input']!r}"


def _where(key: str, origin: str, files: Sequence[ConfigFile]) -> str:
    if origin == "env":
        return f"environment: {variable(key)}"
    lines = [f"{file.path}:{file.lines[key]}: " for file in files if key in file.values]
    return "".join(lines[-1:]) + key


def _near_misses(env: Mapping[str, str]) -> list[str]:
    """A misspelt variable sets nothing, and nobody would notice."""
    names = [variable(key) for key in KEYS]
    strange = sorted(name for name in env if name.startswith(PREFIX) and "__" in name and name not in names)
    return [
        f"environment: {name} is no setting (did you mean {close[0]}?)"
        for name in strange
        if (close := difflib.get_close_matches(name, names, 1))
    ]
