"""Addresses of pull requests (GitHub) and merge requests (GitLab), of a host of one's own too."""

import re
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from state.errors import USAGE, UserError

_NAME = r"(?!\.{1,2}/)[A-Za-z0-9_.][A-Za-z0-9_.-]*"
_PATHS = (
    re.compile(rf"(/{_NAME}/{_NAME}/pull/([1-9][0-9]{{0,9}}))(?:/.*)?"),
    re.compile(rf"((?:/{_NAME}){{2,20}}(?:/-)?/merge_requests/([1-9][0-9]{{0,9}}))(?:/.*)?"),
)
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?|\[[0-9a-f:.]+\]")
_LONGEST = 2048
_ACCEPTED = "expected https://HOST/OWNER/REPOSITORY/pull/N or https://HOST/GROUP/PROJECT/-/merge_requests/N"


class Link(NamedTuple):
    url: str  # without what follows the number
    number: int


def parse(text: str) -> Link:
    """What is not accepted is not repeated: it may hold a token."""
    parts = _split(text.strip())
    if "@" in parts.netloc:
        raise UserError(f"the URL holds a user or a token before its host: give it without; {_ACCEPTED}", USAGE)
    host = parts.hostname or ""
    found = next((match for pattern in _PATHS if (match := pattern.fullmatch(parts.path))), None)
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(_bracketed(host)) or found is None:
        raise UserError(f"the URL names no pull request: {_ACCEPTED}", USAGE)
    port = f":{parts.port}" if parts.port else ""
    return Link(f"{parts.scheme}://{_bracketed(host)}{port}{found[1]}", int(found[2]))


def _split(text: str) -> SplitResult:
    # urlsplit drops line ends and tabs from the middle: what it then finds is not what was given.
    if len(text) > _LONGEST or not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        raise UserError(f"the URL names no pull request: {_ACCEPTED}", USAGE)
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 # it is read to be checked
    except ValueError as error:
        raise UserError(f"the URL is not valid: {_ACCEPTED}", USAGE) from error
    return parts


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
