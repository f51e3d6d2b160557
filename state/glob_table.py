"""Words and path patterns, checked and taken apart into the tables that a hook looks up without parsing anything."""

import unicodedata

from pydantic_core import PydanticCustomError

_LENGTH_MOST = 200
_WORDS_IN_PHRASE = 8
_STARS_IN_PATTERN = 8
_IN_WORDS = "abcdefghijklmnopqrstuvwxyz0123456789_+"
_IN_PATTERNS = "abcdefghijklmnopqrstuvwxyz0123456789._/-+@=%*"
_WIDE_FROM = "\u2e80"  # Chinese, Japanese, Korean: words without spaces between them


def checked_word(text: str) -> str:
    words = phrase(text)
    if not words or len("".join(words)) < 2:
        raise _wrong("routing_word", "too short: two letters or digits at least")
    if len(text) > _LENGTH_MOST or len(words) > _WORDS_IN_PHRASE:
        raise _wrong("routing_word", f"too long: at most {_WORDS_IN_PHRASE} words and {_LENGTH_MOST} characters")
    return text


def checked_glob(text: str) -> str:
    pattern = text.strip().lower()
    if not _parts(pattern):
        raise _wrong("routing_glob", "empty: a pattern names a file or a folder")
    if len(pattern) > _LENGTH_MOST or pattern.count("*") > _STARS_IN_PATTERN:
        raise _wrong("routing_glob", f"too long: at most {_LENGTH_MOST} characters and {_STARS_IN_PATTERN} asterisks")
    strange = next((c for c in pattern if c.isascii() and c not in _IN_PATTERNS), None)
    if strange:
        raise _wrong("routing_glob", f"{strange!r} cannot stand in a pattern: * and ** are its only wildcards")
    if ".." in pattern.split("/"):
        raise _wrong("routing_glob", "a pattern stays in the project: leave .. out")
    if any("**" in part and part != "**" for part in pattern.split("/")):
        raise _wrong("routing_glob", "** stands alone between slashes")
    return text


def phrase(text: str) -> list[str]:
    """As routing/own_rules.py reads a prompt."""
    low = unicodedata.normalize("NFC", text).lower().replace("'", "").replace("\u2019", "")
    return "".join(c if c in _IN_WORDS or not c.isascii() else " " for c in low).split()


class Table:
    """Texts by what they are looked up by: a hook reads hundreds of short texts faster than as many lists."""

    def __init__(self) -> None:
        self._entries: dict[str, list[str]] = {}

    def add(self, key: str, entry: str) -> None:
        self._entries.setdefault(key, []).append(entry)

    def joined(self) -> dict[str, str]:
        return {key: "|".join(dict.fromkeys(entries)) for key, entries in self._entries.items()}


class Words:
    """By their first word the rule's number and the rest of the phrase; apart from them those without spaces."""

    def __init__(self) -> None:
        self._words = Table()
        self._wide = Table()

    def add(self, text: str, number: int) -> None:
        first, *rest = phrase(text)
        if any(c >= _WIDE_FROM for c in text):
            self._wide.add(" ".join([first, *rest]), str(number))
        else:
            self._words.add(first, " ".join([str(number), *rest]))

    def tables(self) -> dict[str, object]:
        return {"words": self._words.joined(), "wide": self._wide.joined()}


class Globs:
    """Folders and files from the root, names at any depth, endings, and what has asterisks elsewhere."""

    def __init__(self) -> None:
        self._tables = {name: Table() for name in ("folders", "names", "ends", "globs")}

    def add(self, text: str, number: int) -> None:
        low = text.strip().lower()
        for form in dict.fromkeys(unicodedata.normalize(how, low) for how in ("NFC", "NFD")):
            self._add(form, str(number))

    def _add(self, pattern: str, number: str) -> None:
        parts = _parts(pattern)
        is_anywhere = len(parts) == 1 and not pattern.startswith("/")
        if len(parts) > 1 and parts[-1] == "**":
            parts.pop()
        if parts[0] == "**" and len(parts) == 2:
            is_anywhere = True
            parts.pop(0)
        last = parts[-1]
        if not any("*" in part for part in parts):
            self._tables["names" if is_anywhere else "folders"].add("/".join(parts), number)
        elif is_anywhere and last.startswith("*.") and "*" not in last[1:] and not pattern.endswith("/**"):
            self._tables["ends"].add(last[1:], number)
        else:
            whole = _whole(parts, is_anywhere, pattern.endswith("/**"))
            first = "*" if "*" in whole[0] else whole[0]
            self._tables["globs"].add(first, f"{number} {'/'.join(whole)}")

    def tables(self) -> dict[str, object]:
        return {name: table.joined() for name, table in self._tables.items()}


def _parts(pattern: str) -> list[str]:
    return [part for part in pattern.split("/") if part not in ("", ".")]


def _whole(parts: list[str], is_anywhere: bool, goes_on: bool) -> list[str]:
    """A folder that is named means what lies in it; a name with an asterisk means just what it fits."""
    found = ["**", *parts] if is_anywhere and parts != ["**"] else parts
    return [*found, "**"] if goes_on or "*" not in found[-1] else found


def _wrong(kind: str, message: str) -> PydanticCustomError:
    return PydanticCustomError(kind, "{message}", {"message": message})
