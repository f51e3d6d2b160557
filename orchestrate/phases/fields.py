"""What a user may say of a task or a sprint, checked."""

import re
from collections.abc import Iterable, Mapping

import orjson

from state.errors import USAGE, UserError

TEXT_MOST = 200_000
_KIND = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
# Kept by commands of their own.
RESERVED = ("session", "phase_overrides", "commits", "pull_request", "artifacts", "approvals", "type")
COLUMNS = ("code", "title", "description", "sprint", "status", "priority", "metadata", "created_at", "updated_at")


def sound(name: str, text: str) -> str:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise UserError(f"{name}: is not UTF-8", USAGE) from None
    if size > TEXT_MOST:
        raise UserError(f"{name}: longer than {TEXT_MOST} bytes: put it into a file, and name that", USAGE)
    if "\0" in text:
        raise UserError(f"{name}: a NUL cannot stand in it", USAGE)
    return text


def titled(text: str) -> str:
    if not text.strip():
        raise UserError("--title: is empty: give it a few words", USAGE)
    return sound("--title", text)


def pairs(given: Iterable[str]) -> dict[str, object]:
    """KEY=VALUE, where VALUE is JSON, or else a text."""
    found: dict[str, object] = {}
    for word in given:
        key, separator, text = sound("--set", word).partition("=")
        if not separator or not key:
            raise UserError(f"--set {word}: expected KEY=VALUE", USAGE)
        found[_free(key, "--set")] = _value(text)
    return found


def without(metadata: Mapping[str, object], keys: Iterable[str]) -> dict[str, object]:
    gone = [_free(sound("--unset", key), "--unset") for key in keys]
    return {key: value for key, value in metadata.items() if key not in gone}


def _free(key: str, option: str) -> str:
    if key in RESERVED or key in COLUMNS:
        raise UserError(f"{option} {key}: has a command or an option of its own", USAGE)
    if len(key) > 64 or not key.isprintable():
        raise UserError(f"{option}: a key has at most 64 printable characters", USAGE)
    return key


def _value(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def kind(text: str) -> str:
    if not _KIND.fullmatch(text):
        raise UserError(f"--type {text}: expected a word, as bug_fix", USAGE)
    return text


def is_artifact(name: str) -> bool:
    """A file's name, or a path below the folder that it is kept in."""
    parts = name.split("/")
    return name.isprintable() and len(name) <= 200 and "\\" not in name and not {"", ".", ".."} & set(parts)
