"""The coverage of processes that were killed while they wrote it: without a journal, a file is left half written."""

import sqlite3
from contextlib import closing
from pathlib import Path


def drop(folder):
    """Some of them are read far enough to end the whole run when the files are combined."""
    torn = [path for path in sorted(Path(folder).glob(".coverage.*")) if not _is_whole(path)]
    for path in torn:
        path.unlink(missing_ok=True)
    return torn


def _is_whole(path):
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            [(said,)] = db.execute("pragma integrity_check(1)")
            return said == "ok" and bool(db.execute("select version from coverage_schema").fetchall())
    except sqlite3.DatabaseError:
        return False
