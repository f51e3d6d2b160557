import click

from orchestrate import __version__


@click.command()
def command() -> None:
    """Print the version.

    \b
    Examples:
      $ orchestrate version
    """
    click.echo(__version__)
