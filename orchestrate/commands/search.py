"""Searching what was told."""

import os
from collections.abc import Mapping

import click

from orchestrate.commands import here, search_view
from orchestrate.commands.archives_missing import tell_damaged, tell_missing
from orchestrate.commands.moment import NEVER, At, Moment
from orchestrate.commands.reading import read_logs
from orchestrate.memory import search_answer, search_scope
from orchestrate.memory.archive_read import Damaged
from orchestrate.memory.search import DRIVERS
from orchestrate.memory.search_found import Wanted
from orchestrate.memory.search_scope import KINDS
from orchestrate.phases import fields
from state.errors import USAGE, UserError
from state.paths import Place
from state.snapshot import Value
from state.store import open_store


@click.command()
@click.argument("query", default="")
@click.option("--scope", "kind", type=click.Choice(KINDS), default="task", show_default=True, help="Where to search.")
@click.option("--id", "given", help="Of the session, task or sprint (default: the one that is worked on).")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="The most to show.")
@click.option("--since", type=Moment(), help="Nothing older: 7d, 12h, 2026-11-21.")
@click.option("--summary", is_flag=True, help="Tell the figures of the scope; QUERY may be empty then.")
@click.option("--archived", is_flag=True, help="Search the archived events too.")
@click.option("--expand/--no-expand", default=None, help="Have a small model think of further words (search.expand).")
@click.option("--no-cache", is_flag=True, help="Search anew, and keep nothing of it.")
@click.option("--explain", is_flag=True, help="Show the terms, the filter and what each score is made of.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--project-root", help="The project, if not that of the working directory.")
def command(
    query: str,
    kind: str,
    given: str | None,
    limit: int,
    since: At | None,
    summary: bool,
    archived: bool,
    expand: bool | None,
    no_cache: bool,
    explain: bool,
    as_json: bool,
    project_root: str | None,
) -> None:
    """Search events, bugs and knowledge for the words of QUERY; the best and newest come first.

    A word is found where it begins a word, in small or large letters; "two words" in quotes, and the parts of a name as
    src/app.py or TSK-001, have to follow one another.

    \b
    Examples:
      $ orchestrate search "validation error" --scope task --id TSK-001
      $ orchestrate search authentication --scope project --limit 10 --since 7d
      $ orchestrate search "" --scope sprint --id SPR-001 --summary
      $ orchestrate search login --scope project --explain --json
    """
    if not query.strip() and not summary:
        raise click.UsageError("QUERY is empty: give words to search for, or --summary")
    for name, text in (("QUERY", query), ("--id", given or "")):
        fields.sound(name, text)
    place = here.place(project_root)
    settings = here.settled(place).values
    driver = _driver(settings)
    with open_store(place) as store:
        read_logs(place, store)
        where = search_scope.where(place, store, kind, given, here.teller(place).session)
        ttl_s = 0.0 if no_cache else float(settings["search.cache_ttl"])
        more = _further(place, settings, query, expand, not no_cache)
        begin = since or NEVER
        wanted = Wanted(query, where, begin.ts, limit, archived, driver, more)
        # An age stands for another moment each time; as it was typed it is the same question.
        typed, damaged = {"since": begin.typed}, Damaged()
        found = search_answer.answer(place, store, wanted, typed, summary, ttl_s, here.clean, damaged)
        if archived:
            tell_missing(place, store)
            tell_damaged(damaged)
    if as_json:
        here.emit(found)
    else:
        search_view.show(found, explain)


def _driver(settings: Mapping[str, Value]) -> str:
    driver = str(settings["search.driver"])
    if driver not in DRIVERS:
        raise UserError(f"search.driver: {driver} is not available: set it to {' or '.join(DRIVERS)}", USAGE)
    return driver


def _further(
    place: Place, settings: Mapping[str, Value], query: str, is_asked: bool | None, may_keep: bool
) -> tuple[str, ...]:
    if not query.strip() or not (settings["search.expand"] if is_asked is None else is_asked):
        return ()
    from orchestrate.memory.search_expand import expand

    found = expand(place, settings, dict(os.environ), query, may_keep)
    if found.failed:
        here.tell(f"no further words: {here.clean(found.failed)}")
    return found.words
