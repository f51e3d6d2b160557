"""A workflow: the phases that a task's session goes through, and which of them a type of task takes."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from state.errors import FAILED, UserError

WHEN = ("on_start", "on_end", "on_bug_found")


class Validation(NamedTuple):
    required_fields: list[str]
    recommended_fields: list[str]
    check_plan_completeness: bool
    require_user_approval: bool
    check_tests_passed: list[str]  # a program and its arguments


class Phase(NamedTuple):
    name: str
    order: int
    goal: str
    description: str
    required: Sequence[str]
    optional: Sequence[str]
    validation: Validation
    events: Sequence[str]
    hooks: Mapping[str, Sequence[str]]
    next_step: str

    def own_events(self, ending: str) -> list[str]:
        """The names of the user's own that are told when it starts (`.start`) or ends (`.end`)."""
        return [name for name in self.events if name.endswith(ending)]


class Workflow(NamedTuple):
    path: str  # of the file it was read from
    phases: Sequence[Phase]  # in their order
    variants: Mapping[str, Sequence[str]]

    def of_type(self, kind: str | None) -> list[Phase]:
        names = self.variants.get(kind or "")
        return [phase for phase in self.phases if names is None or phase.name in names]

    def phase(self, name: str) -> Phase:
        found = next((phase for phase in self.phases if phase.name == name), None)
        if found is None:
            have = ", ".join(phase.name for phase in self.phases)
            raise UserError(f"{self.path}: no phase named {name!r} (have: {have})", FAILED)
        return found


def after(phases: Sequence[Phase], phase: Phase) -> Phase | None:
    """The next one; also of a phase that is none of them, as its order says."""
    return next((one for one in phases if one.order > phase.order), None)


def position(phases: Sequence[Phase], phase: Phase) -> str:
    """`3 of 6`; nothing for a phase that is none of them."""
    names = [one.name for one in phases]
    return f"{names.index(phase.name) + 1} of {len(names)}" if phase.name in names else ""
