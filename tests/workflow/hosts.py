"""Hosts of their own on one machine: each with its network, name, machine id, processes and home, on a common switch.

The switch is a host as well: PostgreSQL runs there, at an address that all of them reach. Nothing of the machine's own
network is touched.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
from machine import FAKES, Machine

SWITCH = "10.77.0.1"
# Else it takes that of one of its ports, and another when that host goes: for a while the rest would not find it.
ADDRESS = "02:00:0a:4d:00:01"
PROGRAMS = ("unshare", "nsenter", "setpriv", "ip", "mount")
_ENDS_WITH_US = ("setpriv", "--pdeathsig", "KILL")
_CLONE_NEWNET = 0x40000000
_INIT = """
set -e
echo "$1" > /proc/sys/kernel/hostname
[ ! -e /etc/machine-id ] || mount --bind "$2" /etc/machine-id
shift 2
for hidden in "$@"; do mount -t tmpfs none "$hidden"; done
echo ready
exec sleep infinity
"""


def missing():
    """Why there can be no hosts here."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "only root on Linux makes hosts"
    found = [name for name in PROGRAMS if not shutil.which(name)]
    return f"not installed: {', '.join(found)} (apt-get install iproute2 util-linux)" if found else ""


def run(*argv):
    subprocess.run(argv, check=True, capture_output=True)


class Switch:
    def __init__(self):
        self._holder = subprocess.Popen(
            [*_ENDS_WITH_US, "unshare", "--net", "sh", "-c", "echo ready; exec sleep infinity"], stdout=subprocess.PIPE
        )
        assert self._holder.stdout.readline() == b"ready\n"
        self.network = f"/proc/{self._holder.pid}/ns/net"
        self.run("ip", "link", "set", "lo", "up")
        self.run("ip", "link", "add", "switch", "address", ADDRESS, "type", "bridge")
        self.run("ip", "addr", "add", f"{SWITCH}/24", "dev", "switch")
        self.run("ip", "link", "set", "switch", "up")
        # A thread is in a network of its own; what it starts is there as well, and ends with it.
        self.inside = ThreadPoolExecutor(1, initializer=_enter, initargs=(self.network,))

    def run(self, *argv):
        run("nsenter", f"--net={self.network}", *argv)

    def end(self):
        self.inside.shutdown()
        self._holder.kill()
        self._holder.wait()


class Host(Machine):
    """Its project keeps its own state: the other hosts see it, as they would on a file system that all share."""

    def __init__(self, folder, url, number, switch):
        os.makedirs(f"{folder}/project/.orchestrator")
        super().__init__(folder, url, "60")
        self.name = f"host{number}"
        self._number = number
        self._switch = switch
        self._holder = None
        (self.folder / "machine-id").write_text(f"{number:032x}\n")

    def up(self, hidden=()):
        """`hidden`: folders of others, which are empty here."""
        parts = ("--net", "--uts", "--mount", "--pid")
        told = ["sh", "-c", _INIT, "sh", self.name, self.folder / "machine-id", *hidden]
        self._holder = subprocess.Popen(
            [*_ENDS_WITH_US, "unshare", *parts, "--fork", "--kill-child", "--mount-proc", *told],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._holder.stdout.readline() == b"ready\n"
        children = Path(f"/proc/{self._holder.pid}/task/{self._holder.pid}/children")
        self._init = int(children.read_text().split()[0])
        self._into = ["nsenter", "-t", str(self._init), *parts, "--"]
        self._wire()

    def runner(self, **options):
        return super().runner(before=self._into, **options)

    def told_by(self, *argv):
        return subprocess.run([*self._into, *argv], check=True, capture_output=True, text=True).stdout.strip()

    def unplug(self):
        """Nothing that is sent arrives, and nobody is told so."""
        self._switch.run("ip", "link", "set", self.name, "nomaster")

    def plug(self):
        self._switch.run("ip", "link", "set", self.name, "master", "switch", "up")

    def kill(self):
        """All of it, at once: the first process of a host takes the others along."""
        os.kill(self._init, signal.SIGKILL)
        self._holder.wait()
        self._holder.stdout.close()
        self._holder = None

    def down(self):
        if self._holder:
            self.kill()

    def agents(self):
        """The agents that work there."""
        space = os.readlink(f"/proc/{self._init}/ns/pid")
        found = [
            one.pid for one in psutil.process_iter(["cmdline"]) if str(FAKES) in " ".join(one.info["cmdline"] or ())
        ]
        return [pid for pid in found if _space(pid) == space]

    def _wire(self):
        network = f"/proc/{self._init}/ns/net"
        with suppress(subprocess.CalledProcessError):  # of the life before: it goes when the kernel finds the time
            self._switch.run("ip", "link", "del", self.name)
        ends = ("ip", "link", "add", self.name, "type", "veth", "peer", "name", "eth0", "netns", str(self._init))
        self._switch.run(*ends)
        self.plug()
        for argv in (
            ("ip", "addr", "add", f"10.77.0.{10 + self._number}/24", "dev", "eth0"),
            ("ip", "link", "set", "lo", "up"),
            ("ip", "link", "set", "eth0", "up"),
        ):
            run("nsenter", f"--net={network}", *argv)


def _space(pid):
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except FileNotFoundError:  # it has just ended
        return ""


def _enter(network):
    with open(network) as file:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(file.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
