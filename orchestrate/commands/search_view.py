"""The answer of a search as a person reads it."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from orchestrate.commands import here
from orchestrate.memory import search_rank
from orchestrate.memory.search_snippet import Snippet, marked

Found = Mapping[str, Any]  # Any: a document, as JSON has it


def show(found: Found, explain: bool) -> None:
    if "total_events" in found:
        _summary(found)
    if explain:
        _explanation(found)
    for hit in found.get("hits", ()):
        _hit(hit, explain)
    if "hits" in found and not found["hits"]:
        here.tell(f"nothing found in {_where(found)}: try fewer words, or the beginning of one{_wider(found)}")


def _summary(found: Found) -> None:
    click.echo(f"{_where(found)}: {found['total_events']} events")
    if found["total_events"]:
        click.echo(f"from {found['first_event']} to {found['last_event']}, {found['time_span_hours']} hours")
    width = max((len(kind) for kind in found["event_types"]), default=0)
    for kind, count in found["event_types"].items():
        click.echo(f"  {here.clean(kind):{width}}  {count}")


def _explanation(found: Found) -> None:
    click.echo(f"terms: {' · '.join(here.clean(term) for term in found.get('terms', ())) or '-'}")
    since = f", since {found['since']}" if found["since"] else ""
    click.echo(f"filter: {_where(found)}{since}; driver {found['driver']}")
    looks = ", ".join(f"{name} {count}" for name, count in found.get("stages", {}).items())
    click.echo(f"found: {looks or '-'}{' (from the cache)' if found['from_cache'] else ''}")
    click.echo(
        f"score = {search_rank.TEXT_WEIGHT:g} x text + {search_rank.RECENCY_WEIGHT:g} x recency, "
        f"which halves every {search_rank.HALF_LIFE_DAYS:g} days"
    )


def _hit(hit: Found, explain: bool) -> None:
    entity = here.clean(f"{hit['entity']['type']} {hit['entity']['id']}".strip())
    task = f"  [{here.clean(hit['task'])}]" if hit["task"] else ""
    source = "" if hit["source"] == "event" else f"{hit['source']}: "
    click.echo(f"{hit['score']:.2f}  {here.clean(hit['ts'])}  {source}{here.clean(hit['type'])}  {entity}{task}")
    spans = tuple((begin, end) for begin, end in hit["marks"])
    click.echo(f"      {marked(Snippet(hit['snippet'], spans), _mark())}")
    if explain:
        parts: Found = hit["parts"]
        counts: Sequence[int] = parts["counts"]
        click.echo(
            f"      text {parts['text']:.2f}, recency {parts['recency']:.2f}, found by {hit['how']}, "
            f"each term {', '.join(map(str, counts)) or '-'} times"
        )


def _mark() -> Callable[[str], str]:
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        return lambda text: click.style(text, bold=True)
    return lambda text: f"*{text}*"


def _where(found: Found) -> str:
    return here.clean(f"{found['scope']} {found['id']}".strip())


def _wider(found: Found) -> str:
    return "" if found["scope"] == "project" else ", or --scope project"
