"""A PostgreSQL cluster of the tests' own: on loopback, in a temporary folder, ended with the process that began it."""

import ctypes
import os
import pwd
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pytest

USER = "tester"
DATABASE = "orchestrate"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "lc_messages": "C",
    "log_min_messages": "fatal",
}
_PR_SET_PDEATHSIG = 1
_LOWEST_PORT = 20_000
_WITHIN_S = 60
FOLDERS = []  # of servers that are done with


def programs():
    """The folder of initdb and postgres; Debian keeps them off PATH. None where PostgreSQL is not installed."""
    on_path = shutil.which("postgres")
    found = [*([Path(on_path)] if on_path else []), *sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))]
    return found[-1].parent if found else None


class Cluster:
    def __init__(self):
        self.password = secrets.token_hex(8)
        self.folder = tempfile.mkdtemp(prefix="orchestrate-postgres-")
        self._account = _account()
        self._process = None
        os.chmod(self.folder, 0o700)
        if self._account:
            os.chown(self.folder, self._account.pw_uid, self._account.pw_gid)
        self._initialise()
        self.port = _free_port()
        self.start()
        with self.connect("postgres") as db:
            db.execute(f"CREATE DATABASE {DATABASE}")

    @property
    def url(self):
        return self.url_of(DATABASE)

    def url_of(self, database, user=USER, password=None):
        return f"postgresql://{user}:{password or self.password}@127.0.0.1:{self.port}/{database}"

    @property
    def shown(self):
        """As `url`, in the form that is printed."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{DATABASE}"

    def connect(self, database=DATABASE):
        import psycopg

        return psycopg.connect(self.url_of(database), autocommit=True)

    def start(self):
        """Also after `stop`: on the same port, with what was committed."""
        options = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        command = [str(programs() / "postgres"), "-D", f"{self.folder}/data", "-p", str(self.port), *options]
        with open(f"{self.folder}/log", "ab") as log:
            self._process = subprocess.Popen(
                command,
                preexec_fn=_end_with_us,  # noqa: PLW1509  one thread, and only a system call between
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **self._as(),
            )
        self._await()

    def stop(self, how=signal.SIGQUIT):
        """SIGQUIT is `immediate`: no session is asked, nothing is written; SIGINT is `fast`."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait(_WITHIN_S)

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _initialise(self):
        given = f"{self.folder}/password"
        Path(given).write_text(self.password)
        if self._account:
            os.chown(given, self._account.pw_uid, self._account.pw_gid)
        options = ["--auth=scram-sha-256", f"--pwfile={given}", "--encoding=UTF8", "--no-sync"]
        command = [str(programs() / "initdb"), "-D", f"{self.folder}/data", "-U", USER, *options]
        # Another order than that of bytes: a statement that leaves the order to the database is seen.
        for locale in (["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"], ["--locale=C.UTF-8"]):
            done = subprocess.run([*command, *locale], capture_output=True, text=True, check=False, **self._as())
            if done.returncode == 0:
                return
        raise AssertionError(done.stderr)

    def _as(self):
        """PostgreSQL refuses to run for root."""
        if not self._account:
            return {"cwd": "/"}
        return {"cwd": "/", "user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []}

    def _await(self):
        deadline = time.monotonic() + _WITHIN_S
        while True:
            with suppress(Exception):
                self.connect("postgres").close()
                return
            assert self._process.poll() is None and time.monotonic() < deadline, Path(self.folder, "log").read_text()
            time.sleep(0.02)


def _account():
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise AssertionError("root has no other account to run PostgreSQL as")


def _free_port():
    """One that the system gives to nobody by itself, so that it is still ours when the server is started again."""
    try:
        first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:
        first = 0
    for port in random.sample(range(_LOWEST_PORT, first), 100) if first - _LOWEST_PORT > 1000 else ():
        with socket.socket() as taken, suppress(OSError):
            taken.bind(("127.0.0.1", port))
            return port
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def _end_with_us():
    """A test run that is killed leaves no server."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)


@pytest.fixture(scope="session")
def cluster():
    """One for each process of tests. A test that stops it starts it again."""
    if programs() is None:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    found = Cluster()
    yield found
    found.stop()
    FOLDERS.append(found.folder)


def pytest_sessionfinish():
    """A folder of very many files: on a slow disk they take longer than a test may, the last one of all as well."""
    for folder in FOLDERS:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.database)])
def dialect(request, monkeypatch):
    """A test that asks for it runs on both engines: `open_store`, and every command that is started, takes this one.

    Each test has a project, and so a schema, of its own.
    """
    if request.param == "postgres":
        monkeypatch.setenv("ORCHESTRATOR_STORE__URL", request.getfixturevalue("cluster").url)
    return request.param
