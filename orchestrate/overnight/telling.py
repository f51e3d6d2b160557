"""What happens to jobs, as events in the user's store: `orchestration.overnight.<verb>` of the entity `night_job`."""

from collections.abc import Sequence

from state.store.night_records import Change, Job
from state.store.records import Event
from state.telling import Teller

ENTITY = "night_job"


class Telling:
    """Given to the verbs of the store as `tell`. The ids of what it told last are in `told`."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self.told: list[Event] = []

    def __call__(self, changes: Sequence[Change]) -> list[Event]:
        self.told = [self._event(change) for change in changes]
        return self.told

    def _event(self, change: Change) -> Event:
        job = change.job
        payload = {"code": job.code, "project": job.project, **change.details}
        if change.verb == "added":
            payload |= described(job)
        return self._teller.event(f"orchestration.overnight.{change.verb}", (ENTITY, job.id), payload)


def described(job: Job) -> dict[str, object]:
    """What it is, whatever became of it."""
    return {
        "id": job.id,
        "code": job.code,
        "text": job.text,
        "project": job.project,
        "priority": job.priority,
        "value": job.value,
        "quota_points": job.quota_points,
        "minutes": job.minutes,
        "depends": list(job.depends),
        "not_before": job.not_before,
        "deadline": job.deadline,
        "checks": [list(command) for command in job.checks],
        "agent": job.agent,
        "tier": job.tier,
    }
