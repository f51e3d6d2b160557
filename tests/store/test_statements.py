import collections
import re
from pathlib import Path

import psycopg
import pytest

import state.store
from state.store import statements

DIALECTS = ("sqlite", "postgres")
_CALL = re.compile(r"""(?:rows|stream|run|many|_positions)\(\s*"(\w+)\"""")
_QUOTED = re.compile(r"""\"(\w+)\"""")
_LITERAL = re.compile(r"'[^']*'|--[^\n]*")
_PARAMETER = {"sqlite": re.compile(r"(?<![:\w]):(\w+)|(\?)"), "postgres": re.compile(r"%\((\w+)\)s|(%s)")}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_statement_of_the_files_is_used_and_there(dialect):
    sources = [file.read_text(encoding="utf-8") for file in Path(state.store.__file__).parent.glob("*.py")]
    assert {name for source in sources for name in _CALL.findall(source)} <= set(statements.load(dialect))
    assert set(statements.load(dialect)) <= {name for source in sources for name in _QUOTED.findall(source)}


def test_both_dialects_have_the_same_statements():
    assert set(statements.load("sqlite")) == set(statements.load("postgres"))


@pytest.mark.parametrize("name", statements.load("sqlite"))
def test_a_statement_takes_the_same_parameters_in_both(name):
    assert parameters(name, "sqlite") == parameters(name, "postgres")


def parameters(name, dialect):
    """The names, or how many there are without."""
    found = collections.Counter(
        named or "?" for named, _ in _PARAMETER[dialect].findall(_LITERAL.sub("", statements.load(dialect)[name]))
    )
    return found["?"], set(found) - {"?"}


@pytest.mark.database
def test_postgresql_understands_every_statement(schema):
    """Their tables, columns and types; nothing is done."""
    assert {name: said for name in statements.load("postgres") if (said := complaint(name, schema))} == {}


def complaint(name, schema):
    asked, names = parameters(name, "postgres")
    values = dict.fromkeys(names) if names else [None] * asked
    try:
        schema.execute(f"EXPLAIN {statements.load('postgres')[name]}", values)
    except psycopg.Error as error:
        return str(error)
    return None


@pytest.mark.parametrize("dialect", DIALECTS)
def test_migrations_are_numbered_without_a_gap(dialect):
    files = sorted(file.name for file in Path(state.__file__).parent.glob(f"sql/{dialect}/[0-9]*.sql"))
    assert [int(name[:3]) for name in files] == list(range(1, len(files) + 1))


def test_a_block_is_a_statement_by_its_name():
    assert statements.load("sqlite")["forget_events_before"] == "DELETE FROM events WHERE ts < ?"
    assert statements.load("postgres")["forget_events_before"] == "DELETE FROM events WHERE ts < %s"
