import os
import sys
import time

import click

from orchestrate import statusline


@click.command()
def command() -> None:
    """Print the status line for the client's payload on stdin: your own line, then tier, rung and quota.

    `orchestrate install --statusline` puts a faster form of this into the client's settings.
    Your own line is that of the setting statusline.command. The exit code is 0 whatever happens.

    \b
    Examples:
      $ echo '{"model": {"id": "claude-opus-5-5"}}' | orchestrate statusline
    """
    line = statusline.answer(sys.stdin.buffer.read(), dict(os.environ), "", time.time())
    click.echo(line, nl=False)
