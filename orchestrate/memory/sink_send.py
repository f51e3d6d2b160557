"""One event on its way to one sink, and what came of it."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import urlsplit

from orchestrate import __version__
from orchestrate.memory.sink_address import PORTS, Pinned, Refused, connection
from state import redact, sinks_file
from state.sinks_file import Sink

DELIVERED, AGAIN, NEVER, BLOCKED = "delivered", "again", "never", "blocked"
PROBLEM_MOST = 300
HEADER_MOST = 200
RETRY_AFTER_MOST_S = 3600.0
# Answers that another try may change; every other one that is no success stays as it is.
_PASSING = (408, 425, 429)


class Mail(NamedTuple):
    event_id: str
    kind: str
    body: bytes


class Way(NamedTuple):
    """What a delivery may use."""

    hosts: frozenset[str]
    env: Mapping[str, str]
    cwd: str


class Outcome(NamedTuple):
    """`blocked`: not tried, because of what the user has to set right; it counts as no try."""

    kind: str
    problem: str = ""
    retry_after_s: float = 0.0


def send(sink: Sink, mail: Mail, way: Way) -> Outcome:
    outcome = _run(sink, mail, way) if sink.command is not None else _post(sink, mail, way)
    return outcome._replace(problem=redact.redact(outcome.problem)[:PROBLEM_MOST])


def address(sink: Sink, env: Mapping[str, str]) -> str:
    """The URL; Refused where the variable that holds it is not set."""
    url = sink.url or ""
    if not url.startswith(sinks_file.ENV):
        return url
    name = url.removeprefix(sinks_file.ENV)
    value = env.get(name, "")
    if problem := sinks_file.url_problem(value):
        raise Refused(f"the variable {name} holds no URL: {problem}" if value else f"the variable {name} is not set")
    return value


def _post(sink: Sink, mail: Mail, way: Way) -> Outcome:
    try:
        parts = urlsplit(address(sink, way.env))
        headers = {**_secrets(sink, way.env), **_headers(mail)}
        open_ = connection(
            parts.scheme, parts.hostname or "", parts.port or PORTS[parts.scheme], sink.timeout_s, way.hosts
        )
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        with _ended_by(open_, sink.timeout_s):
            open_.request("POST", target, mail.body, headers)
            answer = open_.getresponse()
        return _judged(answer.status, answer.getheader("Retry-After"), answer.getheader("Location"))
    except Refused as refused:
        return Outcome(BLOCKED, str(refused))
    except (OSError, http.client.HTTPException) as error:
        return Outcome(AGAIN, f"{type(error).__name__}: {error}")


@contextlib.contextmanager
def _ended_by(open_: Pinned, within_s: float) -> Iterator[None]:
    """A timeout of each read alone would let one that says a byte now and then hold us for ever."""

    late = threading.Event()

    def end() -> None:
        late.set()
        sock = open_.sock
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(within_s, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, http.client.HTTPException):
        if not late.is_set():
            raise
    finally:
        timer.cancel()
        open_.close()
    if late.is_set():  # cut off, even what looks whole may not be
        raise TimeoutError(f"no answer within {within_s:g} s")


def _headers(mail: Mail) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "Idempotency-Key": _visible(mail.event_id),
        "User-Agent": f"orchestrate/{__version__}",
        "X-Orchestrate-Event": _visible(mail.kind),
        "Connection": "close",
    }


def _visible(text: str) -> str:
    """What came with an event ends no header."""
    return "".join(char if "!" <= char <= "~" else "_" for char in text[:HEADER_MOST])


def _secrets(sink: Sink, env: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for header, name in sink.headers.items():
        value = env.get(name)
        if not value:
            raise Refused(f"the variable {name} for the header {header} is not set")
        if not value.isprintable() or not value.isascii():
            raise Refused(f"the variable {name} holds what no header may hold")
        found[header] = value
    return found


def _judged(status: int, retry_after: str | None, location: str | None) -> Outcome:
    if 200 <= status < 300:
        return Outcome(DELIVERED)
    if 300 <= status < 400:
        where = urlsplit(location or "").hostname or "elsewhere"
        return Outcome(NEVER, f"answered {status}: redirects to {where} are not followed: give that URL in sinks.yaml")
    if status in _PASSING or status >= 500:
        return Outcome(AGAIN, f"answered {status}", _seconds(retry_after))
    return Outcome(NEVER, f"answered {status}")


def _seconds(retry_after: str | None) -> float:
    """A number of seconds, or a date."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), RETRY_AFTER_MOST_S)
    try:
        wait_s = parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return min(max(0.0, wait_s), RETRY_AFTER_MOST_S)


def _run(sink: Sink, mail: Mail, way: Way) -> Outcome:
    argv = list(sink.command or ())
    env = {**way.env, "ORCHESTRATOR_EVENT_ID": mail.event_id}
    try:
        child = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=env,
            cwd=way.cwd,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        return Outcome(AGAIN, f"{argv[0]}: {error}")
    with child:
        try:
            _, told = child.communicate(mail.body, sink.timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.communicate()
            return Outcome(AGAIN, f"{argv[0]}: not done after {sink.timeout_s:g} s")
    if child.returncode == 0:
        return Outcome(DELIVERED)
    last = told.decode("utf-8", "replace").strip().splitlines()[-1:]
    return Outcome(AGAIN, f"{argv[0]}: exit {child.returncode}{': ' if last else ''}{''.join(last)}")
