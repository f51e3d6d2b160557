"""A command line that no shell reads, as words: a program and its arguments.

What only a shell would understand is refused, and not handed to the program as an argument. Each ValueError says what
is wrong and what to do; whoever asked knows where.
"""

import re
import shlex

AND = "&&"
_LINE = "\n"
_OPERATORS = (AND, "||", "|", ";", "&", "<", ">", "$(", "`")
_GOES_ON = "\\\n"  # a long command on several lines
# Quotes and what is escaped first, as shlex has it: an operator in there is an argument.
_PIECE = re.compile(
    r"""\\.|'[^']*'|"(?:\\.|[^"\\])*"|(?P<operator>""" + "|".join(map(re.escape, _OPERATORS)) + r"|\n(?=\S))", re.S
)
_VARIABLE = re.compile(r"[A-Za-z_]\w*=")


def words(text: str) -> list[str]:
    text = text.replace(_GOES_ON, " ")
    found = _split(text)
    for operator in _operators(text):
        said = "a second line" if operator[0] == _LINE else operator[0]
        raise ValueError(
            f"no shell runs this, and {said} needs one: write sh -c '...' around all of it, "
            "or quote it where it is an argument"
        )
    if found and _VARIABLE.match(found[0]):
        raise ValueError(f"{found[0]} is no program: write env {text.strip()}")
    if found and found[0] == "cd":
        raise ValueError("cd is over when it has ended: write sh -c 'cd ... && ...'")
    return found


def chained(text: str) -> list[list[str]]:
    """The commands of `ruff check . && pytest -q`."""
    text = text.replace(_GOES_ON, " ")
    _split(text)
    ends = [found for found in _operators(text) if found[0] == AND]
    cuts = zip([0, *(found.end() for found in ends)], [*(found.start() for found in ends), len(text)], strict=True)
    commands = [words(text[begin:end]) for begin, end in cuts]
    if ends and [] in commands:
        raise ValueError(f"a command is missing beside a {AND}")
    return [command for command in commands if command]


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise ValueError(f"{str(error).lower()}: quote it as for a shell") from None


def _operators(text: str) -> list[re.Match[str]]:
    """Those that are neither quoted nor escaped, nor the end of the last line."""
    bare = text.rstrip()
    begin = len(bare) - len(bare.lstrip())
    return [found for found in _PIECE.finditer(bare, begin) if found["operator"]]
