"""One call of git, which may not run anything for the repository it looks at.

A repository's own configuration can name programs: hooks, a file system monitor, a pager, differs, transports that
fetch what a partial clone lacks. Each is switched off here, for every call, and so is what the environment says of
another repository. What git starts still is named in docs/git.md.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, NamedTuple

from state.errors import FAILED, UserError

READ_S = 20.0
WRITE_S = 120.0
_MOST_BYTES = 32 * 1024 * 1024
_SAID_BYTES = 2000
# What a user may well say by them: who he is, and where his own configuration is.
_KEPT = ("GIT_AUTHOR_", "GIT_COMMITTER_", "GIT_CONFIG_", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM")
_DROPPED = ("GIT_CONFIG_PARAMETERS", "LANGUAGE", "LC_ALL", "LC_MESSAGES")
_FIXED = {
    "GIT_ALLOW_PROTOCOL": "none",  # a partial clone fetches what it lacks, by programs that its configuration names
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_NOTHING_RUN = (
    "--no-pager",
    "-c",
    f"core.hooksPath={os.devnull}",
    "-c",
    "core.fsmonitor=",
)


class Said(NamedTuple):
    code: int
    out: bytes
    err: str
    is_cut: bool  # there was more than we take


def call(
    folder: str,
    *words: str,
    given: bytes = b"",
    config: Sequence[str] = (),
    index: str | None = None,
    timeout_s: float = READ_S,
    most_bytes: int = _MOST_BYTES,
) -> Said:
    """`git WORDS` in `folder`; `config`: more of `key=value`, `index`: the file to take for the index."""
    settings = [word for pair in config for word in ("-c", pair)]
    command = [_program(), *_NOTHING_RUN, *settings, *words]
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as stderr:
        stdin.write(given)
        stdin.seek(0)
        try:
            child = subprocess.Popen(
                command,
                cwd=folder,
                env=_environment(index),
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=stderr,
                start_new_session=True,
            )
        except OSError as error:
            raise UserError(f"cannot run git in {folder}: {(error.strerror or str(error)).lower()}") from error
        out, is_cut = _listen(child, timeout_s, most_bytes, words[0])
        stderr.seek(0)
        return Said(child.returncode, out, stderr.read(_SAID_BYTES).decode("utf-8", "replace"), is_cut)


def ask(folder: str, *words: str, given: bytes = b"", index: str | None = None, timeout_s: float = READ_S) -> bytes:
    """What git answers; whatever it refuses is the user's to mend."""
    said = call(folder, *words, given=given, index=index, timeout_s=timeout_s)
    if said.code or said.is_cut:
        raise refused(folder, said)
    return said.out


def refused(folder: str, said: Said) -> UserError:
    reason = "too much for us to read" if said.is_cut else complaint(said)
    return UserError(f"{shown(folder)}: git: {reason}")


def complaint(said: Said) -> str:
    """The first line of what git complained of."""
    line = next((line for line in said.err.splitlines() if line.strip()), f"exit {said.code}")
    return shown(line.removeprefix("fatal: ").removeprefix("error: "))


def shown(text: str) -> str:
    """A path or a message as it may be printed: on one line, without control characters, always UTF-8."""
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()


def _listen(child: "subprocess.Popen[bytes]", timeout_s: float, most_bytes: int, verb: str) -> tuple[bytes, bool]:
    """All it says up to `most_bytes`; then, or when the time is over, it ends, and what it started with it."""
    late = threading.Event()

    def ring() -> None:
        late.set()
        _end(child)

    alarm = threading.Timer(timeout_s, ring)
    alarm.start()
    stdout: IO[bytes] = child.stdout  # type: ignore[assignment] # it is a pipe
    try:
        with stdout:
            out = stdout.read(most_bytes + 1)
        is_cut = len(out) > most_bytes
        if is_cut:
            _end(child)
        child.wait()
    except BaseException:  # Ctrl-C too leaves nothing behind
        _end(child)
        child.wait()
        raise
    finally:
        alarm.cancel()
    if late.is_set():
        raise UserError(f"git {verb}: took longer than {timeout_s:g} s, and was stopped", FAILED)
    return out[:most_bytes], is_cut


def _end(child: "subprocess.Popen[bytes]") -> None:
    if hasattr(os, "killpg"):
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
    else:
        child.kill()


def _environment(index: str | None) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _DROPPED and (not name.startswith("GIT_") or name.startswith(_KEPT))
    }
    return {**kept, **_FIXED, **({"GIT_INDEX_FILE": index} if index else {})}


def _program() -> str:
    """From the absolute folders of PATH alone: the working directory is the repository's."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    found = shutil.which("git", path=os.pathsep.join(one for one in folders if Path(one).is_absolute()))
    if found is None:
        raise UserError("git: is not in PATH: install it")
    return found
