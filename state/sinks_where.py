"""The files that name sinks; apart from their reader, since every command that tells something asks for them."""

from pathlib import Path

from state.paths import Place

NAMES = ("sinks.yaml", "sinks.json")


def is_any(place: Place) -> bool:
    folders = (place.state, *([place.user] if place.user else []))
    return any(Path(folder, name).exists() for folder in folders for name in NAMES)
