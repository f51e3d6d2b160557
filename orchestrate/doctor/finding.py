"""What a check found: a state, a fact and, where something is wrong, the way out."""

from dataclasses import dataclass

OK, WARN, FAIL, UNKNOWN = "ok", "warn", "fail", "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    name: str
    state: str
    fact: str
    remedy: str = ""


def ok(name: str, fact: str) -> Finding:
    return Finding(name, OK, fact)


def warn(name: str, fact: str, remedy: str) -> Finding:
    return Finding(name, WARN, fact, remedy)


def fail(name: str, fact: str, remedy: str) -> Finding:
    return Finding(name, FAIL, fact, remedy)


def unknown(name: str, fact: str, remedy: str = "") -> Finding:
    return Finding(name, UNKNOWN, fact, remedy)
