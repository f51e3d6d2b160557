"""Which database the project's store is from now on."""

from collections.abc import Mapping

from state import compiled, config_keys, settings, snapshot
from state.errors import REFUSED, UserError
from state.paths import Place
from state.settings_model import variable
from state.store import opening

KEY = "store.url"


def check(place: Place, env: Mapping[str, str]) -> None:
    """Before anything is copied: could the setting take effect?"""
    if KEY in snapshot.overlay(dict(env)):
        raise UserError(f"{variable(KEY)} is set and would overrule the setting: unset it first")
    if place.user is None:
        raise UserError(f"no writable home folder: nobody would vouch for the setting: set {variable(KEY)} instead")
    if waiting := settings.load(place, {}).ignored:
        raise UserError(
            f"{place.state}: {', '.join(sorted(waiting))}: wait for your trust, and {KEY} would too: "
            "`orchestrate trust` first",
            REFUSED,
        )


def use(place: Place, url: str) -> None:
    """Write the setting into the project's settings, and be sure that it holds."""
    config_keys.set_key(place, KEY, url)
    if opening.url(place, {}) != url:
        compiled.compile(place)
        raise UserError(f"{KEY} did not take effect: `orchestrate config show`")
