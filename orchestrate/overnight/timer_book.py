"""Timers put in their place and taken out again, by what was written down when they were put there."""

import hashlib
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import orjson

from orchestrate.install import userfile
from orchestrate.overnight import timer_cron, timer_launchd, timer_systemd
from orchestrate.overnight.timers import Parts, Timer
from state import files
from state.errors import UserError

SYSTEMD, LAUNCHD, CRON = "systemd", "launchd", "cron"
KINDS = (SYSTEMD, LAUNCHD, CRON)
_MADE_OF: Mapping[str, Callable[[Timer, Mapping[str, str]], Parts]] = {
    SYSTEMD: timer_systemd.parts,
    LAUNCHD: timer_launchd.parts,
}
_TIMEOUT_S = 30


class Receipt(NamedTuple):
    kind: str
    existed: bool = False  # the crontab, before us, with a line of somebody's
    files: Mapping[str, str] = {}  # by path, the digest of what we made of it
    folders: Sequence[str] = ()  # made by us, outermost first
    end: Sequence[Sequence[str]] = ()  # what ends it


def usual(env: Mapping[str, str]) -> str:
    """The kind that this machine has."""
    if sys.platform == "darwin":
        return LAUNCHD
    if shutil.which("systemctl", path=env.get("PATH")) and Path(env.get("XDG_RUNTIME_DIR", ""), "systemd").is_dir():
        return SYSTEMD
    if shutil.which("crontab", path=env.get("PATH")):
        return CRON
    raise UserError("no systemd of your own and no cron here: `--print` with --systemd, --launchd or --cron shows one")


def shown(kind: str, timer: Timer, env: Mapping[str, str]) -> str:
    if kind == CRON:
        return timer_cron.line(timer)
    parts = _MADE_OF[kind](timer, env)
    texts = [f"# {path}\n{data.decode('utf-8', 'replace').rstrip()}" for path, data in parts.files.items()]
    return "\n\n".join([*texts, "\n".join(f"# then: {shlex.join(command)}" for command in parts.begin)])


def install(kind: str, timer: Timer, env: Mapping[str, str], user: str) -> str:
    """One of each name: another kind of it is taken out first. What its user may want to know of it."""
    remove(timer.name, env, user)
    if kind == CRON:
        before = _crontab(env)
        _put_crontab(timer_cron.added(before or "", timer), env)
        _keep(user, timer.name, Receipt(CRON, before is not None and not timer_cron.is_ours_alone(before)))
        return ""
    parts = _MADE_OF[kind](timer, env)
    folders = [made for folder in {path.parent for path in parts.files} for made in userfile.missing_folders(folder)]
    for path, data in parts.files.items():
        userfile.make_folders(path.parent)
        if path.exists():
            raise UserError(f"{path}: is there already, and not written by orchestrate: remove it, or use --print")
        userfile.put(path, data)
    written = {str(path): _digest(data) for path, data in parts.files.items()}
    _keep(user, timer.name, Receipt(kind, False, written, folders, parts.end))
    try:
        for command in parts.begin:
            _call(command, env)
    except UserError:
        remove(timer.name, env, user)
        raise
    return parts.hint


def remove(name: str, env: Mapping[str, str], user: str) -> list[str] | None:
    """Files that were changed since, and stay; None where there is no such timer."""
    receipt = _receipt(user, name)
    if receipt is None:
        return None
    left: list[str] = []
    if receipt.kind == CRON:
        rest = timer_cron.removed(_crontab(env) or "", name)
        _put_crontab(rest if rest or receipt.existed else None, env)
    else:
        for command in receipt.end:
            _call(command, env, is_needed=False)
        left = [path for path, digest in receipt.files.items() if not _unlink(Path(path), digest)]
        if receipt.kind == SYSTEMD:
            _call(("systemctl", "--user", "daemon-reload"), env, is_needed=False)
        for folder in reversed(receipt.folders):
            userfile.remove_empty(Path(folder))
        _hand_over([folder for folder in receipt.folders if Path(folder).exists()], name, user)
    userfile.remove(Path(_path(user, name)))
    return left


def _hand_over(folders: Sequence[str], name: str, user: str) -> None:
    """What is still in use is the other timer's to remove."""
    for other in timer_cron.NAMES:
        receipt = _receipt(user, other) if other != name and folders else None
        if receipt and receipt.files:
            _keep(user, other, receipt._replace(folders=[*folders, *receipt.folders]))


def _unlink(path: Path, digest: str) -> bool:
    data = userfile.read(path)
    if data is not None and _digest(data) != digest:
        return False
    userfile.remove(path)
    return True


def _crontab(env: Mapping[str, str]) -> str | None:
    """None where there is none yet."""
    done = _run(("crontab", "-l"), env)
    if done.returncode == 0:
        return done.stdout.decode("utf-8", "surrogateescape")
    if b"no crontab" in done.stderr.lower():
        return None
    raise UserError(f"crontab -l: {_said(done)}")


def _put_crontab(text: str | None, env: Mapping[str, str]) -> None:
    if text is None:
        _call(("crontab", "-r"), env)
    else:
        _call(("crontab", "-"), env, text.encode("utf-8", "surrogateescape"))


def _call(command: Sequence[str], env: Mapping[str, str], stdin: bytes = b"", is_needed: bool = True) -> None:
    done = _run(command, env, stdin)
    if done.returncode and is_needed:
        raise UserError(f"{shlex.join(command)}: {_said(done)}")


def _run(command: Sequence[str], env: Mapping[str, str], stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    program = shutil.which(command[0], path=env.get("PATH"))
    if program is None:
        return subprocess.CompletedProcess(list(command), 127, b"", b"not found on PATH")
    try:
        return subprocess.run(
            [program, *command[1:]],
            input=stdin,
            capture_output=True,
            env=dict(env),
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(list(command), 1, b"", f"no answer after {_TIMEOUT_S} s".encode())
    except OSError as error:
        return subprocess.CompletedProcess(list(command), 126, b"", str(error.strerror).encode())


def _said(done: "subprocess.CompletedProcess[bytes]") -> str:
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else f"exit code {done.returncode}"


def _receipt(user: str, name: str) -> Receipt | None:
    raw = files.read(_path(user, name))
    try:
        return Receipt(**orjson.loads(raw)) if raw else None
    except (orjson.JSONDecodeError, TypeError):
        raise UserError(f"{_path(user, name)}: is not as it was written: remove it, and the timer by hand") from None


def _keep(user: str, name: str, receipt: Receipt) -> None:
    files.replace(_path(user, name), orjson.dumps(receipt._asdict()))


def _path(user: str, name: str) -> str:
    return f"{user}/install/{name}.json"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
