"""`orchestrate-request`: one request answered, by the agent that the router chooses."""

import os
import sys
import time
from collections.abc import Mapping

import click

from orchestrate import entry
from orchestrate.agents import answer, cache
from orchestrate.agents.answer import Wish
from orchestrate.agents.progress import Progress
from orchestrate.agents.record import Record
from orchestrate.commands import here
from orchestrate.request import context, mode, prompt
from orchestrate.request.call import Call, Outcome
from state import codec, files, log, sessions
from state.errors import REFUSED, USAGE, UserError
from state.paths import Place

ACTOR = "orchestrate-request"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("request", required=False)
@click.option("--interactive", is_flag=True, help="Read the request from stdin: plain text, or a hook's JSON.")
@click.option("--session", help="The session to record in (default: ORCHESTRATOR_SESSION, else the current one).")
@click.option("--project-root", help="The project, if not that of the working directory.")
@click.option("--mode", "flag", type=click.Choice(["directive", "orchestration", "auto"]), help="Override the mode.")
@click.option("--agent", default="", help="The agent to run, whatever the router would choose.")
@click.option("--model", default="", help="The model to run it on: haiku, sonnet, opus or an id.")
@click.option("--timeout", type=click.FloatRange(min=1), help="Seconds that one attempt may take.")
@click.option("--check", metavar="COMMAND", help="What has to succeed (exit code 0) for the answer to count.")
@click.option("--context-from", multiple=True, metavar="RUN", help="Hand the agent the result of another run.")
@click.option("-v", "--verbose", is_flag=True, help="Tell the story on stderr at level info.")
@click.option("--log-format", type=click.Choice(["text", "json"]), help="How that story is written.")
@click.option(
    "--workflow",
    type=click.Path(exists=True, dir_okay=False),
    help="Run this workflow; REQUEST is the value of its one input. With --dry-run: decide as where a workflow lies.",
)
@click.option("--dry-run", is_flag=True, help="Decide and print; run and record nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole record as JSON.")
@click.pass_context
def command(
    ctx: click.Context,
    request: str | None,
    interactive: bool,
    session: str | None,
    project_root: str | None,
    flag: str | None,
    agent: str,
    model: str,
    timeout: float | None,
    check: str | None,
    context_from: tuple[str, ...],
    verbose: bool,
    log_format: str | None,
    workflow: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Answer one REQUEST: the router chooses the agent, the agent does the work, the answer comes on stdout.

    Where `claude` is not to be had, or the mode is directive, the directive is printed instead.

    With --check the COMMAND runs in the project after the answer, without a shell. Where it fails a stronger agent is
    told of it and goes on, once, unless an agent or a model was named; where it fails again the exit code is 1.

    \b
    Examples:
      $ orchestrate-request "Fix typo in README.md"
      $ orchestrate-request "Review the last commit" --agent opus-general --timeout 600
      $ orchestrate-request "Mend the failing test" --check "pytest -q"
      $ orchestrate-request "Design the sharding of the ledger" --dry-run --json
      $ orchestrate-request "quantum error correction" --workflow research.yaml
      $ echo "Fix typo in README.md" | orchestrate-request --interactive
    """
    spent_ns = time.process_time_ns()
    started_ns = time.monotonic_ns() - spent_ns
    if interactive:
        raw = sys.stdin.buffer.read()
        if _from_a_hook(raw):
            sys.stdout.buffer.write(entry.handle(raw, entry.environment(), spent_ns / 1e6, is_alone=True))
            return
        request = raw.decode("utf-8", "replace")
    text = (request or "").strip()
    if workflow and not dry_run:
        ctx.exit(_run_workflow(here.place(project_root), workflow, text, as_json))
    if not text:
        raise click.UsageError("give a REQUEST, or --interactive and the request on stdin")
    call = _call(here.place(project_root), text, session)
    told = call.settings.values
    log.want(log_format or str(told["log.format"]), "info" if verbose else str(told["log.level"]))
    wish = Wish(agent, model, timeout, context_from, check=_words(check))
    outcome = _decided(call, text, flag, wish, workflow is not None, may_ask=not dry_run)
    took_ms = (time.monotonic_ns() - started_ns) / 1e6 - answer.judged_ms(outcome)
    outcome.payload["overhead_ms"] = round(took_ms, 3)
    runs = answer.is_to_run(outcome) and not dry_run
    key = cache.key_of(call, outcome) if runs and not check else None  # an answer that was kept has met no check
    kept = cache.found(call, key)
    if kept is not None:
        outcome.payload |= cache.TOLD
    if not dry_run:
        _record(call, outcome)
    if kept is not None and not as_json:
        click.echo(kept)
    elif kept is not None or not runs:
        _print_decision(call, outcome, as_json, kept)
        if check and not dry_run:
            raise UserError("--check: no agent was run, and so there is nothing to check")
    else:
        ctx.exit(_run(call, text, outcome, wish, as_json, key))


def _run_workflow(place: Place, path: str, text: str, as_json: bool) -> int:
    from orchestrate.commands import workflow_run
    from orchestrate.workflow import loading

    workflow = loading.load(path if "/" in path else f"./{path}", place)
    needed = [one.name for one in workflow.inputs if one.required] or [one.name for one in workflow.inputs]
    if text and len(needed) != 1:
        have = ", ".join(needed) or "none"
        raise UserError(f"--workflow: a REQUEST is the value of the one input, and the inputs are: {have}", USAGE)
    return workflow_run.started(place, workflow.path, {needed[0]: text} if text else {}, as_json=as_json)


def _words(check: str | None) -> list[str]:
    if check is None:
        return []
    from orchestrate.agents.check import words

    return words(check)


def _from_a_hook(raw: bytes) -> bool:
    if not raw.lstrip().startswith(b"{"):
        return False
    try:
        value = codec.loads(raw)
    except ValueError:
        return False
    return isinstance(value, dict) and "hook_event_name" in value


def _call(place: Place, text: str, session: str | None) -> Call:
    env = here.environment()
    now = time.time()
    chosen = sessions.choose(place, session, env) or sessions.new_id(now)
    payload: dict[str, object] = {"prompt": text, "prompt_id": f"request-{os.urandom(8).hex()}"}
    return Call(payload, env, place, here.settled(place), chosen, now)


def _decided(call: Call, text: str, flag: str | None, wish: Wish, is_workflow: bool, may_ask: bool) -> Outcome:
    settings = call.settings.values
    hour = time.localtime(call.now).tm_hour
    has_workflow = is_workflow or context.has_workflow(call.place)
    found = context.detect(call.env, settings, hour, has_workflow, presumed=sys.stdin.isatty())
    chosen = mode.select(found, settings, call.env, flag, called=True)
    if chosen.refused:
        raise UserError(f"orchestration was asked for, but {chosen.reason}", REFUSED)
    return answer.decide(call, text, found, chosen, wish, may_ask)


def _record(call: Call, outcome: Outcome) -> None:
    try:
        if sessions.current(call.place) is None:
            files.replace(f"{call.place.state}/current", call.session.encode() + b"\n")
        answer.record(call, outcome, ACTOR)
    except (OSError, UserError) as error:
        here.tell(f"the decision is not recorded: {error}", ACTOR)


def _run(call: Call, text: str, outcome: Outcome, wish: Wish, as_json: bool, key: str | None) -> int:
    if not (wish.agent or wish.model):
        _tell_changes(outcome)
    progress = _progress(str(outcome.payload["agent"]), call.env)
    printer = _Printer()
    say = printer.unsaid if as_json else printer.say
    record = answer.run(call, text, outcome, say, progress, progress.note, wish, time.monotonic_ns())
    cache.keep(call, outcome, key, record)
    if as_json:
        printer.write(here.pretty(record))
    else:
        printer.finish(record)
    return record["exit_code"]


def _tell_changes(outcome: Outcome) -> None:
    """Why another tier does the work than the request alone would get."""
    for name in ("stepped_down", "stood_in"):
        change = outcome.payload.get(name)
        if isinstance(change, dict):
            here.tell(f"{change['why']}: {outcome.payload['tier']} instead of {change['from']}", ACTOR)


def _progress(agent: str, env: Mapping[str, str]) -> Progress:
    """Where the story is told in JSON, no line is anything else."""
    if not log.is_json():
        return Progress(sys.stderr, agent, env)
    return Progress(None, agent, env, tell=lambda line: log.get().warning("run.told", agent=agent, message=line))


class _Printer:
    """The answer on stdout as it comes. A reader who leaves early (`head -1`) and a full disk do not end the run."""

    def __init__(self) -> None:
        self._last = ""
        self._is_read = True

    def say(self, text: str) -> bool:
        """Whether somebody can see it."""
        self._last = text
        self.write(text)
        return self._is_read

    def unsaid(self, text: str) -> None:
        """The record will tell it."""

    def write(self, text: str) -> None:
        try:
            click.echo(text)
        except OSError as error:
            self._is_read = False
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            if not isinstance(error, BrokenPipeError):
                here.tell(f"stdout: {(error.strerror or '').lower()}: the answer is in the record", ACTOR)

    def finish(self, record: Record) -> None:
        if record["answer"].strip() not in ("", self._last.strip()):
            self.say(record["answer"])
        if record["exit_code"]:
            here.tell(f"{record['outcome']}: {record['detail']} (run {record['run']})", ACTOR)


def _print_decision(call: Call, outcome: Outcome, as_json: bool, kept: str | None = None) -> None:
    payload = outcome.payload
    if as_json:
        answered = {} if kept is None else {"answer": kept}
        here.emit({"session": call.session, "prompt_id": call.prompt_id, **payload, **answered})
        return
    if payload["degraded"] == "cli_missing":
        here.tell("claude is not to be had: directive instead of orchestration", ACTOR)
    click.echo(prompt.directive(str(payload["agent"]), str(payload["tier"]), str(payload["reason"]), call))
