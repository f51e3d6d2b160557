"""What comes through a child's pipes, in bounded memory."""

from collections.abc import Callable

LONGEST_LINE = 16 * 1024 * 1024
STDERR_KEPT = 64 * 1024
_HEAD = 1024


class Lines:
    """Bytes in, whole lines out. Of a line that is too long only its head comes out: garbage, as it is no JSON."""

    __slots__ = ("_held", "_is_cut", "_on_line")

    def __init__(self, on_line: Callable[[bytes], None]) -> None:
        self._on_line = on_line
        self._held = bytearray()
        self._is_cut = False

    def feed(self, data: bytes) -> None:
        *ends, rest = data.split(b"\n")
        for part in ends:
            self._hold(part)
            self.finish()
        self._hold(rest)

    def finish(self) -> None:
        """A line ends here, with a newline or with the stream."""
        line = bytes(self._held)
        self._held.clear()
        self._is_cut = False
        if line:
            self._on_line(line)

    def _hold(self, part: bytes) -> None:
        if self._is_cut:
            return
        self._held += part
        if len(self._held) > LONGEST_LINE:
            del self._held[_HEAD:]
            self._is_cut = True


class Tail:
    """The last of what was said: the cause stands at the end."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> None:
        self._held += data
        if len(self._held) > 2 * STDERR_KEPT:
            del self._held[:-STDERR_KEPT]

    def text(self) -> str:
        return self._held[-STDERR_KEPT:].decode("utf-8", "replace")
