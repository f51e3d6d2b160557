"""What an agent of the night is heard to say while it works: tokens for the account, readings for all who look."""

import time
from collections.abc import Callable, Mapping

from orchestrate.agents.progress import Progress, Told
from orchestrate.agents.stream import Tally, Usage
from state import quota

HEARD_EVERY_S = 1.0


class Hearing(Progress):
    """Nothing is drawn. A reading is passed on at once: the floor is minded by the newest."""

    def __init__(
        self, agent: str, user: str, used: Callable[[Mapping[str, Usage]], None], read: Callable[[], None]
    ) -> None:
        super().__init__(None, agent, {})
        self._user = user
        self._used = used
        self._read = read
        self._next = 0.0
        self._limits: Mapping[str, object] = {}
        self.reset_at: float | None = None  # of the limit that has refused it

    def update(self, tally: Told) -> None:
        if isinstance(tally, Tally) and (time.monotonic() >= self._next or tally.limits is not self._limits):
            self._next = time.monotonic() + HEARD_EVERY_S
            self._take(tally)

    def end(self, kind: str, tally: Told) -> None:
        if isinstance(tally, Tally):
            self._take(tally)

    def note(self, text: str) -> None:
        """The night tells its story by its own events."""

    def _take(self, tally: Told) -> None:
        if not isinstance(tally, Tally):
            return
        self._used(tally.spent)
        limit = tally.rate_limit
        self.reset_at = limit.resets_at if limit and limit.status == "rejected" else None
        if tally.limits and tally.limits is not self._limits:
            self._limits = tally.limits
            quota.note(self._user, quota.told(tally.limits), "stream", time.time())
            self._read()
