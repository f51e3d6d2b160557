"""Our command line, called within the test's own process."""

import sys
from typing import NamedTuple

import pytest

from orchestrate.cli import main


class Ran(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def cli(project, monkeypatch, capfd):
    """Run `orchestrate WORDS` in the project: (exit code, stdout, stderr)."""

    def run(*words):
        monkeypatch.chdir(project)
        monkeypatch.setattr(sys, "argv", ["orchestrate", *words])
        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        return Ran(left.value.code, *capfd.readouterr())

    return run
