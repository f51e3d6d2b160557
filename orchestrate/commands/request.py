"""`orchestrate-request`: the same routing for a request that does not come from a hook."""

import os
import sys
import time

import click

from orchestrate import entry
from orchestrate.commands import here
from orchestrate.request import context, mode, prompt
from orchestrate.request.call import Call, Outcome
from state import codec, files, journal, sessions
from state.errors import REFUSED, UserError
from state.paths import Place


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("request", required=False)
@click.option("--interactive", is_flag=True, help="Read the request from stdin: plain text, or a hook's JSON.")
@click.option("--session", help="The session to record in (default: ORCHESTRATOR_SESSION, else the current one).")
@click.option("--project-root", help="The project, if not that of the working directory.")
@click.option("--mode", "flag", type=click.Choice(["directive", "orchestration", "auto"]), help="Override the mode.")
@click.option("--dry-run", is_flag=True, help="Decide and print; record nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole decision as JSON.")
def command(
    request: str | None,
    interactive: bool,
    session: str | None,
    project_root: str | None,
    flag: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Route one REQUEST: which agent should do it, in which mode, and why.

    \b
    Examples:
      $ orchestrate-request "Fix typo in README.md"
      $ orchestrate-request "Design the sharding of the ledger" --dry-run --json
      $ echo "Fix typo in README.md" | orchestrate-request --interactive
    """
    spent_ns = time.process_time_ns()
    started_ns = time.monotonic_ns()
    if interactive:
        raw = sys.stdin.buffer.read()
        if _from_a_hook(raw):
            sys.stdout.buffer.write(entry.handle(raw, entry.environment(), spent_ns / 1e6))
            return
        request = raw.decode("utf-8", "replace")
    text = (request or "").strip()
    if not text:
        raise click.UsageError("give a REQUEST, or --interactive and the request on stdin")
    place = here.place(project_root)
    call = _call(place, text, session)
    outcome = _routed(call, text, flag)
    outcome.payload["overhead_ms"] = round((time.monotonic_ns() - started_ns + spent_ns) / 1e6, 3)
    if not dry_run:
        _record(call, outcome)
    _print(call, outcome, as_json)


def _from_a_hook(raw: bytes) -> bool:
    if not raw.lstrip().startswith(b"{"):
        return False
    try:
        value = codec.loads(raw)
    except ValueError:
        return False
    return isinstance(value, dict) and "hook_event_name" in value


def _call(place: Place, text: str, session: str | None) -> Call:
    env = dict(os.environ)
    now = time.time()
    chosen = sessions.choose(place, session, env) or sessions.new_id(now)
    payload: dict[str, object] = {"prompt": text, "prompt_id": f"request-{os.urandom(8).hex()}"}
    return Call(payload, env, place, here.settled(place), chosen, now)


def _routed(call: Call, text: str, flag: str | None) -> Outcome:
    settings = call.settings.values
    hour = time.localtime(call.now).tm_hour
    found = context.detect(call.env, settings, hour, context.has_workflow(call.place), presumed=sys.stdin.isatty())
    chosen = mode.select(found, settings, call.env, flag, called=True)
    if chosen.refused:
        raise UserError(f"orchestration was asked for, but {chosen.reason}", REFUSED)
    return prompt.routed(call, text, found, chosen)


def _record(call: Call, outcome: Outcome) -> None:
    try:
        if sessions.current(call.place) is None:
            files.replace(f"{call.place.state}/current", call.session.encode() + b"\n")
        entry_ = journal.event(
            call.place,
            outcome.kind,
            call.session,
            call.prompt_id,
            outcome.entity,
            outcome.payload,
            call.now,
            actor="orchestrate-request",
        )
        journal.record(call.place, entry_)
    except (OSError, UserError) as error:
        click.echo(f"orchestrate-request: the decision is not recorded: {error}", err=True)


def _print(call: Call, outcome: Outcome, as_json: bool) -> None:
    payload = outcome.payload
    if as_json:
        here.emit({"session": call.session, "prompt_id": call.prompt_id, **payload})
        return
    if payload["degraded"] == "cli_missing":
        click.echo("orchestrate-request: no agent runner here: directive instead of orchestration", err=True)
    click.echo(prompt.directive(str(payload["agent"]), str(payload["tier"]), str(payload["reason"]), call))
