"""Events that a command tells: by whom, in whose session, and all that one call tells under one correlation."""

import json
import os
import time
from typing import NamedTuple

import orjson

from state import redact
from state.journal import stamp
from state.store.records import Event


class Teller(NamedTuple):
    actor: str  # user, agent, or the name that somebody gave
    session: str  # "-" where none is known
    correlation: str

    def event(
        self,
        kind: str,
        entity: tuple[str, str],
        payload: dict[str, object],
        task: str | None = None,
        session: str | None = None,
    ) -> Event:
        """`kind` is kept as it is: `orchestration.task.created`, or a name of the user's own. Secrets are redacted."""
        now = time.time()
        body = _json(redact.redact_value(payload))
        key = f"{int(now * 1000):012x}{os.urandom(8).hex()}"
        return Event(
            key, stamp(now), kind, session or self.session, None, self.actor, *entity, body, task, self.correlation
        )


def _json(value: object) -> str:
    try:
        return orjson.dumps(value, default=str).decode()
    except orjson.JSONEncodeError:  # a name of a file that is no UTF-8: what is wrong in it becomes `?`
        return json.dumps(value, default=str, ensure_ascii=False).encode("utf-8", "replace").decode()
