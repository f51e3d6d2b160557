"""Workflows run in the test's own process, without an engine: what is not durable can be looked at from within."""

import asyncio
import os
import select
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from orchestrate.workflow import launching, loading, progress, runs, values
from orchestrate.workflow.flow import Flow
from orchestrate.workflow.world import World

AGENTS = Path(__file__).resolve().parents[1] / "agents" / "fakes"


class Desk:
    """`fake` says what the client does, a word an attempt, the last one for all that follow."""

    def __init__(self, flows, folder, fake="ok", **env):
        folder.mkdir()
        self.flows = flows
        self.folder = folder
        self.place = flows.place
        self.env = {
            **os.environ,
            "PATH": f"{AGENTS}:{os.environ['PATH']}",
            "FAKE": fake,
            "FAKE_DIR": str(folder),
            "ORCHESTRATOR_RUN__BACKOFF_S": "0.01",
            **env,
        }

    def begin(self, text, **told):
        path = self.flows.put("own.yaml", text, user=True)
        workflow = loading.load(path, self.place)
        return launching.begin(self.place, workflow, values.given(workflow, told), self.env)

    def run(self, header, during=lambda flow, end: None, world=World, durably=None):
        """The header when it is over. `during` is called while it works, in a thread of its own, with the flow and with
        a call that cancels its task."""
        return asyncio.run(self._run(header, during, world(self.env, 8), durably or at_once))

    async def _run(self, header, during, world, durably):
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(32) as pool:
            flow = Flow(header, runs.workflow(header), world, pool)
            working = asyncio.create_task(flow.run(durably))
            beside = loop.run_in_executor(pool, during, flow, lambda: loop.call_soon_threadsafe(working.cancel))
            await asyncio.wait([working])
            await beside
            if not working.cancelled():
                working.result()
        return runs.read(header.state, header.run)

    def again(self, header, **asked):
        return self.run(launching.again(header, self.env, **asked))

    def done(self, text, **told):
        return self.run(self.begin(text, **told))

    def rows(self, header):
        return progress.board(header).rows

    def statuses(self, header):
        return {name: row.status for name, row in self.rows(header).items()}

    def calls(self):
        """The word that the client heard at each attempt, and the model it was asked for."""
        path = self.folder / "calls"
        return [tuple(line.split(" ")[:2]) for line in path.read_text().splitlines()] if path.exists() else []


class Fifo:
    """What the steps of a run write into it arrives, or the test waits."""

    def __init__(self, path):
        os.mkfifo(path)
        self.path = str(path)
        self._fd = os.open(path, os.O_RDWR)

    def words(self, count):
        found = b""
        while len(found.split()) < count:
            assert select.select([self._fd], [], [], 60)[0], f"{self.path}: nobody wrote"
            found += os.read(self._fd, 4096)
        return found.decode().split()

    def close(self):
        os.close(self._fd)


async def at_once(name, body):
    return await body()
