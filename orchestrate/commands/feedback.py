"""What the user says of a decision: it was right, too weak or too strong."""

import time

import click

from orchestrate.commands import here, which
from orchestrate.learning import events, records
from orchestrate.learning.signals import GOOD, TOO_STRONG, TOO_WEAK
from state.errors import NOT_FOUND, UserError
from state.paths import Place

SAID = {
    GOOD: "The tier that did the work was right.",
    TOO_WEAK: "The work would have needed a stronger tier.",
    TOO_STRONG: "A weaker tier would have done.",
}


@click.group()
def command() -> None:
    """Say of a prompt's decision whether it was right; `orchestrate route learn` learns from it.

    PROMPT_ID is the id of a prompt or its unique beginning; left out, it is the last decided one of the session.

    \b
    Examples:
      $ orchestrate feedback good
      $ orchestrate feedback too-weak 9cb158ba
      $ orchestrate feedback collect
    """


def _of(verdict: str, more: str) -> click.Command:
    help_text = f"""{SAID[verdict]}

    \b
    Examples:
      $ orchestrate feedback {verdict}
      $ orchestrate feedback {verdict} {more}
    """

    @click.command(verdict, help=help_text)
    @click.argument("prompt_id", required=False)
    @click.option("--session", help="The session, if not the current one.")
    @click.option("--note", default="", help="A line for yourself, kept beside the verdict.")
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @click.option("--project-root", help="The project, if not that of the working directory.")
    def give(prompt_id: str | None, session: str | None, note: str, as_json: bool, project_root: str | None) -> None:
        place = here.place(project_root)
        decided = _decided(place, prompt_id, session)
        line = records.give(place, decided, verdict, note, time.time(), here.teller(place))
        if as_json:
            here.emit(line)
        else:
            click.echo(f"{verdict}: {decided.word('agent')} for prompt {decided.prompt_id}")

    return give


for _verdict, _more in ((GOOD, "9cb158ba"), (TOO_WEAK, '--note "missed the race"'), (TOO_STRONG, "--session 9e401858")):
    command.add_command(_of(_verdict, _more))


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--project-root", help="The project, if not that of the working directory.")
def collect(as_json: bool, project_root: str | None) -> None:
    """Write down what the logs of this project tell without being asked: retries, escalations, forced models, failures.

    What is written already is not written again. `orchestrate route learn` does this first.

    \b
    Examples:
      $ orchestrate feedback collect
      $ orchestrate feedback collect --json
    """
    found = collected(here.place(project_root))
    if as_json:
        here.emit(found._asdict())
    else:
        click.echo(f"{found.process} new signals, {found.tool} new failures")


def collected(place: Place) -> records.Collected:
    """Told where something new was found."""
    found = records.collect(place)
    if found.process or found.tool:
        here.leave(place, "orchestration.feedback.collected", ("feedback", place.project), found._asdict())
    return found


def _decided(place: Place, prompt_id: str | None, session: str | None) -> events.Told:
    if prompt_id:
        return events.find(events.read([place], which.session(place, session) if session else None), prompt_id)
    name = which.session(place, session)
    found = events.last_decided(events.read([place], name))
    if found is None:
        raise UserError(f"session {name}: no prompt was decided in it: give a PROMPT_ID", NOT_FOUND)
    return found
