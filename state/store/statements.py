"""SQL from the files of a dialect: `NNN_name.sql` is a migration, the others hold statements, each under its name."""

from functools import cache
from pathlib import Path

_SQL = Path(__file__).resolve().parent.parent / "sql"
_NAME = "-- name: "
_MIGRATION = "[0-9][0-9][0-9]_*.sql"


@cache
def load(dialect: str) -> dict[str, str]:
    """Every statement of every subject."""
    found: dict[str, str] = {}
    for file in sorted(set((_SQL / dialect).glob("*.sql")) - set((_SQL / dialect).glob(_MIGRATION))):
        for name, statement in _blocks(file.read_text(encoding="utf-8")):
            if name in found:
                raise ValueError(f"{file}: a second statement is named {name!r}")
            found[name] = statement
    return found


def migrations(dialect: str) -> list[str]:
    """Oldest first; the n-th brings the schema to version n."""
    return [file.read_text(encoding="utf-8") for file in sorted((_SQL / dialect).glob(_MIGRATION))]


def _blocks(text: str) -> list[tuple[str, str]]:
    blocks = [block.partition("\n") for block in text.split(_NAME)[1:]]
    return [(name.strip(), statement.strip()) for name, _, statement in blocks]
