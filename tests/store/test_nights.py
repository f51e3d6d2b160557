"""Jobs for the night in the store, the same on every engine."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from state.errors import FAILED, NOT_FOUND, REFUSED, UserError
from state.paths import Place, locate
from state.store import open_store, open_user_store
from state.store.night_records import ENDED, STATUSES, New
from state.store.records import Event

NOW = 1_795_000_000.0
EVIL = ["'; DROP TABLE night_jobs; --", "%s %(x)s :name ? $1", "a\0b", "half \ud800", "\x1b[2J", "🐛" * 500, "\\"]


@dataclass
class Told:
    """What was told, in its order."""

    verbs: list

    def __call__(self, changes):
        self.verbs += [f"{change.verb} {change.job.code} {change.job.status}" for change in changes]
        return [self._event(f"e{len(self.verbs)}-{nth}", change) for nth, change in enumerate(changes)]

    def _event(self, key, change):
        kind, details = f"orchestration.overnight.{change.verb}", orjson.dumps(change.details).decode()
        return Event(key, "2026-11-21T10:00:00.000Z", kind, "-", None, "user", "night_job", change.job.id, details)


@pytest.fixture
def told():
    return Told([])


@pytest.fixture
def nights(store):
    return store.nights


def added(nights, told, *new, now=NOW):
    return nights.add([one if isinstance(one, New) else New(one, "/p") for one in new], now, told)


def refused(call, *arguments, **named):
    with pytest.raises(UserError) as caught:
        call(*arguments, **named)
    return caught.value.code, str(caught.value)


def nobody(_owner):
    return False


def test_a_job_is_kept_whole(nights, told):
    (first,) = added(nights, told, "before")
    checks = (("ruff", "check", "."), ("pytest", "-q", "a b"))
    new = New("lint", "/p", "P1", 3.5, 6.0, 40.0, ("J-1",), NOW + 5, NOW + 9, checks, "lint-agent", "haiku")
    (job,) = added(nights, told, new)
    assert job == nights.one("J-2") == nights.one(job.id)
    assert New(*(getattr(job, name) for name in New._fields)) == new._replace(depends=(first.id,))
    assert (job.code, job.status, job.attempts, job.fence, job.added_at) == ("J-2", "queued", 0, 0, NOW)
    assert nights.jobs() == [first, job]
    assert told.verbs == ["added J-1 queued", "added J-2 queued"]


@pytest.mark.parametrize("text", EVIL)
def test_any_text_comes_back(nights, told, text):
    kept = text.replace("\0", "\ufffd").replace("\ud800", "\ufffd")
    (job,) = added(nights, told, New(text, text, checks=((text,),)))
    found = nights.one(job.id)
    assert (found.text, found.project, found.checks) == (kept, kept, ((kept,),))


def test_a_claim_is_a_fence_that_grows(nights, told):
    (job,) = added(nights, told, "a")
    assert nights.claim(job.id, "one", 60, NOW + 1, told) == 1
    assert nights.claim(job.id, "two", 60, NOW + 1, told) is None
    held = nights.one(job.id)
    assert (held.status, held.owner, held.attempts, held.started_at, held.expires_at) == (
        "running", "one", 1, NOW + 1, NOW + 61,
    )  # fmt: skip
    nights.requeue(job.id, 1, "the night is over", NOW + 2, told, is_counted=False, points=2.5)
    assert nights.claim(job.id, "two", 60, NOW + 3, told) == 2
    assert nights.one(job.id).attempts == 1
    ended = nights.finish(job.id, 2, "shipped", None, NOW + 4, told, 4.0)
    assert (ended.status, ended.points_used, ended.owner, ended.ended_at) == ("shipped", 6.5, None, NOW + 4)
    assert told.verbs == [
        "added J-1 queued", "claimed J-1 running", "requeued J-1 queued", "claimed J-1 running", "finished J-1 shipped",
    ]  # fmt: skip


def test_a_late_owner_changes_nothing(nights, told):
    (job,) = added(nights, told, "a")
    nights.claim(job.id, "one", 60, NOW, told)
    nights.requeue_lost(NOW + 61, nobody, 3, told)
    nights.claim(job.id, "two", 60, NOW + 62, told)
    before = nights.one(job.id)
    late = (REFUSED, "J-1: is running, and fence 1 of 2 holds it no more")
    assert refused(nights.finish, job.id, 1, "shipped", None, NOW + 63, told) == late
    assert refused(nights.requeue, job.id, 1, "late", NOW + 63, told) == late
    assert not nights.renew(job.id, 1, 60, NOW + 63)
    assert not nights.note(job.id, 1, branch="b")
    assert nights.one(job.id) == before


def test_who_has_lost_a_job_that_nobody_took_yet_changes_nothing(nights, told):
    (job,) = added(nights, told, "a")
    nights.claim(job.id, "one", 60, NOW, told)
    nights.requeue_lost(NOW + 61, nobody, 3, told)
    assert refused(nights.finish, job.id, 1, "shipped", None, NOW + 63, told) == (
        REFUSED, "J-1: is queued, and fence 1 of 1 holds it no more",
    )  # fmt: skip
    assert not nights.renew(job.id, 1, 60, NOW + 63)


def test_a_heartbeat_prolongs_and_a_note_keeps_what_it_does_not_name(nights, told):
    (job,) = added(nights, told, "a")
    fence = nights.claim(job.id, "one", 60, NOW, told)
    assert nights.note(job.id, fence, branch="night/J-1", worktree="/w")
    assert nights.note(job.id, fence, session="s", run="r")
    assert nights.renew(job.id, fence, 60, NOW + 50)
    found = nights.one(job.id)
    assert (found.branch, found.worktree, found.session, found.run) == ("night/J-1", "/w", "s", "r")
    assert (found.renewed_at, found.expires_at) == (NOW + 50, NOW + 110)
    assert nights.lost(NOW + 100, nobody) == []


@pytest.mark.parametrize(
    ("at", "is_dead", "lost"),
    [
        (NOW + 59, nobody, []),
        (NOW + 60, nobody, ["J-1"]),
        (NOW + 1, lambda owner: owner == "one", ["J-1"]),
        (NOW + 1, lambda owner: owner == "two", []),
    ],
)
def test_what_nobody_runs_any_more_is_lost(nights, told, at, is_dead, lost):
    (job, _) = added(nights, told, "a", "b")
    nights.claim(job.id, "one", 60, NOW, told)
    assert [job.code for job in nights.lost(at, is_dead)] == lost
    assert [job.code for job in nights.requeue_lost(at, is_dead, 3, told)] == lost
    assert nights.lost(at, is_dead) == []
    assert nights.one(job.id).status == ("queued" if lost else "running")


def test_a_job_that_kills_its_runners_fails(nights, told):
    (job,) = added(nights, told, "a")
    for turn in (1, 2):
        nights.claim(job.id, "one", 60, NOW, told)
        (back,) = nights.requeue_lost(NOW + 60, nobody, 2, told)
        assert back.status == ("queued" if turn == 1 else "failed")
    assert nights.one(job.id).why == "its runner was gone, and that was attempt 2 of 2"


def test_a_pause_keeps_a_job_from_its_next_attempt(nights, told):
    (job,) = added(nights, told, "a")
    fence = nights.claim(job.id, "one", 60, NOW, told)
    nights.requeue(job.id, fence, "rate limited", NOW, told, not_before=NOW + 600)
    assert nights.claim(job.id, "one", 60, NOW + 599, told) is None
    assert nights.claim(job.id, "one", 60, NOW + 600, told) == 2


@pytest.mark.parametrize(("end", "begins"), [(end, end in ("shipped", "unverified")) for end in ENDED])
def test_a_job_waits_for_what_it_depends_on(nights, told, end, begins):
    (first,) = added(nights, told, "a")
    (second,) = added(nights, told, New("b", "/p", depends=(first.id,)))
    assert nights.claim(second.id, "one", 60, NOW, told) is None
    fence = nights.claim(first.id, "one", 60, NOW, told)
    assert nights.claim(second.id, "one", 60, NOW, told) is None
    nights.finish(first.id, fence, end, "so", NOW, told)
    assert (nights.claim(second.id, "one", 60, NOW, told) is not None) == begins


def test_a_job_that_could_never_begin_is_not_added(nights, told):
    (job,) = added(nights, told, "a")
    nights.cancel(job.id, None, NOW, told)
    assert refused(added, nights, told, "fine", New("b", "/p", depends=("J-1",))) == (
        FAILED, "J-1: is cancelled: what depends on it would never begin",
    )  # fmt: skip
    assert refused(added, nights, told, New("b", "/p", depends=("J-7",)))[0] == NOT_FOUND
    assert [job.code for job in nights.jobs()] == ["J-1"]


def test_cancelling_takes_a_running_job_from_its_owner(nights, told):
    (job,) = added(nights, told, "a")
    fence = nights.claim(job.id, "one", 60, NOW, told)
    assert nights.cancel("J-1", "changed my mind", NOW + 1, told).status == "cancelled"
    assert not nights.renew(job.id, fence, 60, NOW + 2)
    assert refused(nights.finish, job.id, fence, "shipped", None, NOW + 2, told)[0] == REFUSED
    assert refused(nights.cancel, "J-1", None, NOW + 2, told) == (
        REFUSED, "J-1: is cancelled already: nothing to cancel",
    )  # fmt: skip


def test_what_is_told_is_in_the_same_transaction(store, told):
    def fails(_changes):
        raise RuntimeError

    (job,) = added(store.nights, told, "a")
    with pytest.raises(RuntimeError):
        store.nights.claim(job.id, "one", 60, NOW, fails)
    assert store.nights.one(job.id) == job
    assert [event.type for _, event in store.sinks.after(0, 10)] == ["orchestration.overnight.added"]


def test_an_end_is_one_of_those_that_there_are(nights, told):
    (job,) = added(nights, told, "a")
    fence = nights.claim(job.id, "one", 60, NOW, told)
    for status in set(STATUSES) - set(ENDED):
        with pytest.raises(ValueError, match="is no end of a job"):
            nights.finish(job.id, fence, status, None, NOW, told)


@pytest.mark.parametrize(
    ("column", "value", "complaint"),
    [
        ("attempts", "'x'", "night_jobs: 'x' stands where a number belongs"),
        ("value", "'x'", "night_jobs: J-1: value is no number"),
        ("expires_at", "'soon'", "night_jobs: J-1: expires_at is no number"),
        ("checks", "'['", "night_jobs: J-1: checks is not as it was written"),
    ],
)
def test_a_row_changed_by_hand_is_one_line(place, told, column, value, complaint):
    with open_store(place) as store:
        added(store.nights, told, "a")
        with sqlite3.connect(store.where) as db:
            db.execute(f"UPDATE night_jobs SET {column} = {value}")
        code, said = refused(store.nights.jobs)
    assert (code, complaint in said, "changed by hand" in said) == (FAILED, True, True)


def test_the_users_store_needs_no_init_and_is_one_for_all_projects(tmp_path, home, told):
    for name in ("one", "two"):
        (tmp_path / name / ".git").mkdir(parents=True)
        with open_user_store(locate(str(tmp_path / name), {"HOME": str(home)})) as store:
            added(store.nights, told, New(name, str(tmp_path / name)))
            assert store.where == f"{home}/.orchestrator/store.db"
    assert [job.text for job in store_of(home).nights.jobs()] == ["one", "two"]
    assert [path.name for path in sorted(Path(home, ".orchestrator").iterdir())][:1] == ["store.db"]
    assert Path(home, ".orchestrator", "store.db").stat().st_mode & 0o777 == 0o600


def store_of(home):
    return open_user_store(locate(str(home), {"HOME": str(home)}))


def test_the_users_store_stays_on_this_machine_whatever_store_url_says(place, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_STORE__URL", "postgresql://nobody@127.0.0.1:1/x")
    with open_user_store(place) as store:
        assert store.nights.jobs() == []


def test_without_a_home_there_is_no_users_store():
    assert refused(open_user_store, Place("/p", "p", "/p/.orchestrator", None, True)) == (
        FAILED, "no writable home folder to keep jobs for the night in: set HOME to one",
    )  # fmt: skip
