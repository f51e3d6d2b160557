"""Jobs, readings and nights as tests make them up."""

from datetime import UTC, datetime, time

from orchestrate.overnight.limits import Limits
from orchestrate.overnight.window import FIVE_HOUR, SEVEN_DAY, Night, Reading
from state.store.night_records import Job

HOUR = 3600.0
NIGHT = Night(time(23, 0), time(6, 0), UTC)


def at(hour, minute=0, day=21):
    """Of November 2026, UTC; hours beyond 23 are of the next day."""
    return datetime(2026, 11, day, tzinfo=UTC).timestamp() + hour * HOUR + minute * 60


EVENING = at(23)
SPAN = NIGHT.span(EVENING)
LIMITS = Limits(floor_percent=10, weekly_pace=False)


def job(number, **fields):
    base = {
        "id": f"id{number}", "number": number, "code": f"J-{number}", "text": f"job {number}", "project": "/p",
        "priority": "P2", "value": 1.0, "quota_points": 4.0, "minutes": 20.0, "depends": (), "not_before": None,
        "deadline": None, "checks": (), "agent": None, "tier": None, "status": "queued", "attempts": 0, "why": None,
        "branch": None, "worktree": None, "session": None, "run": None, "points_used": None, "fence": 0, "owner": None,
        "renewed_at": None, "expires_at": None, "added_at": at(12), "started_at": None, "ended_at": None,
    }  # fmt: skip
    return Job(**{**base, **fields})


RESET = at(25)
WEEKS_RESET = at(24 * 3)


def five(used, resets_at=RESET, age_s=0.0, error=1.0):
    return Reading(FIVE_HOUR, used, 100.0, resets_at, age_s, error)


def week(used, resets_at=WEEKS_RESET, age_s=0.0, error=1.0):
    return Reading(SEVEN_DAY, used, 100.0, resets_at, age_s, error)
