"""How a running agent is doing, on stderr: one line that is drawn over on a terminal, a line now and then elsewhere."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple, Protocol, TextIO

TAKEN_S = 0.1  # not looked at more often
LIVE_TICK_S = 1.0
PLAIN_TICK_S = 30.0
_ERASE = "\r\x1b[K"
_COLOURS = {"ok": "\x1b[32m", "failed": "\x1b[31m", "running": "\x1b[2m"}
_PLAIN = "\x1b[0m"


class _Usage(Protocol):
    @property
    def input_tokens(self) -> int: ...
    @property
    def output_tokens(self) -> int: ...
    @property
    def cache_read_tokens(self) -> int: ...
    @property
    def cache_write_tokens(self) -> int: ...


class Told(Protocol):
    """What is read of a tally."""

    served: list[str]
    last_tool: str | None

    @property
    def turns(self) -> int: ...
    @property
    def usage(self) -> Mapping[str, _Usage]: ...


class _Figures(NamedTuple):
    model: str = ""
    turns: int = 0
    tokens: int = 0
    tool: str | None = None

    def words(self) -> list[str]:
        return [
            self.model,
            f"{self.turns} turn{'' if self.turns == 1 else 's'}",
            f"{_short(self.tokens)} tokens",
            *([self.tool] if self.tool else []),
        ]


class Progress:
    """`out` None is silent. Nothing that is wrong with `out` stops a run. `tell` hears in its place what is to stay."""

    def __init__(
        self,
        out: TextIO | None,
        agent: str,
        env: Mapping[str, str],
        clock: Callable[[], float] = time.monotonic,
        tick_s: float | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self._out = out
        self._tell = tell
        self._agent = agent
        self._clock = clock
        self._is_live = out is not None and out.isatty() and env.get("TERM") != "dumb"
        self._is_coloured = self._is_live and not env.get("NO_COLOR")
        self._tick_s = tick_s or (LIVE_TICK_S if self._is_live else PLAIN_TICK_S)
        self._figures = _Figures()
        self._began: float | None = None
        self._told = self._taken = clock()
        # A thread draws while the agent is silent; reentrant, as a signal's handler may have something to say.
        self._lock = threading.RLock()

    def start(self, model: str) -> None:
        """An attempt begins; the time counts from the first."""
        with self._lock:
            self._figures = _Figures(model)
            self._began = self._clock() if self._began is None else self._began
            self._draw() if self._is_live else self._line(f"started on {model}")

    def update(self, tally: Told) -> None:
        """After each line that the agent has said."""
        with self._lock:
            if self._clock() - self._taken < TAKEN_S:
                return
            self._take(tally)
            if self._is_live:
                self._draw()
            else:
                self.tick()

    def tick(self) -> None:
        """Drawn anew when it is time to, said or not."""
        with self._lock:
            if self._began is None or self._clock() - self._told < self._tick_s:
                return
            self._draw() if self._is_live else self._line(", ".join(self._words()))

    def note(self, text: str) -> None:
        """A line of the story that stays: a retry, a fallback, a warning."""
        if self._tell:
            self._tell(text)
            return
        with self.aside():
            self._line(text)

    def end(self, kind: str, tally: Told) -> None:
        with self._lock:
            self._take(tally)
            words = [f"{kind} after {_clock_time(self._elapsed())}", *self._figures.words()]
            self._began = None
            self._erase()
            self._line(", ".join(words), "ok" if kind == "ok" else "failed")

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Room for other output on the same terminal, which has to end its line."""
        with self._lock:
            self._erase()
            yield
            if self._is_live and self._began is not None:
                self._draw()

    @contextmanager
    def ticking(self) -> Iterator[None]:
        """Time goes on while the agent is silent."""
        stop = threading.Event()

        def run() -> None:
            while not stop.wait(self._tick_s):
                self.tick()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _take(self, tally: Told) -> None:
        model = tally.served[-1] if tally.served else self._figures.model
        self._figures = _Figures(model, tally.turns, sum(map(_tokens, tally.usage.values())), tally.last_tool)
        self._taken = self._clock()

    def _words(self) -> list[str]:
        return [_clock_time(self._elapsed()), *self._figures.words()]

    def _elapsed(self) -> float:
        return 0.0 if self._began is None else self._clock() - self._began

    def _draw(self) -> None:
        text = _printable(f"{self._agent}  {'  '.join(self._words())}")
        self._write(_ERASE + self._coloured(text[: self._columns() - 1], "running"))
        self._told = self._clock()

    def _erase(self) -> None:
        if self._is_live:
            self._write(_ERASE)

    def _line(self, text: str, colour: str = "") -> None:
        self._write(self._coloured(_printable(f"{self._agent}: {text}"), colour) + "\n")
        self._told = self._clock()

    def _coloured(self, text: str, colour: str) -> str:
        return f"{_COLOURS[colour]}{text}{_PLAIN}" if self._is_coloured and colour else text

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self._out.fileno()).columns or 80 if self._out else 80
        except (OSError, ValueError):
            return 80

    def _write(self, text: str) -> None:
        if self._out is None:
            return
        try:
            self._out.write(text)
            self._out.flush()
        except (OSError, ValueError):  # ValueError: it was closed
            self._out = None


def _tokens(usage: _Usage) -> int:
    return usage.input_tokens + usage.output_tokens + usage.cache_read_tokens + usage.cache_write_tokens


def _short(count: int) -> str:
    """950, 1.2k, 34k, 2.5M"""
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if count >= size:
            return f"{count / size:.1f}{unit}" if count < 10 * size else f"{count // size}{unit}"
    return str(count)


def _clock_time(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


def _printable(text: str) -> str:
    """What a model or a tool is called cannot move the cursor."""
    return "".join(char if char.isprintable() else "?" for char in text)
