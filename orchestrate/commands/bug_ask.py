"""The question what to do about a bug: asked on a terminal alone, and the end of input is an answer."""

import sys

import click

EOF_MEANS = "log_and_continue"
SAID = {
    "fix_now": "fix it now",
    "log_and_continue": "go on, it is logged",
    "provide_context": "say more about it",
    "log_only": "nothing, it belongs elsewhere",
}
AFTER = {
    "fix_now": "fix it now: {where}; then `orchestrate bug resolve {bug}`",
    "log_and_continue": "logged, go on",
    "provide_context": "logged with its context",
    "log_only": "logged, it belongs elsewhere",
}
NOTE = "note"


def choose(options: tuple[str, ...]) -> tuple[str, dict[str, str]]:
    """The action, and what was said where it is provide_context."""
    if sys.stdin is None or not sys.stdin.isatty():
        return EOF_MEANS, {}
    action = _asked(options)
    return (action, _note()) if action == "provide_context" else (action, {})


def _asked(options: tuple[str, ...]) -> str:
    for number, option in enumerate(options, 1):
        click.echo(f"  {number}) {option}: {SAID[option]}", err=True)
    usual = next((option for option in options if option.startswith("log_")), options[0])
    while True:
        click.echo(f"which [{usual}]? ", nl=False, err=True)
        line = sys.stdin.readline()
        if not line:
            click.echo(err=True)
            return EOF_MEANS
        found = _meant(line.strip().lower(), options, usual)
        if found:
            return found
        click.echo(f"give 1 to {len(options)} or a name", err=True)


def _meant(typed: str, options: tuple[str, ...], usual: str) -> str | None:
    if not typed:
        return usual
    if typed.isdecimal():
        return options[int(typed) - 1] if 0 < int(typed[:3]) <= len(options) else None
    found = [option for option in options if option.startswith(typed)]
    return found[0] if len(found) == 1 else None


def _note() -> dict[str, str]:
    click.echo("one line about it: ", nl=False, err=True)
    line = sys.stdin.readline().strip()
    return {NOTE: line} if line else {}
