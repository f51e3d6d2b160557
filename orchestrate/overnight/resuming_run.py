"""Sessions go on after their limits: looked at again and again, each begun once, some at the same time.

The loop of a night drives a `Resumer` beside its jobs, and `overnight resume run` drives one alone: whichever claims a
limit in the user's store is the only one that goes on after it.
"""

import select
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import NamedTuple

from orchestrate.agents import command, resumed, slots
from orchestrate.agents.resumed import Going, Gone
from orchestrate.agents.stop import Stop
from orchestrate.overnight import alone, resuming, resuming_quiet, resuming_seen
from orchestrate.overnight.resuming import Row, Rules, Watched
from orchestrate.overnight.resuming_seen import Kept
from state import compiled, journal, quota, snapshot
from state.errors import UserError
from state.paths import Place, locate
from state.snapshot import Value
from state.store import open_user_store
from state.store.resume_records import Attempt, Ended, Opted

LOOK_S = 60.0  # the longest pause between two looks: clocks are set, machines sleep, resets move
LEAST_S = 0.2
GRACE_S = 60.0  # for the end of a client
CLAIM_S = 60.0  # from the claim to the start of the client
CLAIMED_S = 1.0  # between two looks at the claim of another, who begins in a moment unless he was killed
ACTOR = "orchestrate-resume"
Tell = Callable[[str], None]


class Found(NamedTuple):
    """What is known of one session, and how it goes on."""

    watched: Watched
    place: Place
    settings: Mapping[str, Value]
    kept: Kept | None


class Report(NamedTuple):
    row: Row
    gone: Gone


class Resumer:
    """Give it a look now and then by `step`; `close` ends what goes on. It is not for several threads."""

    def __init__(self, user: Place, env: Mapping[str, str], tell: Tell) -> None:
        self._user = user
        self._env = env
        self._tell = tell
        self._going: dict[str, tuple[threading.Thread, Stop]] = {}
        self.reports: list[Report] = []

    @property
    def sessions(self) -> frozenset[str]:
        """Those that go on now: what their transcripts show is not their user's work."""
        self._reap()
        return frozenset(self._going)

    def step(self, now: float) -> float | None:
        """Begins what is due. Seconds until the next look, None where there is nothing to wait for."""
        self._reap()
        rows = [row for row in standing(self._user, self._env, now) if row.session not in self._going]
        for row in rows:
            if row.verdict == "resume":
                self._start(row)
        waits = [_until(row, now) for row in rows if row.verdict == "wait"]
        return LOOK_S if self._going and not waits else min(waits, default=None)

    def finish(self) -> None:
        """Wait for what goes on."""
        for thread, _ in list(self._going.values()):
            thread.join()
        self._reap()

    def close(self) -> None:
        """End what goes on, and wait for it."""
        for _, stop in self._going.values():
            stop.ask("closed")
        self.finish()

    def _start(self, row: Row) -> None:
        stop = Stop()
        thread = threading.Thread(target=self._go, args=(row, stop), name=f"resume-{row.session}", daemon=True)
        self._going[row.session] = (thread, stop)
        thread.start()

    def _go(self, row: Row, stop: Stop) -> None:
        try:
            self._within_a_place(row, stop)
        except UserError as error:
            self._tell(f"{row.session}: {error}")

    def _within_a_place(self, row: Row, stop: Stop) -> None:
        """Looked at anew once there is a place: what was due a while ago may be due no more."""
        shared = self._user.user or self._user.state
        settings = snapshot.read(self._user, dict(self._env)).values
        with slots.slot(shared, int(settings["run.at_once"]), float(settings["run.wait_s"]), stop, self._tell):
            now = time.time()
            found = {one.watched.session: one for one in look(self._user, self._env)}
            rows = decided(self._user, list(found.values()), now)
            again = next((one for one in rows if one.session == row.session and one.verdict == "resume"), None)
            if again is not None:
                self._claimed(again, found[row.session], stop)

    def _claimed(self, row: Row, found: Found, stop: Stop) -> None:
        if row.limit is None or found.kept is None:
            return
        key = (row.session, row.limit.id)
        with open_user_store(self._user) as store:
            fence = store.resumes.claim(*key, row.limit.at, alone.owner(), CLAIM_S, time.time())
            now = time.time()
            alone_since = now - found.watched.rules.longest_s if found.watched.is_paid else None
            if fence is None or stop.why or not store.resumes.begin(*key, fence, now, alone_since):
                if fence is not None:
                    store.resumes.release(*key, fence, time.time())
                return
        going = _going(row, found, self._env)
        _record(found.place, row, "started", {"resets_at": row.resets_at, "limit": row.limit.id})
        self._tell(f"{row.session}: goes on: {row.reason}")
        gone = resumed.go(going, stop)
        with open_user_store(self._user) as store:
            ended = Ended(gone.outcome, gone.reset_at, gone.points, gone.usd)
            store.resumes.finish(*key, fence, ended, time.time())
        told = gone._asdict()
        _record(found.place, row, "finished", {**told, "limit": row.limit.id})
        self._tell(f"{row.session}: {gone.outcome}{f': {gone.detail}' if gone.detail else ''}")
        self.reports.append(Report(row, gone))

    def _reap(self) -> None:
        for session, (thread, stop) in list(self._going.items()):
            if not thread.is_alive():
                thread.join()
                stop.close()
                del self._going[session]


