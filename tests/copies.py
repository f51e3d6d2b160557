"""A copy of the package for tests that break it."""

import shutil
from pathlib import Path

from orchestrate import hookline

PACKAGES = ("orchestrate", "routing", "state")
# What no hook loads: a copy is made for each test.
_ROOMS = ("commands", "doctor", "measure", "memory", "overnight", "phases", "shadow", "work", "workflow")
_STORE = ("store", "sql")
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "_hot", *_ROOMS, *_STORE)


def copy_of(folder):
    """What a hook needs of the package that runs now, without bundle and byte code."""
    source = Path(hookline.here()[1])
    for name in PACKAGES:
        shutil.copytree(source / name, folder / name, ignore=_LEFT_OUT)
    return folder
