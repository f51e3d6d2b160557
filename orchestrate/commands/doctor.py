import os
import sys
from collections.abc import Iterator
from dataclasses import asdict

import click

from orchestrate.commands import here
from orchestrate.doctor.diagnosis import Diagnosis, diagnose
from orchestrate.doctor.finding import FAIL, WARN, Finding
from state.errors import FAILED

_UNDER = " " * 7


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--no-client", is_flag=True, help="Leave the client out: do not start it, not even for its version.")
@click.option("--self-check", is_flag=True, help="Prove the rungs by a run of the real client, on this machine alone.")
@click.option("--project-root", help="The project, if not that of the working directory.")
def command(as_json: bool, no_client: bool, self_check: bool, project_root: str | None) -> None:
    """Check everything that routing stands on, and tell which rung is live and why no stronger one.

    Nothing is written but to a temporary folder, and nothing leaves the machine. Exit code 1 when a check failed.

    The self-check runs your real client once or twice, in a home of its own, without your settings or login, against
    a service on 127.0.0.1 that has it start one subagent. What the client asks that service is the proof.

    \b
    Examples:
      $ orchestrate doctor
      $ orchestrate doctor --self-check
      $ orchestrate doctor --no-client --json
    """
    if no_client and self_check:
        raise click.UsageError("--no-client and --self-check: give one of them")
    diagnosis = diagnose(here.place(project_root), os.environ, with_client=not no_client, with_proof=self_check)
    if as_json:
        here.emit({**asdict(diagnosis), "failures": diagnosis.failures})
    else:
        click.echo("\n".join(_lines(diagnosis)))
    if diagnosis.failures:
        sys.exit(FAILED)


def _lines(diagnosis: Diagnosis) -> Iterator[str]:
    for finding in diagnosis.checks:
        yield from _rows(finding)
    yield ""
    yield from diagnosis.verdict()
    yield ""
    yield _sum(diagnosis)


def _rows(finding: Finding) -> Iterator[str]:
    yield f"{finding.state:7} {finding.name:12} {finding.fact}"
    if finding.remedy and finding.state in (WARN, FAIL):
        yield f"{_UNDER} {'':12} -> {finding.remedy}"


def _sum(diagnosis: Diagnosis) -> str:
    warned = sum(finding.state == WARN for finding in diagnosis.checks)
    failed = len(diagnosis.failures)
    told = [f"{failed} failed" if failed else "", f"{warned} to look at" if warned else ""]
    return ", ".join(filter(None, told)) or "nothing to mend"
