"""What the commands on tasks and their sessions work with, opened and closed."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from orchestrate.commands import here
from orchestrate.phases import workflows
from orchestrate.phases.desk import Desk
from state.store import open_store


@contextmanager
def opened(project_root: str | None) -> Iterator[Desk]:
    place = here.place(project_root)
    values = here.settled(place).values
    workflow = workflows.load(place)
    client = os.environ.get("ORCHESTRATOR_SESSION") or os.environ.get("CLAUDE_CODE_SESSION_ID")
    with open_store(place) as store:
        yield Desk(
            place,
            store,
            workflow,
            values,
            here.teller(place),
            time.time(),
            lambda line: here.tell(here.clean(line)),
            here.working_directory(),
            client,
        )
