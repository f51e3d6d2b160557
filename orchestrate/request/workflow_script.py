"""The agents that a workflow's script starts, as far as they can be read there without running it.

A script is JavaScript. It is gone through once, strings, templates and comments apart from code; whatever would need
more than that to be told apart (a regular expression, a name of ours given away) makes the whole of it unread.
"""

MOST = 32_768
_DEEPEST = 40
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$")
_OPENS = {"(": ")", "[": "]", "{": "}"}
_SHORT = {"n": "\n", "t": "\t", "r": "\r", "\n": ""}
# Behind these a slash begins a regular expression, though they look like names.
_KEYWORDS = (
    "return",
    "typeof",
    "case",
    "in",
    "of",
    "do",
    "else",
    "void",
    "delete",
    "throw",
    "new",
    "await",
    "yield",
    "instanceof",
)
_STARTS = "agent"


class Unread(Exception):
    """The script is not one that can be read here."""


class Agent:
    """`at`: where its model may be written, with `before` and `after` around it."""

    __slots__ = ("after", "at", "before", "kind", "prompt")

    def __init__(self, prompt: str, kind: str, at: int, before: str, after: str) -> None:
        self.prompt = prompt
        self.kind = kind
        self.at = at
        self.before = before
        self.after = after


def agents(script: str) -> list[Agent]:
    """Those whose prompt and options stand there as such, and that name no model; in the order of the text."""
    if len(script) > MOST:
        raise Unread
    found: list[Agent] = []
    if _code(script, 0, "", found, 0) != len(script):
        raise Unread
    return sorted(found, key=lambda agent: agent.at)


def with_models(script: str, models: list[tuple[Agent, str]]) -> str:
    """The same script, in which these agents are asked for by these models."""
    parts, done = [], 0
    for agent, model in models:
        parts += [script[done : agent.at], agent.before, f"model: '{model}'", agent.after]
        done = agent.at
    return "".join(parts) + script[done:]


def _code(text: str, at: int, closer: str, found: list[Agent], depth: int) -> int:
    """Where the code from `at` on is closed, behind the bracket; its end where nothing closes it."""
    if depth > _DEEPEST:
        raise Unread
    last = ""  # the name or sign before
    while at < len(text):
        sign = text[at]
        if sign in _NAME:
            begun = at
            at = _name_end(text, at)
            name = text[begun:at]
            if name == _STARTS:
                _call(text, at, last, found, depth)
            last = name
        elif sign in "'\"`":
            at, last = _quoted(text, at, found, depth), "''"
        elif sign == "/":
            begun, at = at, _slash(text, at, last)
            last = "/" if at == begun + 1 else last
        elif sign in _OPENS:
            at, last = _code(text, at + 1, _OPENS[sign], found, depth + 1), _OPENS[sign]
        elif sign in ")]}":
            if sign != closer:
                raise Unread
            return at + 1
        else:
            last = last if sign.isspace() else sign
            at += 1
    if closer:
        raise Unread
    return at


def _name_end(text: str, at: int) -> int:
    while at < len(text) and text[at] in _NAME:
        at += 1
    return at


def _slash(text: str, at: int, last: str) -> int:
    """Behind a comment, or behind the sign of a division."""
    following = text[at + 1 : at + 2]
    if following in {"/", "*"}:
        end = text.find("\n" if following == "/" else "*/", at + 2)
        if end < 0 and following == "*":
            raise Unread
        return len(text) if end < 0 else end + (0 if following == "/" else 2)
    if last == "]" or (last[-1:] in _NAME and last and last not in _KEYWORDS):
        return at + 1
    raise Unread


def _quoted(text: str, at: int, found: list[Agent], depth: int) -> int:
    """Behind a string or a template. What a template computes is code again."""
    quote = text[at]
    at += 1
    while at < len(text):
        sign = text[at]
        if sign == "\\":
            at += 2
        elif sign == quote:
            return at + 1
        elif sign == "\n" and quote != "`":
            break
        elif quote == "`" and sign == "$" and text[at + 1 : at + 2] == "{":
            at = _code(text, at + 2, "}", found, depth + 1)
        else:
            at += 1
    raise Unread


def _call(text: str, at: int, last: str, found: list[Agent], depth: int) -> None:
    """The name `agent` was read: a call is noted where it can be, and any other use may mean anything."""
    if last == ".":
        return
    at = _blank_end(text, at)
    if text[at : at + 1] != "(" or last == "function" or not last.isascii():
        raise Unread
    begun = _blank_end(text, at + 1)
    if text[begun : begun + 1] not in ("'", '"', "`"):
        return
    end = _quoted(text, begun, [], depth)
    at = _blank_end(text, end)
    prompt = _words(text[begun + 1 : end - 1])
    if text[at : at + 1] == ")":
        found.append(Agent(prompt, "", at, ", {", "}"))
        return
    if text[at : at + 1] != ",":
        return
    at = _blank_end(text, at + 1)
    if text[at : at + 1] == ")":
        found.append(Agent(prompt, "", at, "{", "}"))
    elif text[at : at + 1] == "{":
        _with_options(text, at, prompt, found, depth)


def _with_options(text: str, at: int, prompt: str, found: list[Agent], depth: int) -> None:
    end = _code(text, at + 1, "}", [], depth + 1)
    options = text[at + 1 : end - 1]
    following = text[_blank_end(text, end) :][:1]
    if "model" in options or "..." in options or following not in (")", ","):
        return
    kind = _kind(options)
    if kind is not None:
        found.append(Agent(prompt, kind, at + 1, " ", "," if options.strip() else " "))


def _kind(options: str) -> str | None:
    """The agent that the options name; nothing where it is computed."""
    before, named, after = options.partition("agentType")
    if not named:
        return ""
    value = after.lstrip(" \t\n'\"")
    if value[:1] != ":" or before.rstrip()[-1:] not in ("", ",", "'", '"'):
        return None
    value = value[1:].strip()
    if value[:1] not in ("'", '"'):
        return None
    return value[1:].partition(value[0])[0]


def _blank_end(text: str, at: int) -> int:
    while at < len(text):
        if text[at].isspace():
            at += 1
        elif text[at : at + 2] in ("//", "/*"):
            at = _slash(text, at, "")
        else:
            break
    return at


def _words(quoted: str) -> str:
    if "\\" not in quoted:
        return quoted
    first, *rest = quoted.split("\\")
    parts, at = [first], 0
    while at < len(rest):
        part = rest[at]
        if part:
            parts.append(_SHORT.get(part[0], part[0]) + part[1:])
        elif at + 1 < len(rest):  # a backslash that is itself meant
            at += 1
            parts.append("\\" + rest[at])
        at += 1
    return "".join(parts)
