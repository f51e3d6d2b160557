"""What the hooks cost: each handled event, and all hooks of one prompt together, against the budget."""

from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from orchestrate import bundle, payloads
from orchestrate.measure import cases
from orchestrate.measure.cases import Sandbox
from orchestrate.measure.runner import ROUNDS, WARM_UPS, Case, Series, interleaved
from state.errors import UserError

BUDGET_MS = 500
PROMPT = "UserPromptSubmit"
NO_SHELL = f"{PROMPT}, no shell"
MODULES = f"{PROMPT}, no shell, no bundle"


class Row(NamedTuple):
    name: str
    cpu_ms: float
    wall_ms: float
    wall_p95_ms: float
    floor_ratio: float  # of cpu medians


class Overhead(NamedTuple):
    """`one_prompt_ms`: the mean of the sum over the hooks of payloads.ONE_PROMPT."""

    form: str
    rounds: int
    rows: list[Row]
    one_prompt_ms: float

    @property
    def is_within_budget(self) -> bool:
        return self.one_prompt_ms < BUDGET_MS


def measure(folder: Path, rounds: int = ROUNDS, package: str | None = None) -> Overhead:
    """In a home and project of its own below `folder`; `package` as in cases.sandbox."""
    box = cases.sandbox(folder, package)
    hooks = _hooks(box)
    series = interleaved([cases.floor(box), *hooks, cases.naive(box)], rounds)
    _all_recorded(box, len(hooks) * (WARM_UPS + rounds))
    floor_ms = series[cases.FLOOR].cpu_ms
    return Overhead(
        "bundle" if bundle.is_current(box.package) else "modules",
        rounds,
        [_row(name, found, floor_ms) for name, found in series.items()],
        _one_prompt(series),
    )


def _hooks(box: Sandbox) -> list[Case]:
    prompt = cases.hook(box, PROMPT)
    return [
        *(cases.by_shell(cases.hook(box, name), box) for name in payloads.NAMES),
        prompt._replace(name=NO_SHELL),
        cases.by_modules(prompt, box)._replace(name=MODULES),
    ]


def _all_recorded(box: Sandbox, calls: int) -> None:
    """A hook that fails does so quickly and in silence; its time would be worth nothing."""
    records = box.records()
    if records != calls:
        raise UserError(
            f"{box.package}: {calls} hook calls left {records} records: find out why with `orchestrate hooks test`"
        )


def _row(name: str, found: Series, floor_ms: float) -> Row:
    return Row(
        name,
        round(found.cpu_ms, 2),
        round(found.wall_ms, 2),
        round(found.wall_p95_ms, 2),
        round(found.cpu_ms / floor_ms, 3),
    )


def _one_prompt(series: dict[str, Series]) -> float:
    called = [series[name].samples for name in payloads.ONE_PROMPT]
    return fmean(sum(sample.wall_ms for sample in turn) for turn in zip(*called, strict=True))
