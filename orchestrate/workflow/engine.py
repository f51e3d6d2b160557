"""DBOS, and all that is known of it here: it records each step's result once, and begins again what was in flight.

The interpreter's order of steps is what `runs.ENGINE` names: who changes that order changes the name, and runs of the
old one are stranded rather than misread.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

from dbos import DBOS, DBOSConfig, SetWorkflowID

from orchestrate.workflow import runs
from orchestrate.workflow.flow import Body, Flow
from orchestrate.workflow.runs import Header
from orchestrate.workflow.spec import Workflow
from orchestrate.workflow.world import World
from state import files

NAME = "orchestrate"
FILE = "engine.db"
OPEN = ["PENDING", "ENQUEUED", "DELAYED"]
_THREADS = 128
_NEVER_S = 3600.0


class Engine:
    """One of them in a process, as DBOS is one."""

    def __init__(
        self, user: str, url: str, executor: str, world: Callable[[], World], broken: Callable[[str], None]
    ) -> None:
        self.executor = executor
        self.is_shared = bool(url)
        self.flows: dict[str, Flow] = {}
        self._world = world
        self._broken = broken
        self._pool = ThreadPoolExecutor(_THREADS, "step")
        DBOS(config=_config(user, url, executor))

        async def durable(told: dict[str, Any]) -> dict[str, Any]:  # Any: what JSON holds
            return await self._run(told)

        self._durable = DBOS.workflow(name="run")(durable)

    def launch(self) -> None:
        """From here on what was in flight when the last runner of this machine ended goes on."""
        DBOS.launch()

    def start(self, header: Header, workflow: Workflow) -> None:
        """Once, however often it is asked for."""
        told = {"state": header.state, "run": header.run, "workflow": workflow.as_dict()}
        with SetWorkflowID(header.durable_id):
            DBOS.start_workflow(self._durable, told)

    def drop(self, header: Header) -> None:
        """A generation that another one follows."""
        DBOS.cancel_workflow(header.durable_id)

    def pending(self) -> int:
        """Runs that this machine has to do with."""
        executor = None if not self.is_shared else self.executor
        return len(
            DBOS.list_workflows(
                status=OPEN, app_version=runs.ENGINE, executor_id=executor, load_input=False, load_output=False
            )
        )

    def stranded(self) -> list[str]:
        """Runs that wait for another version of the interpreter, which will not come."""
        found = DBOS.list_workflows(status=OPEN, load_input=False, load_output=False)
        return [one.workflow_id for one in found if one.app_version != runs.ENGINE]

    def take_over(self, executor: str) -> list[str]:
        """What a machine that is gone had in flight goes on here, or wherever there is room."""
        found = DBOS.list_workflows(
            status="PENDING", executor_id=executor, app_version=runs.ENGINE, load_input=False, load_output=False
        )
        for one in found:
            DBOS.resume_workflow(one.workflow_id)
        return [one.workflow_id for one in found]

    def end(self) -> None:
        """What works is taken down without a trace, and begun again by the next runner."""
        for flow in list(self.flows.values()):
            flow.is_ending = True
            flow.stop("the runner ends")
        self._pool.shutdown(wait=True)

    async def _run(self, told: dict[str, Any]) -> dict[str, Any]:  # Any: what JSON holds
        header = runs.read(told["state"], told["run"])
        if header is None:
            return {"status": "gone", "detail": f"{told['run']}: its folder is not on this machine"}
        flow = Flow(header, Workflow.from_dict(told["workflow"]), self._world(), self._pool)
        self.flows[header.run] = flow
        try:
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
