"""Everything that the checks look at, gathered once: the project, the client and its settings, and our own."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from orchestrate.doctor import client, layers, plugins
from orchestrate.doctor.client import Client
from orchestrate.doctor.layers import Hook, Layer
from orchestrate.doctor.plugins import Plugin
from orchestrate.install import interpreter, receipts, survey
from orchestrate.install.interpreter import Interpreter
from orchestrate.install.survey import Sighting
from state import settings, snapshot
from state.errors import UserError
from state.paths import Place
from state.snapshot import Value


class Scene(NamedTuple):
    place: Place
    env: Mapping[str, str]
    layers: list[Layer]
    seen: list[Sighting]
    plugins: list[Plugin]
    lost: str  # why none of these three is known
    recorded: Interpreter | None  # what the plugin's hooks start
    client: Client
    is_client_asked: bool
    values: dict[str, Value]  # the settings in force; the last good ones, where they cannot be read
    origins: dict[str, str]
    warnings: list[str]
    error: str  # of the settings
    now: float

    @property
    def own(self) -> list[tuple[Layer, Hook]]:
        """Our hooks in the client's settings."""
        every = ((layer, hook) for layer in self.layers for hook in layers.hooks(layer.values.get("hooks")))
        return [(layer, hook) for layer, hook in every if hook.is_ours]

    @property
    def plugin(self) -> Plugin | None:
        return next((plugin for plugin in self.plugins if plugin.is_ours), None)

    @property
    def interpreters(self) -> list[Interpreter]:
        """Each that an installed hook starts."""
        lines = dict.fromkeys(str(hook.handler["command"]) for _, hook in self.own)
        found = [interpreter.of_command(line) for line in lines]
        return [*filter(None, found), *([self.recorded] if self.plugin and self.recorded else [])]


def look(place: Place, env: Mapping[str, str], managed: Path | None = None, ask_client: bool = True) -> Scene:
    """`managed`: the organisation's folder, if not that of this system."""
    found, seen, plugged, lost = _of_the_client(place, env, managed)
    values, origins, warnings, error = _settings(place, env)
    program = client.find(str(values["claude_binary"]), env)
    return Scene(
        place=place,
        env=env,
        layers=found,
        seen=seen,
        plugins=plugged,
        lost=lost,
        recorded=_recorded(place),
        client=client.with_version(program, env) if ask_client else program,
        is_client_asked=ask_client,
        values=values,
        origins=origins,
        warnings=warnings,
        error=error,
        now=time.time(),
    )


def _of_the_client(
    place: Place, env: Mapping[str, str], managed: Path | None
) -> tuple[list[Layer], list[Sighting], list[Plugin], str]:
    try:
        found = layers.read(place.root, env, managed)
        return found, survey.look(place.root, env, managed), plugins.enabled(found, env), ""
    except UserError as error:  # no home, so no place to look at
        return [], [], [], str(error)


def _recorded(place: Place) -> Interpreter | None:
    try:
        return interpreter.recorded(receipts.book(place.user).folder)
    except UserError:  # no home, or a file where the folder belongs
        return None


def _settings(place: Place, env: Mapping[str, str]) -> tuple[dict[str, Value], dict[str, str], list[str], str]:
    try:
        loaded = settings.load(place, env)
    except UserError as error:
        return snapshot.read(place, dict(env)).values, {}, [], str(error)
    return loaded.settings.flat(), loaded.origins, loaded.warnings, ""
