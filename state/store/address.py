"""The URL of a database, and how it is shown: never with its password."""

import re
from urllib.parse import urlsplit

from state.errors import UserError

SCHEMES = ("postgresql", "postgres")


def shown(url: str) -> str:
    """Without password and options: libpq takes a password in either place, and one may hold any sign unescaped."""
    scheme, given, rest = url.partition("://")
    before, at, host = rest.rpartition("@")
    if not given:
        return "it"
    if set("?#") & set(before):
        return f"{scheme}://..."
    user = re.split("[:/]", before, maxsplit=1)[0]
    return f"{scheme}://{user}{at}{re.split('[?#]', host, maxsplit=1)[0]}"


def check(url: str) -> None:
    if not _is_url(url):
        raise UserError(f"store.url: {shown(url)} is no URL of a database: expected postgresql://user@host/database")


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return url.isprintable() and parts.scheme in SCHEMES and "://" in url and (parts.port is None or parts.port > 0)
    except ValueError:  # a port that is no number
        return False
