"""DBOS, and all that is known of it here: it records each step's result once, and begins again what was in flight.

The interpreter's order of steps is what `runs.ENGINE` names: who changes that order changes the name, and runs of the
old one are stranded rather than misread.
"""

import asyncio
import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

from dbos import DBOS, DBOSConfig, SetWorkflowID

from orchestrate.workflow import runs
from orchestrate.workflow.flow import Body, Flow
from orchestrate.workflow.heartbeat import Alone
from orchestrate.workflow.runs import Header
from orchestrate.workflow.sharing import WAITING, Sharing
from orchestrate.workflow.spec import Workflow
from orchestrate.workflow.world import World
from state import files

NAME = "orchestrate"
FILE = "engine.db"
OPEN = ["PENDING", "ENQUEUED", "DELAYED"]
_THREADS = 128
_RECORDERS = 32
_BEGINS_WITHIN_S = 10.0
_NEVER_S = 3600.0


class Engine:
    """One of them in a process, as DBOS is one."""

    def __init__(
        self, user: str, url: str, executor: str, world: Callable[[], World], broken: Callable[[str], None]
    ) -> None:
        self.executor = executor
        self.sharing = Sharing(executor) if url else None
        self.flows: dict[str, Flow] = {}
        self._world = world
        self._broken = broken
        self._pool = ThreadPoolExecutor(_THREADS, "step")
        self._is_ending = False
        self._due: dict[str, float] = {}  # asked for lately, and not begun yet
        self._dbos = DBOS(config=_config(user, url, executor))
        if self.sharing:
            self.sharing.prepare(self._dbos)

        async def durable(told: dict[str, Any]) -> dict[str, Any]:  # Any: what JSON holds
            return await self._run(told)

        # However often runners die, a run is taken up again.
        self._durable = DBOS.workflow(name="run", max_recovery_attempts=None)(durable)

    def launch(self) -> None:
        """From here on what was in flight when the last runner of this machine ended goes on."""
        DBOS.launch()
        # It looks every second for runs that were delayed or have a time limit of its own: here none has.
        self._dbos._background_jobs_stop_event.set()  # of the version that is pinned
        if self.sharing:
            self.sharing.begin()

    def start(self, header: Header, workflow: Workflow) -> None:
        """Once, however often it is asked for."""
        _drop_earlier(header)
        self._due[header.durable_id] = time.monotonic()
        with SetWorkflowID(header.durable_id):
            DBOS.start_workflow(self._durable, _told(header, workflow))

    def is_over(self, header: Header) -> bool:
        """Whether it would not be begun again, whatever its record says."""
        found = DBOS.list_workflows(workflow_ids=[header.durable_id], load_input=False, load_output=False)
        return any(one.status not in OPEN for one in found)

    def leave(self, header: Header, workflow: Workflow) -> None:
        """To whichever machine has room first."""
        _drop_earlier(header)
        with SetWorkflowID(header.durable_id):
            DBOS.enqueue_workflow(WAITING, self._durable, _told(header, workflow))

    def claim(self, room: int, alone: Alone) -> None:
        """Of what waits for a machine, while no other one looks."""
        sharing = self.sharing

        def claim() -> None:
            for name in sharing.claim(room) if sharing else ():
                self._due[name] = time.monotonic()

        if sharing and room > 0 and sharing.has_waiting():
            alone(claim)

    def busy(self) -> int:
        """Runs that go on here, or are about to."""
        since = time.monotonic() - _BEGINS_WITHIN_S
        self._due = {name: at for name, at in self._due.items() if at > since}
        return len(self.flows) + len(self._due)

    def pending(self) -> int:
        """Runs that this machine has to do with."""
        if self.sharing:
            return self.sharing.pending()
        return len(DBOS.list_workflows(status=OPEN, app_version=runs.ENGINE, load_input=False, load_output=False))

    def stranded(self) -> list[str]:
        """Runs that wait for another version of the interpreter, which will not come."""
        found = DBOS.list_workflows(status=OPEN, load_input=False, load_output=False)
        return [one.workflow_id.rpartition(".")[0] for one in found if one.app_version != runs.ENGINE]

    def take_over(self, executor: str) -> list[str]:
        """What a machine that is gone had in flight goes on here, or wherever there is room."""
        return self.sharing.take_over(executor) if self.sharing else []

    def end(self, within_s: float, in_haste: bool = False) -> None:
        """What works is taken down without a trace, and begun again by the next runner. In haste: killed."""
        self._is_ending = True
        for flow in list(self.flows.values()):
            flow.is_ending = True
            flow.stop("the runner ends", in_haste)
        ending = threading.Thread(target=self._pool.shutdown, name="end", daemon=True)
        ending.start()
        ending.join(within_s)

    async def _run(self, told: dict[str, Any]) -> dict[str, Any]:  # Any: what JSON holds
        header = runs.read(told["state"], told["run"])
        if header is None:
            return {"status": "gone", "detail": f"{told['run']}: its folder is not on this machine"}
        if header.durable_id != DBOS.workflow_id:  # it was over, and killed before the engine knew
            return {"status": "gone", "detail": f"{told['run']}: generation {header.generation} has followed"}
        flow = Flow(header, Workflow.from_dict(told["workflow"]), self._world(), self._pool)
        self.flows[header.run] = flow
        self._due.pop(header.durable_id, None)
        try:
            if self._is_ending:  # its own thread has taken down all that there were before
                await asyncio.Event().wait()
            return await flow.run(_durably)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self._broken(f"{header.run}: {type(error).__name__}: {error}")
            raise
        finally:
            self.flows.pop(header.run, None)


async def _durably(name: str, body: Body) -> dict[str, Any]:  # Any: what JSON holds
    done: dict[str, Any] = await DBOS.run_step_async({"name": name}, body)  # Any: as above
    return done


def _drop_earlier(header: Header) -> None:
    """A generation that this one follows is not taken up again: of another version it would be stranded forever."""
    if header.generation > 1:
        found = DBOS.list_workflows(
            status=OPEN, workflow_id_prefix=f"{header.run}.", load_input=False, load_output=False
        )
        for one in found:
            if one.workflow_id != header.durable_id:
                DBOS.cancel_workflow(one.workflow_id)


def _told(header: Header, workflow: Workflow) -> dict[str, Any]:  # Any: what JSON holds
    return {"state": header.state, "run": header.run, "workflow": workflow.as_dict()}


def _config(user: str, url: str, executor: str) -> DBOSConfig:
    if not url:
        path = f"{user}/{FILE}"
        _write_ahead(path)
        url = f"sqlite:///{path}"
    logging.getLogger("dbos").setLevel(logging.WARNING)
    return {
        "name": NAME,
        "system_database_url": url,
        "application_version": runs.ENGINE,
        "executor_id": executor,
        "max_executor_threads": _RECORDERS,  # else it starts one for each step that ends, and keeps them
        "log_level": "WARNING",
        "enable_otlp": False,
        # No run here waits for a message or an event of another: nothing is listened for.
        "use_listen_notify": False,
        "notification_listener_polling_interval_sec": _NEVER_S,
        "scheduler_polling_interval_sec": _NEVER_S,
    }


def _write_ahead(path: str) -> None:
    """DBOS leaves the journal's mode as it is; a file that was set keeps it."""
    files.folder(str(Path(path).parent))
    with closing(sqlite3.connect(path, timeout=30)) as db:
        db.execute("PRAGMA journal_mode=WAL")
    Path(path).chmod(0o600)
