"""A program in Python that stands in for another. `env python3` may be a shim that costs more than the program does."""

import sys

# A line for sh, which Python reads as a string: a path may have a space in it, or be too long for `#!`.
_HEAD = f"#!/bin/sh\n'''exec' \"{sys.executable}\" -IS \"$0\" \"$@\"\n' '''\n"


def python_program(path, text):
    """It has the library alone, and starts at once."""
    path.write_text(_HEAD + text)
    path.chmod(0o755)
    return path
