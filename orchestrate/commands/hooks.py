import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import click

from orchestrate import hookline, payloads
from orchestrate.commands import here
from orchestrate.doctor.diagnosis import diagnose
from orchestrate.install import interpreter, receipts, shipped, status, survey, trial
from orchestrate.install.status import Report, Scope
from orchestrate.install.survey import Sighting
from state.errors import FAILED, UserError
from state.paths import Place


class Case(NamedTuple):
    """A command line to try, and where it was found."""

    event: str
    command: str
    where: str
    plugin: Path | None = None


@click.group()
def command() -> None:
    """Look at the installed hooks, and try them.

    \b
    Examples:
      $ orchestrate hooks status
      $ orchestrate hooks test
    """


@command.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--self-check", is_flag=True, help="Prove the rungs by a run of the real client, on this machine alone.")
@click.option("--project-root", help="The project, if not that of the working directory.")
def status_command(as_json: bool, self_check: bool, project_root: str | None) -> None:
    """Show where the hooks are installed, whether they would run, and when they last did.

    \b
    Examples:
      $ orchestrate hooks status
      $ orchestrate hooks status --json
      $ orchestrate hooks status --self-check
    """
    place = here.place(project_root)
    report = status.report(place, os.environ)
    diagnosis = diagnose(place, os.environ, with_checks=False, with_proof=self_check)
    if as_json:
        here.emit({**asdict(report), "rungs": diagnosis.rungs, "self_check": diagnosis.self_check})
    else:
        click.echo("\n".join([*_lines(report), *diagnosis.verdict()]))
    if report.problems or diagnosis.failures:
        sys.exit(FAILED)


@command.command("test")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--project-root", help="The project, if not that of the working directory.")
def test_command(as_json: bool, project_root: str | None) -> None:
    """Run each installed hook as the client does, with a real payload, in a home made for this call alone.

    Exit code 1 when one of them does not end with 0 in less than 500 ms, or answers what the client cannot read.

    \b
    Examples:
      $ orchestrate hooks test
    """
    place = here.place(project_root)
    results = list(_tried(place))
    if as_json:
        here.emit([{**result._asdict(), "where": case.where, "problem": result.problem} for case, result in results])
    else:
        for case, result in results:
            click.echo(_row(case, result))
    if any(result.problem for _, result in results):
        sys.exit(FAILED)


@command.command("run")
@click.argument("event", type=click.Choice(list(hookline.EVENTS)))
def run_command(event: str) -> None:
    """Run one hook of this installation on the payload on stdin, for real, and print its answer.

    The payload is JSON; what is missing is filled in: EVENT, and the working directory.

    \b
    Examples:
      $ echo '{"prompt": "Fix typo in README.md"}' | orchestrate hooks run UserPromptSubmit
    """
    payload = {"cwd": here.working_directory(), **_payload(), "hook_event_name": event}
    line = hookline.command(*hookline.here())
    result = trial.run(event, line, json.dumps(payload).encode(), here.environment(), Path(here.working_directory()))
    click.echo(result.stdout, nl=not result.stdout.endswith("\n") and bool(result.stdout))
    click.echo(result.stderr, nl=False, err=True)
    click.echo(f"{event}: exit code {result.exit_code}, {result.took_ms:.0f} ms", err=True)
    sys.exit(result.exit_code)


def _payload() -> dict[str, object]:
    try:
        payload = json.loads(sys.stdin.buffer.read() or b"{}")
    except ValueError as error:
        raise UserError(f"stdin: is not JSON ({error}): give the hook's payload") from error
    if not isinstance(payload, dict):
        raise UserError("stdin: holds no JSON object: give the hook's payload")
    return payload


def _tried(place: Place) -> Iterator[tuple[Case, trial.Result]]:
    record = receipts.book(place.user).folder / interpreter.NAME
    with trial.room(os.environ.get("PATH", os.defpath), record) as room:
        for case in _cases(survey.look(place.root, os.environ)):
            yield case, room.run(case.event, case.command, case.plugin)


def _cases(seen: list[Sighting]) -> list[Case]:
    """The installed lines; where there are none, those that an install would write."""
    known = [event for event in payloads.EVENTS if event in hookline.EVENTS]
    found = [
        Case(event, line, sighting.scope)
        for sighting in seen
        for event in known
        for line in sighting.commands.get(event, [])
    ]
    if any(sighting.plugin for sighting in seen):
        found += _plugin_cases(known)
    line = hookline.command(*hookline.here())
    return found or [Case(event, line, "not installed") for event in known]


def _plugin_cases(known: list[str]) -> list[Case]:
    folder = shipped.folder(hookline.here()[1])
    hooks = json.loads((folder / "hooks.json").read_bytes())["hooks"]
    return [
        Case(event, handler["command"], "plugin", folder)
        for event in known
        for group in hooks.get(event, [])
        for handler in group["hooks"]
    ]


def _row(case: Case, result: trial.Result) -> str:
    verdict = result.problem or "ok"
    head = " ".join((result.stdout or result.stderr).split())[:80]
    return f"{case.where:14}{case.event:18}{result.exit_code:>3}{result.took_ms:>8.1f} ms  {verdict}  {head}".rstrip()


def _lines(report: Report) -> Iterator[str]:
    for scope in report.scopes:
        yield f"{scope.scope:8} {_state(scope):24} {scope.path}"
    yield f"plugin   {report.plugin or 'not enabled'}"
    for session in report.sessions:
        yield f"session  {session.session}: {session.last_event or 'nothing yet'} at {session.at or '-'}"
    yield from (f"disabled by {switch}" for switch in report.disabled)
    yield from (f"problem: {problem}" for problem in report.problems)


def _state(scope: Scope) -> str:
    if scope.command == "none":
        return "no hooks"
    missing = f", without {', '.join(scope.missing)}" if scope.missing else ""
    return f"{len(scope.events)} hooks, {scope.command}{missing}"