@contextmanager
def beside(user: Place, env: Mapping[str, str], tell: Tell, stop: Stop) -> Iterator[None]:
    """A `Resumer` for who has a loop of his own, as long as that lasts. Who goes on by then goes on to the end, unless
    `stop` was asked. Where a night ends at the first sign of its user nobody goes on: it would look like him."""
    resumer, over = Resumer(user, env, tell), threading.Event()
    looker = threading.Thread(target=_look_on, args=(resumer, over, tell), name="resumer", daemon=True)
    if not snapshot.read(user, dict(env)).values["overnight.stop_on_activity"]:
        looker.start()
    try:
        yield
    finally:
        over.set()
        if looker.ident is not None:
            looker.join()
        while resumer.sessions and stop.why is None:
            select.select([stop], [], [], LEAST_S)
        resumer.close()


def _look_on(resumer: Resumer, over: threading.Event, tell: Tell) -> None:
    """Once at the least, however short the night."""
    told, wait_s = "", LOOK_S
    while True:
        try:
            wait_s = resumer.step(time.time()) or LOOK_S
        except UserError as error:  # a store that is locked or damaged: the night goes on without
            wait_s = LOOK_S
            if str(error) != told:
                told = str(error)
                tell(told)
        if over.wait(wait_s):
            return


def _until(row: Row, now: float) -> float:
    if row.at is None:
        return CLAIMED_S if row.reason == resuming.CLAIMED else LOOK_S
    return min(max(row.at - now, LEAST_S), LOOK_S)


def standing(user: Place, env: Mapping[str, str], now: float) -> tuple[Row, ...]:
    """How every session that was opted in stands."""
    return decided(user, look(user, env), now)


def decided(user: Place, found: list[Found], now: float) -> tuple[Row, ...]:
    readings = quota.read(user.user) if user.user else {}
    return resuming.due([one.watched for one in found], readings, now, None)


def look(user: Place, env: Mapping[str, str]) -> list[Found]:
    with open_user_store(user) as store:
        opted, attempts = store.resumes.opted(), store.resumes.attempts()
    return [found_of(one, [each for each in attempts if each.session == one.session], env) for one in opted]


def rules(settings: Mapping[str, Value], env: Mapping[str, str]) -> Rules:
    """Within the bounds of the settings also where a variable of the environment says otherwise."""
    off, quiet = _off(settings, env), None
    try:
        quiet = resuming_quiet.parse(str(settings["resume.quiet_hours"]))
    except ValueError as error:  # from the environment, which nobody has validated
        off = off or f"resume.quiet_hours: {error}"
    return Rules(
        off=off,
        quiet=quiet,
        max_points=max(float(settings["resume.max_points"]), 0.0),
        max_usd=max(float(settings["resume.max_usd"]), 0.0),
        give_up_after=max(int(settings["resume.give_up_after"]), 1),
        jitter_s=max(float(settings["resume.jitter_s"]), 0.0),
        longest_s=float(settings["run.timeout_s"]) + GRACE_S,
    )


def found_of(one: Opted, attempts: list[Attempt], env: Mapping[str, str]) -> Found:
    place = locate(one.root, {**env, "ORCHESTRATOR_ROOT": one.root})
    with suppress(UserError):  # where nothing can be written the last good settings hold
        compiled.ensure_fresh(place)
    settings = snapshot.read(place, dict(env)).values
    seen = resuming_seen.look(place, one.session, attempts, env)
    is_paid = bool(env.get("ANTHROPIC_API_KEY")) or any(each.usd is not None for each in attempts[-1:])
    entry = Watched(
        one.session, one.root, one.is_on, rules(settings, env), seen.limit, seen.client, is_paid, tuple(attempts),
        seen.lacking,
    )  # fmt: skip
    return Found(entry, place, settings, seen.kept)


def _off(settings: Mapping[str, Value], env: Mapping[str, str]) -> str:
    if env.get("ORCHESTRATOR_DISABLED") == "1":
        return "ORCHESTRATOR_DISABLED=1"
    for key in ("enabled", "rollout.enabled", "resume.enabled"):
        if not settings[key]:
            return f"{key} is false"
    return "an agent that was started here asks" if command.depth(env) > 0 else ""


def _going(row: Row, found: Found, env: Mapping[str, str]) -> Going:
    """It ends before the next quiet hours begin."""
    now = time.time()
    kept = found.kept
    quiet_at = resuming_quiet.begins(found.watched.rules.quiet, now, None)
    total_s = float(found.settings["run.timeout_s"])
    return Going(
        found.place,
        env,
        found.settings,
        row.session,
        kept.client_session if kept else row.session,
        kept.cwd if kept else row.root,
        total_s if quiet_at is None else max(min(total_s, quiet_at - now), 1.0),
        row.left_points,
        row.left_usd,
    )


def _record(place: Place, row: Row, verb: str, payload: dict[str, object]) -> None:
    """In the log of the session. A disk that takes nothing costs the record, not the session."""
    entity = ("session", row.session)
    event = journal.event(place, f"orchestration.resume.{verb}", row.session, None, entity, payload, time.time(), ACTOR)
    with suppress(OSError):
        journal.record(place, event)
