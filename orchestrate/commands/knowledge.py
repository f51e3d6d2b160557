"""Knowledge: what sessions found out, for those that come after them."""

import click
import orjson

from orchestrate.commands import here, typed
from orchestrate.commands.archives_missing import tell_damaged, tell_missing
from orchestrate.memory import knowledge
from orchestrate.memory.archive_read import Damaged
from state.errors import NOT_FOUND, UserError
from state.store import open_store
from state.store.knowledge import Known

VALUE_SHOWN = 200
project_root = click.option("--project-root", help="The project, if not that of the working directory.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def command() -> None:
    """Record what was found out, and look it up by its key.

    \b
    Examples:
      $ orchestrate knowledge record api.auth "tokens live 15 minutes" --source app/Auth.php
      $ orchestrate knowledge get 'api.*'
      $ orchestrate knowledge forget api.auth
    """


@command.command()
@click.argument("key")
@click.argument("value")
@click.option("--json-value", is_flag=True, help="VALUE is JSON.")
@click.option("--source", help="Where it comes from: a file, a page, a command.")
@click.option("--discovered-by", help="Who found it out (default: who calls).")
@click.option("--task", type=typed.Code(), help="The task it was found out in.")
@as_json
@project_root
def record(
    key: str,
    value: str,
    json_value: bool,
    source: str | None,
    discovered_by: str | None,
    task: str | None,
    as_json: bool,
    project_root: str | None,
) -> None:
    """Record VALUE under KEY; the last value holds, those before it stay in the history. VALUE may be @FILE or `-`.

    \b
    Examples:
      $ orchestrate knowledge record api.auth "tokens live 15 minutes" --source app/Auth.php
      $ orchestrate knowledge record ports '{"web": 8080}' --json-value --task TSK-001
    """
    text = typed.text(value, "VALUE")
    said = knowledge.parsed(text) if json_value else text
    place = here.place(project_root)
    with open_store(place) as store:
        found = knowledge.Discovery(key, said, source, discovered_by, task)
        known, is_redacted = knowledge.record(store, here.teller(place), found)
    if is_redacted:
        here.tell(f"{key}: what looks like a secret in it was redacted")
    if as_json:
        here.emit(knowledge.shown(known))
    else:
        click.echo(_line(known))


@command.command()
@click.argument("pattern", metavar="GLOB")
@click.option("--history", "is_history", is_flag=True, help="Every value the key had, oldest first.")
@as_json
@project_root
def get(pattern: str, is_history: bool, as_json: bool, project_root: str | None) -> None:
    """Show what is known under the keys that fit GLOB: `*` is any text, `?` one character. Nothing found: exit 3.

    \b
    Examples:
      $ orchestrate knowledge get api.auth
      $ orchestrate knowledge get 'api.*' --json
      $ orchestrate knowledge get api.auth --history
    """
    place = here.place(project_root)
    with open_store(place) as store:
        if is_history:
            damaged = Damaged()
            told = knowledge.history(place, store, pattern, damaged)
            tell_missing(place, store)
            tell_damaged(damaged)
            _show_history(told, pattern, as_json)
            return
        found = knowledge.find(store, pattern)
    if not found:
        raise UserError(f"{pattern}: nothing is known under such a key: `orchestrate knowledge list`", NOT_FOUND)
    _show(found, as_json)


@command.command("list")
@as_json
@project_root
def list_known(as_json: bool, project_root: str | None) -> None:
    """Show all that is known, by key.

    \b
    Examples:
      $ orchestrate knowledge list
      $ orchestrate knowledge list --json
    """
    with open_store(here.place(project_root)) as store:
        found = knowledge.find(store, "*")
    _show(found, as_json)
    if not found and not as_json:
        click.echo("nothing is known yet", err=True)


@command.command()
@click.argument("key")
@project_root
def forget(key: str, project_root: str | None) -> None:
    """Forget what is known under KEY; its history stays.

    \b
    Examples:
      $ orchestrate knowledge forget api.auth
    """
    place = here.place(project_root)
    with open_store(place) as store:
        if not knowledge.forget(store, here.teller(place), key):
            raise UserError(f"{key}: nothing is known under this key: `orchestrate knowledge list`", NOT_FOUND)
    click.echo(f"{here.clean(key)}: forgotten")


def _show(found: list[Known], as_json: bool) -> None:
    if as_json:
        here.emit([knowledge.shown(known) for known in found])
        return
    for known in found:
        click.echo(_line(known))


def _line(known: Known) -> str:
    facts = [known.discovered_by, known.recorded_at, known.source, known.task_code]
    return here.clean(f"{known.name} = {_value(known)}  ({', '.join(fact for fact in facts if fact)})")


def _value(known: Known) -> str:
    value = orjson.loads(known.content)
    shown = value if isinstance(value, str) else known.content
    return shown if len(shown) <= VALUE_SHOWN else f"{shown[:VALUE_SHOWN]}... ({len(shown)} characters)"


def _show_history(told: list[dict[str, object]], key: str, as_json: bool) -> None:
    if not told:
        raise UserError(f"{key}: was never recorded: `orchestrate knowledge list`", NOT_FOUND)
    if as_json:
        here.emit(told)
        return
    for entry in told:
        value = orjson.dumps(entry["value"]).decode()[:VALUE_SHOWN] if "value" in entry else "forgotten"
        click.echo(here.clean(f"{entry['at']}  {entry.get('discoveredBy', entry['by'])}  {value}"))
