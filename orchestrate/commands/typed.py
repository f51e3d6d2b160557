"""What several commands let one type: a code, and a text that may come from a file or from stdin."""

import re
import sys

import click

from state.errors import NOT_FOUND, USAGE, UserError

TEXT_MOST = 1 << 20
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Code(click.ParamType[str]):
    name = "code"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not _CODE.fullmatch(str(value)):
            self.fail(f"{value!r}: a code is 1 to 64 letters, digits, dots, dashes and underscores", param, ctx)
        return str(value)


def text(value: str, option: str) -> str:
    """`-` is stdin, `@FILE` the file, anything else itself."""
    if value == "-":
        return _stdin(option)
    return file(value[1:], f"{option} {value}") if value.startswith("@") else value


def _stdin(option: str) -> str:
    if sys.stdin is None:
        raise UserError(f"{option} -: stdin is closed: give the text itself, or @FILE", USAGE)
    return sys.stdin.buffer.read(TEXT_MOST).decode("utf-8", "replace")


def file(path: str, given: str) -> str:
    """`given`: the file as the user has named it, with the option."""
    try:
        with open(path, "rb") as found:  # noqa: PTH123  a name as typed, and only its beginning is read
            return found.read(TEXT_MOST).decode("utf-8", "replace")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UserError(f"{given}: {reason}: check the path", NOT_FOUND) from None
