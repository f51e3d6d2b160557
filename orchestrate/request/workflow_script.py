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
    "default",
    "extends",
)
# Lines end here too, comments begin so too, and names may be written so: nobody does, so nothing below knows them.
_LINE_ENDS = ("\r", "\u2028", "\u2029")
_ODD = ("<!--", "-->", "\\")
# What names no model in so many words, and may bring one.
_OPAQUE = ("model", "...", "__proto__")
_STARTS = ("agent", "workflow")  # that is another script, with agents of its own
_COMPUTED = "${}"


class Unread(Exception):
    """The script is not one that can be read here."""


class Agent:
    """`at`: where its model may be written, with `before` and `after` around it; negative where it may not be."""

    __slots__ = ("after", "at", "before", "kind", "prompt")

    def __init__(self, prompt: str, kind: str, at: int, before: str, after: str) -> None:
        self.prompt = prompt
        self.kind = kind
        self.at = at
        self.before = before
        self.after = after


def agents(script: str) -> list[Agent]:
    """In the order of the text; last all whose prompt or options do not stand there as such, or that name a model."""
    if len(script) > MOST or any(sign in script.replace("\r\n", "") for sign in _LINE_ENDS):
        raise Unread
    found: list[Agent] = []
    if _code(script, 0, "", found, 0) != len(script):
        raise Unread
    return sorted(found, key=lambda agent: (agent.at < 0, agent.at))


def as_before(script: str, earlier: str, choices: tuple[str, ...]) -> list[tuple[Agent, str]]:
    """The models that `with_models` gave its agents in the earlier text of it, up to the first difference."""
    found: list[tuple[Agent, str]] = []
    done = at = 0
    for agent in filter(_is_open, agents(script)):
        same = script[done : agent.at]
        if not earlier.startswith(same, at):
            break
        at, done = at + len(same), agent.at
        for model in choices:
            written = _written(agent, model)
            if earlier.startswith(written, at):
                found.append((agent, model))
                at += len(written)
    return found


def with_models(script: str, models: list[tuple[Agent, str]]) -> str:
    """The same script, in which these agents are asked for by these models."""
    parts, done = [], 0
    for agent, model in models:
        parts += [script[done : agent.at], _written(agent, model)]
        done = agent.at
    return "".join(parts) + script[done:]


def _is_open(agent: Agent) -> bool:
    return agent.at >= 0


def _written(agent: Agent, model: str) -> str:
    return f"{agent.before}model: '{model}'{agent.after}"


def _code(text: str, at: int, closer: str, found: list[Agent] | None, depth: int) -> int:
    """Where the code from `at` on is closed, behind the bracket; its end where nothing closes it. Without `found` its
    agents are left for when they are read by themselves."""
    if depth > _DEEPEST:
        raise Unread
    last = ""  # the name or sign before
    while at < len(text):
        sign = text[at]
        if sign in _NAME:
            begun = at
            at = _name_end(text, at)
            name = text[begun:at]
            if name in _STARTS and found is not None and last != ".":
                found.append(_agent(text, at, last, depth) if name == "agent" else _closed())
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
        elif text.startswith(_ODD, at):
            raise Unread
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
    is_value = last == "]" or (last[-1:] in _NAME and last and last not in _KEYWORDS)
    # A value of the line before may have ended its statement.
    if is_value and (text[at - 1 : at].strip() or text[at - 2 : at - 1]) == last[-1]:
        return at + 1
    raise Unread


def _quoted(
    text: str, at: int, found: list[Agent] | None, depth: int, computed: list[tuple[int, int]] | None = None
) -> int:
    """Behind a string or a template. What a template computes is code again; where, goes to `computed`."""
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
            begun, at = at, _code(text, at + 2, "}", found, depth + 1)
            if computed is not None:
                computed.append((begun, at))
        else:
            at += 1
    raise Unread


def _agent(text: str, at: int, last: str, depth: int) -> Agent:
    """The name `agent` was read: of a call, as any other use may mean anything."""
    at = _blank_end(text, at)
    if text[at : at + 1] != "(" or last in {"function", "*", "#"} or not last.isascii():
        raise Unread
    return _called(text, _blank_end(text, at + 1), depth) or _closed()


def _closed() -> Agent:
    return Agent("", "", -1, "", "")


def _called(text: str, at: int, depth: int) -> Agent | None:
    if text[at : at + 1] not in ("'", '"', "`"):
        return None
    computed: list[tuple[int, int]] = []
    end = _quoted(text, at, None, depth, computed)
    prompt = _prompt(text, at + 1, end - 1, computed)
    at = _blank_end(text, end)
    if prompt is None:
        return None
    if text[at : at + 1] == ")":
        return Agent(prompt, "", at, ", {", "}")
    if text[at : at + 1] != ",":
        return None
    at = _blank_end(text, at + 1)
    if text[at : at + 1] == ")":
        return Agent(prompt, "", at, "{", "}")
    return _with_options(text, at, prompt, depth) if text[at : at + 1] == "{" else None


def _prompt(text: str, begun: int, end: int, computed: list[tuple[int, int]]) -> str | None:
    """Its words without the code in it; nothing where what is computed may be the task itself: a line, or what a line
    ends with behind a colon."""
    parts = []
    for first, behind in computed:
        parts.append(_words(text[begun:first]))
        begun = behind
    parts.append(_words(text[begun:end]))
    prompt = _COMPUTED.join(parts)
    for line in prompt.split("\n"):
        if line.rstrip().endswith(_COMPUTED) and line.rstrip(f"{_COMPUTED} \t")[-1:] in {"", ":"}:
            return None
    return prompt


def _with_options(text: str, at: int, prompt: str, depth: int) -> Agent | None:
    end = _code(text, at + 1, "}", None, depth + 1)
    options = text[at + 1 : end - 1]
    following = text[_blank_end(text, end) :][:1]
    if any(word in options for word in _OPAQUE) or following not in (")", ","):
        return None
    kind = _kind(options)
    return None if kind is None else Agent(prompt, kind, at + 1, " ", "," if options.strip() else " ")


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
    kind, _, rest = value[1:].partition(value[0])
    return kind if rest.lstrip()[:1] in ("", ",") and "agentType" not in rest else None


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
