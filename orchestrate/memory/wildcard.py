"""Patterns with `*` (any text) and `?` (one character), compared without regular expressions: in the time of the two
lengths multiplied at the most, whatever the pattern."""


def matches(pattern: str, text: str) -> bool:
    at = of = 0
    star, resume = -1, 0
    while at < len(text):
        if of < len(pattern) and pattern[of] == "*":
            star, resume = of, at
            of += 1
        elif of < len(pattern) and pattern[of] in ("?", text[at]):
            at, of = at + 1, of + 1
        elif star >= 0:
            resume += 1
            at, of = resume, star + 1
        else:
            return False
    return not pattern[of:].strip("*")


def beginning(pattern: str) -> str:
    """What stands before the first wildcard."""
    ends = [pattern.index(sign) for sign in "*?" if sign in pattern]
    return pattern[: min(ends, default=len(pattern))]
