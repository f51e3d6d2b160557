"""SQL from the files of a dialect: `NNN_name.sql` is a migration, the others hold statements, each under its name."""

from pathlib import Path

_SQL = Path(__file__).resolve().parent.parent / "sql"
_NAME = "-- name: "


def load(dialect: str, subject: str) -> dict[str, str]:
    text = (_SQL / dialect / f"{subject}.sql").read_text(encoding="utf-8")
    found = {}
    for block in text.split(_NAME)[1:]:
        name, _, statement = block.partition("\n")
        found[name.strip()] = statement.strip()
    return found


def migrations(dialect: str) -> list[str]:
    """Oldest first; the n-th brings the schema to version n."""
    files = sorted((_SQL / dialect).glob("[0-9][0-9][0-9]_*.sql"))
    return [file.read_text(encoding="utf-8") for file in files]
