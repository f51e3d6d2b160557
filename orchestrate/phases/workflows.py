"""The workflow of a project: its own, or the template that is shipped. What was parsed is kept until that changes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from orchestrate import __version__
from orchestrate.phases.workflow import Phase, Validation, Workflow
from state import files, snapshot
from state.errors import UserError
from state.paths import Place
from state.snapshot import WORKFLOWS

TEMPLATE = Path(__file__).with_name(WORKFLOWS[0])


def load(place: Place) -> Workflow:
    path = next((path for path in own(place) if Path(path).exists()), str(TEMPLATE))
    stamp = [__version__, *snapshot.stamp(path)]  # before it is read: a change meanwhile is seen the next time
    return _kept(place, path, stamp) or _parsed(place, path, stamp)


def own(place: Place) -> list[str]:
    """Where the project's own may lie."""
    return [f"{place.state}/{name}" for name in WORKFLOWS]


def _parsed(place: Place, path: str, stamp: list[object]) -> Workflow:
    from orchestrate.phases import workflow_file  # noqa: PLC0415  start-up cost: yaml

    raw = files.read(path)
    if raw is None:
        raise UserError(f"{path}: was there just now: try again")
    workflow = workflow_file.parse(path, raw)
    rows = [{**phase._asdict(), "validation": phase.validation._asdict()} for phase in workflow.phases]
    files.replace(_cache(place), orjson.dumps({"stamp": stamp, "phases": rows, "variants": workflow.variants}))
    return workflow


def _kept(place: Place, path: str, stamp: list[object]) -> Workflow | None:
    """None where the file has changed since, or another version has parsed it."""
    try:
        kept = orjson.loads(files.read(_cache(place)) or b"{}")
        if kept["stamp"] != stamp:
            return None
        return Workflow(path, [_phase(row) for row in kept["phases"]], kept["variants"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None


def _phase(row: Mapping[str, Any]) -> Phase:  # Any: as it was parsed
    return Phase(**{**row, "validation": Validation(**row["validation"])})


def _cache(place: Place) -> str:
    """In the user's own folder, as the settings: a repository cannot bring one along."""
    return snapshot.file(place)[: -len("json")] + "workflow.json"
