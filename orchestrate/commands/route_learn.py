"""Fit the router to its user, if that is better than what is shipped."""

import time

import click

from orchestrate.commands import feedback, here
from orchestrate.learning import kept, lesson, told
from orchestrate.learning.lesson import Lesson
from state.paths import Place


@click.command()
@click.option("--dry-run", is_flag=True, help="Fit and tell, and write nothing.")
@click.option("--show", is_flag=True, help="Show the correction in force.")
@click.option("--undo", is_flag=True, help="Change places with what was in force before.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--project-root", help="The project, if not that of the working directory.")
def command(dry_run: bool, show: bool, undo: bool, as_json: bool, project_root: str | None) -> None:
    """Fit a small correction to your feedback, your retries and the models you forced; keep it only if it is better.

    Better means cheaper and more often right, on signals that the fit has not seen, by more than chance. Anything else
    keeps what is in force, says so with its figures, and is no failure: the exit code is 0.

    \b
    Examples:
      $ orchestrate route learn --dry-run
      $ orchestrate route learn --json
      $ orchestrate route learn --show
      $ orchestrate route learn --undo
    """
    if dry_run + show + undo > 1:
        raise click.UsageError("give one of --dry-run, --show and --undo")
    place = here.place(project_root)
    if show or undo:
        standing = kept.undo(place) if undo else kept.read(place)
        if undo:
            _tell(place, "undone", standing.record if standing else None)
        _show(standing, as_json)
        return
    target = kept.path(place)
    if not dry_run:
        feedback.collected(place)
    found = lesson.learn(place, time.time(), dry_run)
    if not dry_run and found.outcome != lesson.KEPT:
        _tell(place, found.outcome, found.record)
    if as_json:
        here.emit(_document(found, dry_run, place))
    else:
        click.echo("\n".join(told.lesson(found, target, not dry_run)))


def _tell(place: Place, verb: str, record: kept.Record | None) -> None:
    """Of the correction that is in force now; it is the user's, for every project."""
    name = str(record.get("id", "")) if record else ""
    figures = {"figures": record.get("figures")} if record else {}
    here.leave(place, f"orchestration.correction.{verb}", ("correction", name), figures, for_all=True)


def _show(found: kept.Kept | None, as_json: bool) -> None:
    if as_json:
        here.emit({"correction": found.record if found else None, "ignored": found.why or None if found else None})
    else:
        click.echo("\n".join(told.standing(found)))


def _document(found: Lesson, dry_run: bool, place: Place) -> dict[str, object]:
    return {
        "outcome": found.outcome,
        "why": found.why or None,
        "dry_run": dry_run,
        "file": kept.path(place),
        "figures": lesson.figures(found.found, found.trial),
        "correction": found.record,
    }
