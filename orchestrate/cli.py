"""The click root: a command's module is imported when the command is called."""

import errno
import os
import sys
from importlib import import_module

import click

from orchestrate import __version__
from orchestrate.commands import here
from state import log, snapshot
from state.errors import FAILED, INTERRUPTED, UserError

COMMANDS = {
    "agents": "orchestrate.commands.agents",
    "bench": "orchestrate.commands.bench",
    "bug": "orchestrate.commands.bug",
    "config": "orchestrate.commands.config",
    "context": "orchestrate.commands.context",
    "demo": "orchestrate.commands.demo",
    "doctor": "orchestrate.commands.doctor",
    "events": "orchestrate.commands.events",
    "feedback": "orchestrate.commands.feedback",
    "git": "orchestrate.commands.git",
    "hooks": "orchestrate.commands.hooks",
    "init": "orchestrate.commands.init",
    "install": "orchestrate.commands.install",
    "knowledge": "orchestrate.commands.knowledge",
    "metrics": "orchestrate.commands.metrics",
    "mode": "orchestrate.commands.mode",
    "overnight": "orchestrate.commands.overnight",
    "phase": "orchestrate.commands.phase",
    "quota": "orchestrate.commands.quota",
    "route": "orchestrate.commands.route",
    "search": "orchestrate.commands.search",
    "session": "orchestrate.commands.session",
    "sprint": "orchestrate.commands.sprint",
    "state": "orchestrate.commands.state",
    "statusline": "orchestrate.commands.statusline",
    "task": "orchestrate.commands.task",
    "trust": "orchestrate.commands.trust",
    "uninstall": "orchestrate.commands.uninstall",
    "version": "orchestrate.commands.version",
    "wave": "orchestrate.commands.wave",
    "work": "orchestrate.commands.work",
    "workflow": "orchestrate.commands.workflow",
}
# Other names of some commands: (module, its member), not listed by --help.
ALIASES = {
    "bug-log": ("orchestrate.commands.bug", "log"),
    "git-link-pr": ("orchestrate.commands.git", "link_pr"),
    "context-search": ("orchestrate.commands.search", "command"),
    "phase-complete": ("orchestrate.commands.phase", "complete"),
    "session-end": ("orchestrate.commands.session_work", "end"),
    "session-start": ("orchestrate.commands.session_work", "start"),
}


class Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module, member = ALIASES.get(cmd_name, (COMMANDS.get(cmd_name), "command"))
        if module is None:
            return None
        command: click.Command = getattr(import_module(module), member)
        return command


@click.command(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="orchestrate")
@click.option("--log-format", type=click.Choice(["text", "json"]), help="How the story on stderr is written.")
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), help="How much of it.")
def root(log_format: str | None, log_level: str | None) -> None:
    """Route every prompt of Claude Code to the agent tier that fits it, and prove what ran.

    \b
    Examples:
      $ orchestrate demo
      $ orchestrate install
      $ orchestrate route "rename foo to bar in a.py"
      $ orchestrate metrics report
      $ orchestrate --log-format json --log-level info metrics report
    """
    settings = snapshot.read(here.place(), dict(os.environ)).values
    log.want(log_format or str(settings["log.format"]), log_level or str(settings["log.level"]))


def main() -> None:
    run(root, "orchestrate")


def request() -> None:
    from orchestrate.commands.request import command

    run(command, "orchestrate-request")


def run(command: click.Command, name: str) -> None:
    """The one boundary of the cold side: what a user can mend is one line, anything else is our bug and flies."""
    try:
        code = command.main(prog_name=name, standalone_mode=False)
    except UserError as error:
        here.tell(str(error), name)
        code = error.code
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.Abort:
        code = INTERRUPTED
    except OSError as error:  # what the product writes itself is said with its file; this is the answer
        if error.errno != errno.ENOSPC:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the interpreter flushes what is left when it ends
        here.tell("stdout: the disk is full, the answer is cut off: make room and try again", name)
        code = FAILED
    for place in here.told_in():
        from orchestrate.memory import sink_start

        sink_start.after_command(place)
    sys.exit(code if isinstance(code, int) else 0)
