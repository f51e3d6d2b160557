"""The project's own folder: made once, private, unseen by git, holding whatever was recorded before."""

import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

import orjson

from orchestrate import __version__
from orchestrate.phases import workflows
from state import adoption, compiled, files, journal, locks, settings, trust
from state.adoption import Adopted
from state.errors import UserError
from state.paths import FOLDER, Place, locate
from state.settings_reference import template
from state.snapshot import SOURCES, WORKFLOWS


class Initialised(NamedTuple):
    place: Place
    created: bool
    adopted: Adopted


def initialise(before: Place, env: Mapping[str, str], stragglers_s: float = adoption.STRAGGLERS_S) -> Initialised:
    """Safe to run again, also after it was interrupted."""
    own = f"{before.root.rstrip('/')}/{FOLDER}"
    _require_ours(own, env)
    home = before.user or own
    with locks.hold(f"{home}/init.lock", compiled.lock_timeout_s(before)):
        place, created = _made(before, own, env)
        adopted = adoption.adopt(f"{home}/projects/{before.project}", own, stragglers_s)
        if adopted.config:
            _trust_own(place)
        _write_templates(own)
    compiled.compile(place)
    return Initialised(place, created, adopted)


def _made(before: Place, own: str, env: Mapping[str, str]) -> tuple[Place, bool]:
    created = not Path(own, "meta.json").exists()
    files.folder(own)
    try:
        Path(own).chmod(0o700)
    except OSError as error:
        raise files.failure(own, error) from error
    meta = {
        "created_at": journal.stamp(time.time()),
        "git_remote": _git_remote(before.root),
        "version": __version__,
        "project": before.project,
    }
    for name, content in ((".gitignore", b"*\n"), ("meta.json", orjson.dumps(meta, option=orjson.OPT_INDENT_2))):
        if not Path(own, name).exists():
            files.replace(f"{own}/{name}", content)
    return locate(before.root, {**env, "ORCHESTRATOR_ROOT": before.root}), created


def _write_templates(own: str) -> None:
    if not any(Path(own, name).exists() for name in SOURCES):
        files.replace(f"{own}/{SOURCES[0]}", template().encode())
    if not any(Path(own, name).exists() for name in WORKFLOWS):
        files.replace(f"{own}/{WORKFLOWS[0]}", workflows.TEMPLATE.read_bytes())


def _trust_own(place: Place) -> None:
    """What the user had set in their own folder is not the repository's wish."""
    loaded = settings.load(place, {})
    if loaded.ignored:
        trust.grant(place, loaded.digest, compiled.lock_timeout_s(place))


def _require_ours(own: str, env: Mapping[str, str]) -> None:
    if own == f"{env.get('HOME', '').rstrip('/')}/{FOLDER}":
        raise UserError(f"{Path(own).parent}: the home folder is no project: go to one, or name it by --project-root")
    try:
        owner = Path(own).stat().st_uid
    except FileNotFoundError:
        return
    except OSError as error:
        raise files.failure(own, error, "read") from error
    if hasattr(os, "geteuid") and owner != os.geteuid():
        raise UserError(f"{own}: belongs to another user (uid {owner}): have it removed, or given to you")


def _git_remote(root: str) -> str | None:
    """Without the user and password that some have in it."""
    command = ["git", "-C", root, "config", "--get", "remote.origin.url"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    url = found.stdout.strip()
    parts = urlsplit(url)
    if parts.scheme and parts.hostname and "@" in parts.netloc:
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return url or None
