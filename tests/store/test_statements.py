import re
from pathlib import Path

from state.store import sqlite, statements


def test_every_statement_of_the_files_is_used_and_there():
    source = Path(sqlite.__file__).read_text(encoding="utf-8")
    used = set(re.findall(r'_sql\["(\w+)"\]', source)) | set(re.findall(r'_take\("(\w+)"', source))
    assert used == set(statements.load("sqlite", "events") | statements.load("sqlite", "served"))


def test_a_block_is_a_statement_by_its_name():
    assert statements.load("sqlite", "events")["forget_events_before"] == "DELETE FROM events WHERE ts < ?"
