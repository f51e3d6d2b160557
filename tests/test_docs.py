"""What the pages and the help texts tell a user to type works, in the order they tell it.

A fenced block marked `console` or `sh` is run: each line that starts with `$ ` must exit 0, or as `# exit 3` at its end
says. Output printed under a command must be what the command prints, where `...` stands for anything.
"""

import doctest
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import click
import pytest
from click.testing import CliRunner

REPO = Path(__file__).resolve().parent.parent
PAGES = [REPO / "README.md", *sorted((REPO / "docs").glob("**/*.md"))]
BLOCK = re.compile(r"^```(?:console|sh)\n(.*?)^```$", re.M | re.S)
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")
FAKES = REPO / "tests" / "agents" / "fakes"
# Whose commands start agents: they find a client that answers, and leave no runner behind.
WITH_CLIENT = ("docs/workflows.md",)
EXIT = re.compile(r"\s+# exit (\d+(?: or \d+)*)$")  # "0 or 1": as busy as the machine is
SAME = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class Step(NamedTuple):
    command: str
    codes: list[int]
    output: str


def steps(page):
    """The commands of a page's blocks, each with the exit code and the output that the page promises."""
    for block in BLOCK.findall(page.read_text(encoding="utf-8")):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            line, _, output = part.partition("\n")
            promised = EXIT.search(line)
            codes = [int(code) for code in promised[1].split(" or ")] if promised else [0]
            yield Step(EXIT.sub("", line), codes, output.strip())


def check(step, cwd):
    """What is wrong with a step, or "" when nothing is."""
    done = subprocess.run(
        ["/bin/sh", "-c", step.command], cwd=cwd, capture_output=True, text=True, timeout=200, check=False
    )
    if done.returncode not in step.codes:
        return f"$ {step.command}\nexit {done.returncode}, the page says {step.codes}\n{done.stderr}"
    if step.output and not doctest.OutputChecker().check_output(step.output + "\n", done.stdout, SAME):
        return f"$ {step.command}\nprints:\n{done.stdout}\nthe page says:\n{step.output}"
    return ""


def named(page):
    return page.relative_to(REPO).as_posix()


@pytest.mark.slow
@pytest.mark.timeout(600)  # a page has dozens of commands
@pytest.mark.parametrize("page", PAGES, ids=named)
def test_the_commands_of_a_page_work(page, project, monkeypatch):
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("NO_COLOR", "1")
    if named(page) in WITH_CLIENT:
        monkeypatch.setenv("PATH", f"{FAKES}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setenv("FAKE_DIR", os.environ["HOME"])
        monkeypatch.setenv("ORCHESTRATOR_WORKFLOW__IDLE_S", "0.5")
    subprocess.run(["git", "init", "--quiet", str(project)], check=True)
    assert [wrong for step in steps(page) if (wrong := check(step, project))] == []


@pytest.mark.parametrize("page", sorted({*PAGES, *REPO.glob("*.md")}), ids=lambda page: page.name)
def test_the_links_of_a_page_lead_somewhere(page):
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def commands(command, path):
    """Every command of the tree below and at `command`: ("orchestrate session list", its object)."""
    yield " ".join(path), command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from commands(command.get_command(context, name), [*path, name])


def tree():
    from orchestrate.cli import root
    from orchestrate.commands.request import command as request

    return [*commands(root, ["orchestrate"]), *commands(request, ["orchestrate-request"])]


def examples(command):
    """The command lines of a help text's Examples section."""
    told = (command.epilog or "") + "\n" + (command.help or "")
    return re.findall(r"^\s*\$ (.*)$", told.partition("Examples:")[2], re.M)


def calls(line):
    """The calls of ours in one line of shell: [["orchestrate", "route", ...], ...]."""
    words, call = [], None
    for word in shlex.shlex(line, posix=True, punctuation_chars=True):
        if word in ("orchestrate", "orchestrate-request") and call is None:
            words.append(call := [word])
        elif set(word) <= set("|&;<>()"):
            call = None
        elif call is not None:
            call.append(word)
    return words


@pytest.mark.parametrize(("path", "command"), tree(), ids=lambda value: value if isinstance(value, str) else "")
def test_help_shows_examples_that_parse(path, command):
    lines = examples(command)
    assert lines != [], f"`{path} --help` has no Examples section"
    assert any(call[: len(path.split())] == path.split() for line in lines for call in calls(line))
    roots = dict(tree())
    for name, *words in (call for line in lines for call in calls(line)):
        outcome = CliRunner().invoke(roots[name], [*words, "--help"])
        assert outcome.exit_code == 0, f"{name} {' '.join(words)}: {outcome.output}"
