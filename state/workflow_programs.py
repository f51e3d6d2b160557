"""The programs that a workflow.yaml names: of all it says, what a repository may not have run before it is trusted."""

from collections.abc import Iterator

import yaml

from state import config_file, files
from state.errors import UserError
from state.snapshot import WORKFLOWS

KEY = "check_tests_passed"


def raws(folder: str) -> list[bytes]:
    """As trust remembers them: the rest of the file may change without a question."""
    return [f"{WORKFLOWS[0]}\n{where}\0{program}".encode() for where, program in named(folder)]


def named(folder: str) -> list[tuple[str, str]]:
    """Each with its key; a file that cannot be read names nothing, and nothing of it is run."""
    for path in (f"{folder}/{name}" for name in WORKFLOWS):
        raw = files.read(path)
        if raw is not None:
            try:
                return list(_programs(config_file.compose(path, raw)))
            except UserError:
                return []
    return []


def _programs(root: yaml.Node | None) -> Iterator[tuple[str, str]]:
    for key, _, node in config_file.entries(root):
        if key.rpartition(".")[2] == KEY:
            words = node.value if isinstance(node, yaml.SequenceNode) else [node]
            yield key, "\0".join(str(word.value) for word in words)
