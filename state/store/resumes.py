"""Which sessions may go on after a limit, and who goes on with one: once for each limit, whoever asks."""

from state.store.engine import Engine
from state.store.resume_records import Attempt, Ended, Opted

_KEPT_S = 90 * 86_400.0


class Resumes:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def opt(self, session: str, root: str, is_on: bool, now: float) -> None:
        """What was tried for limits of before stays known. What is very old is forgotten."""
        with self._engine.writing():
            self._engine.run("opt_resume", {"session": session, "root": root, "is_on": is_on, "now": now})
            self._engine.run("forget_resume_attempts", {"before": now - _KEPT_S})

    def opted(self) -> list[Opted]:
        """The oldest first, also those that were opted out again."""
        found = [Opted(*row) for row in self._engine.rows("opted_resumes")]
        return [one._replace(is_on=bool(one.is_on)) for one in found]

    def attempts(self) -> list[Attempt]:
        return [Attempt(*row) for row in self._engine.rows("resume_attempts")]

    def claim(self, session: str, limit_id: str, limit_at: float, owner: str, ttl_s: float, now: float) -> int | None:
        """The fence of the claim; None where another has it, where the limit was dealt with, or the session is off.

        A claim is over after its time, and also where it would last longer than one can: the clock was set back.
        """
        key: dict[str, object] = {"session": session, "limit_id": limit_id}
        wanted = {"limit_at": limit_at, "owner": owner, "now": now, "expires_at": now + ttl_s, "furthest": now + ttl_s}
        with self._engine.writing():
            if not self._engine.run("claim_resume", {**key, **wanted}):
                return None
            return int(self._engine.rows("resume_fence", key)[0][0])

    def begin(self, session: str, limit_id: str, fence: int, now: float, alone_since: float | None = None) -> bool:
        """The last word before the client is started: False where the claim is over, or the session was opted out.

        `alone_since`: also where any other began after that, and has not ended.
        """
        with self._engine.writing():
            if alone_since is not None and any(_is_going(each, alone_since) for each in self.attempts()):
                return False
            values = {"session": session, "limit_id": limit_id, "fence": fence, "now": now}
            return self._engine.run("begin_resume", values) == 1

    def release(self, session: str, limit_id: str, fence: int, now: float) -> None:
        """Given back without having begun: another may take it at once."""
        with self._engine.writing():
            values = {"session": session, "limit_id": limit_id, "fence": fence, "now": now}
            self._engine.run("release_resume", values)

    def finish(self, session: str, limit_id: str, fence: int, ended: Ended, now: float) -> bool:
        with self._engine.writing():
            key = {"session": session, "limit_id": limit_id, "fence": fence, "now": now}
            return self._engine.run("finish_resume", {**key, **ended._asdict()}) == 1


def _is_going(attempt: Attempt, since: float) -> bool:
    return attempt.started_at is not None and attempt.ended_at is None and attempt.started_at > since
