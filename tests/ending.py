"""The end of any process as an event, so that nobody looks a moment too early. A zombie that nobody reaps has ended."""

import os
import select

import pytest

tells_ends = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs `pidfd_open`: the end of any process")


def is_gone(pid, within_s=30):
    """Whether it ends by then; with 0, whether it has ended."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([fd], [], [], within_s)[0])
    finally:
        os.close(fd)


def are_gone(pids, within_s=30):
    return all(is_gone(pid, within_s) for pid in pids)


def is_alive(pid):
    return not is_gone(pid, 0)


def is_let_go(fifo, within_s=30):
    """Whether by then nobody has the fifo open for writing; `fifo`: our own end, opened without waiting for a writer.
    For processes that may be ended before they could tell their pids: what they open, those they start inherit."""
    try:
        return os.read(fifo, 1) == b""
    except BlockingIOError:
        return bool(select.select([fifo], [], [], within_s)[0]) and os.read(fifo, 1) == b""
