"""What makes two errors one bug: sha256 of message | file | line | first line of the stack."""

import hashlib

from orchestrate.memory import bug_text


def of(message: str, file: str | None, line: int | None, stack: str, root: str) -> str:
    """`file` as the record has it. Every part has its place, given or not, and a bar within one is escaped: so no two
    sets of parts are the same text."""
    parts = (
        bug_text.normalised(message, root),
        file or "",
        "" if line is None else str(line),
        bug_text.first_line(stack, root),
    )
    joined = "|".join(part.replace("\\", "\\\\").replace("|", "\\|") for part in parts)
    return hashlib.sha256(joined.encode("utf-8", "replace")).hexdigest()
