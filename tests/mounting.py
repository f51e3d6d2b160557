"""File systems of its own for one process: `[*AS_ROOT, "sh", "-ec", "mount ..."]`, in a test marked `mounts`."""

import os
import shutil
import subprocess

import pytest

AS_ROOT = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]


def _can_mount():
    probe = [*AS_ROOT, "mount", "-t", "tmpfs", "x", "/mnt"]
    return bool(shutil.which("unshare")) and not subprocess.run(probe, capture_output=True, check=False).returncode


mounts = pytest.mark.skipif(not _can_mount(), reason="needs `unshare --mount`: file systems of its own for one process")
