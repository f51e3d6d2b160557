import re
from pathlib import Path

import pytest

import state.store
from state.store import statements

DIALECTS = ("sqlite",)
_CALL = re.compile(r"""(?:rows|stream|run|many|_positions)\(\s*"(\w+)\"""")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_statement_of_the_files_is_used_and_there(dialect):
    sources = [file.read_text(encoding="utf-8") for file in Path(state.store.__file__).parent.glob("*.py")]
    assert {name for source in sources for name in _CALL.findall(source)} == set(statements.load(dialect))


def test_a_block_is_a_statement_by_its_name():
    assert statements.load("sqlite")["forget_events_before"] == "DELETE FROM events WHERE ts < ?"
