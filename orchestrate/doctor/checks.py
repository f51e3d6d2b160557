"""The table of checks, in the order in which they are shown."""

from collections.abc import Callable, Iterable

from orchestrate.doctor import finding, hooking, machine, models, storage
from orchestrate.doctor.finding import Finding
from orchestrate.doctor.scene import Scene
from state.errors import UserError

CHECKS: tuple[Callable[[Scene], Iterable[Finding]], ...] = (
    machine.python,
    machine.claude,
    machine.shell,
    machine.git,
    machine.not_needed,
    machine.clock,
    storage.state,
    storage.user,
    storage.disk,
    storage.config,
    storage.compiled,
    storage.trusted,
    storage.store,
    hooking.installed,
    hooking.starts,
    hooking.versions,
    hooking.foreign,
    hooking.silenced,
    hooking.managed,
    hooking.errors,
    hooking.fuses,
    models.above,
)


def run(scene: Scene) -> list[Finding]:
    return [found for check in CHECKS for found in _checked(check, scene)]


def _checked(check: Callable[[Scene], Iterable[Finding]], scene: Scene) -> list[Finding]:
    """What cannot be read is itself a finding, and the other checks go on."""
    try:
        return list(check(scene))
    except (OSError, UserError) as error:
        return [finding.fail(check.__name__, str(error), "mend that first")]
