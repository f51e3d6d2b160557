"""Runs on a database that several machines share: those that wait for a machine, and those that one has to itself.

A run is begun where it was asked for while there is room, else it waits for all. Whoever takes it up has its folder:
what is not on this machine is left to the others. The engine's own queue is nobody's: it hands a run to any machine.
"""

import time
from typing import Any

from dbos import DBOS
from dbos import WorkflowStatus as Run

from orchestrate.workflow import runs

WAITING = "waiting"
POLL_S = 2.0
_NEVER_S = 3600.0
_ADOPTED_WITHIN_S = 10.0
_QUEUED, _BEGUN = "ENQUEUED", "PENDING"


class Sharing:
    """All but the first two want the engine launched."""

    def __init__(self, executor: str) -> None:
        self._executor = executor
        self._own = _own(executor)
        self._engines = ""

    def prepare(self, dbos: DBOS) -> None:
        """Nothing comes by the engine's own queue here. It has no setting for that."""
        dbos.listen_queues([self._own])
        queue = dbos._registry.get_internal_queue()  # of the version that is pinned
        queue._polling_interval_sec = _NEVER_S
        self._engines = queue.name

    def begin(self) -> None:
        """What an earlier life of this machine had in flight goes on: the engine has put it into its own queue."""
        DBOS.register_queue(WAITING, polling_interval_sec=_NEVER_S, on_conflict="always_update")
        DBOS.register_queue(self._own, polling_interval_sec=POLL_S, on_conflict="always_update")
        deadline = time.monotonic() + _ADOPTED_WITHIN_S
        while found := [one for one in self._mine() if one.queue_name not in (self._own, WAITING)]:
            for one in found:
                if one.status == _QUEUED:
                    DBOS.resume_workflow(one.workflow_id, queue_name=self._own)
            if time.monotonic() >= deadline:
                raise TimeoutError(f"{found[0].workflow_id}: the engine does not take it up")
            time.sleep(0.02)

    def has_waiting(self) -> bool:
        return bool(_listed(status=_QUEUED, queue_name=WAITING, limit=1))

    def claim(self, room: int) -> list[str]:
        """Of what waits for a machine, as much as there is room for, the oldest first. One machine at a time may."""
        waiting = _listed(status=_QUEUED, queue_name=WAITING, load_input=True)
        claimed = [one.workflow_id for one in waiting if is_here(one)][:room]
        for name in claimed:
            DBOS.resume_workflow(name, queue_name=self._own)
        return claimed

    def take_over(self, executor: str) -> list[str]:
        """What a machine that is gone had in flight, or had to itself, waits for the others."""
        found = [
            *_listed(status=_BEGUN, executor_id=executor),
            *_listed(status=_QUEUED, queue_name=_own(executor)),
            *_listed(status=_QUEUED, queue_name=self._engines, executor_id=executor),
        ]
        for one in found:
            DBOS.resume_workflow(one.workflow_id, queue_name=WAITING)
        return [one.workflow_id for one in found]

    def pending(self) -> int:
        """Open runs whose folder is here, also those of others: should one of those die, somebody has to be there."""
        return sum(is_here(one) for one in _listed(status=[_BEGUN, _QUEUED], load_input=True))

    def _mine(self) -> list[Run]:
        return _listed(status=[_BEGUN, _QUEUED], executor_id=self._executor)


def is_here(one: Run) -> bool:
    told = one.input["args"][0] if one.input else {}
    return runs.read(told.get("state", ""), told.get("run", "")) is not None


def _own(executor: str) -> str:
    return f"machine {executor}"


def _listed(**chosen: Any) -> list[Run]:  # noqa: ANN401  as the engine takes them
    return DBOS.list_workflows(**{"load_input": False, **chosen}, app_version=runs.ENGINE, load_output=False)
