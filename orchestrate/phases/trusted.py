"""Whether the programs that a workflow names may be run."""

from orchestrate.phases import workflow_file
from orchestrate.phases.workflow import Phase, Workflow
from state import files, settings, trust
from state.errors import REFUSED, UserError
from state.paths import Place


def require(place: Place, workflow: Workflow, phase: Phase) -> None:
    """A repository's own file waits for its user's word; what counts is what the file says now."""
    program = phase.validation.check_tests_passed
    shown = " ".join(program)
    now = workflow_file.parse(workflow.path, files.read(workflow.path) or b"")
    if now.phase(phase.name).validation.check_tests_passed != program:
        raise UserError(f"{workflow.path}: {shown}: the file was changed just now: try again")
    if trust.is_repositorys_own(place) and not trust.is_trusted(place, settings.digest(place)):
        what = f"{workflow.path}: {shown}: is not run until you trust this repository (`orchestrate trust`)"
        raise UserError(what, REFUSED)
