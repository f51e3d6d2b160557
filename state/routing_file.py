"""One routing.yaml or routing.json as rules, each with the line it stands on."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Literal, NamedTuple, Self

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from state import config_file
from state.errors import UserError
from state.glob_table import checked_glob, checked_word
from state.settings_model import AgentName

TIERS = ("haiku", "sonnet", "opus")
RULES_MOST = 500
Path = tuple[str | int, ...]


class Rule(NamedTuple):
    name: str
    path: str
    line: int
    origin: str  # "global" or "repo", as for settings
    says: dict[str, str]  # what it does: raise, lower, at_least, at_most, tier, guest
    agents: Mapping[str, str] = MappingProxyType({})
    why: str | None = None
    words: Sequence[str] = ()
    globs: Sequence[str] = ()
    is_always: bool = False


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _tier(value: str, info: ValidationInfo) -> str:
    tiers: dict[str, str] = info.context or {}
    tier = tiers.get(value, value)
    if tier not in TIERS:
        raise PydanticCustomError("tier", "no tier (have: {have})", {"have": ", ".join([*TIERS, *tiers])})
    return tier


def _new_name(name: str) -> str:
    if name in TIERS:
        raise PydanticCustomError("tier", "is a tier already: give it another name")
    return name


def _by_tier(value: object, info: ValidationInfo) -> object:
    """A tier has one entry, by whichever of its names."""
    tiers: dict[str, str] = info.context or {}
    seen: dict[str, str] = {}
    for name in map(str, value if isinstance(value, dict) else ()):
        tier = tiers.get(name, name)
        if tier in seen:
            raise PydanticCustomError("twice", "{one} and {two} are one tier", {"one": seen[tier], "two": name})
        seen[tier] = name
    return value


def _word_list(value: object) -> object:
    return {"any": value} if isinstance(value, str | list) else value


Tier = Annotated[str, AfterValidator(_tier)]
Name = Annotated[str, Field(pattern=r"^[^\x00-\x20\x7f|][^\x00-\x1f\x7f|]{0,59}$")]
Why = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]{1,120}$")]
WordsOf = Annotated[list[Annotated[str, AfterValidator(checked_word)]], BeforeValidator(_listed)]
GlobsOf = Annotated[list[Annotated[str, AfterValidator(checked_glob)]], BeforeValidator(_listed)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _WordList(_Strict):
    any: WordsOf
    lowers: bool = False
    why: Why | None = None


class _Effect(_Strict):
    at_least: Tier | None = None
    at_most: Tier | None = None
    tier: Tier | None = None
    agents: Annotated[dict[Tier, AgentName], BeforeValidator(_by_tier)] = {}
    why: Why | None = None

    @model_validator(mode="after")
    def _one_meaning(self) -> Self:
        if self.tier and (self.at_least or self.at_most):
            raise ValueError("tier says it all: leave at_least and at_most out")
        if self.at_least and self.at_most and TIERS.index(self.at_least) > TIERS.index(self.at_most):
            raise ValueError("at_least is above at_most")
        if not (self.tier or self.at_least or self.at_most or self.agents):
            raise ValueError("says nothing: give at_least, at_most, tier or agents")
        return self


class _Domain(_Effect):
    paths: GlobsOf = []
    words: WordsOf = []

    @model_validator(mode="after")
    def _matches_something(self) -> Self:
        if not self.paths and not self.words:
            raise ValueError("matches nothing: give paths or words")
        return self


class _PathRule(_Effect):
    match: GlobsOf
    name: Name | None = None


class _Limit(_Strict):
    default: Tier


class _File(_Strict):
    tiers: dict[Annotated[Name, AfterValidator(_new_name)], Literal["haiku", "sonnet", "opus"]] = {}
    words: Annotated[dict[Tier, Annotated[_WordList, BeforeValidator(_word_list)]], BeforeValidator(_by_tier)] = {}
    paths: list[_PathRule] = []
    domains: dict[Name, _Domain] = {}
    floors: _Limit | None = None
    ceilings: _Limit | None = None


def where(rule: Rule) -> str:
    return f"{rule.path}:{rule.line}"


def parse(path: str, raw: bytes, origin: str) -> list[Rule]:
    lines: dict[Path, int] = {(): 1}
    problems: list[str] = []
    tree = _tree(config_file.compose(path, raw), (), lines, problems)
    if problems:
        raise UserError("\n".join(f"{path}:{problem}" for problem in problems))
    tree = tree if isinstance(tree, dict) else {}
    try:
        given = _File.model_validate(tree, context=_tiers(tree))
        _limit_file(given)
    except ValidationError as error:
        raise UserError("\n".join(_complaint(item, path, lines) for item in error.errors())) from None
    except ValueError as error:
        raise UserError(f"{path}: {error}") from None
    for name, tier in _tiers(tree).items():
        if ("words", name) in lines:
            lines["words", tier] = lines["words", name]
    rules = list(_rules(given, path, origin, lines))
    _twice(rules)
    return rules


def _tree(node: yaml.Node | None, at: Path, lines: dict[Path, int], problems: list[str]) -> object:
    """Texts, lists and groups: a word stays a word, whatever YAML takes it for. A key left empty is not set."""
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            lines[(*at, number)] = item.start_mark.line + 1
        return [_tree(item, (*at, number), lines, problems) for number, item in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return node.value if node else None
    found: dict[str, object] = {}
    for key_node, value_node in node.value:
        key = key_node.value if isinstance(key_node, yaml.ScalarNode) else "?"
        line = key_node.start_mark.line + 1
        if key in found:
            problems.append(f"{line}: {_shown((*at, key))} is given twice (first on line {lines[(*at, key)]})")
        lines[(*at, key)] = line
        found[key] = _tree(value_node, (*at, key), lines, problems)
        if value_node.tag == "tag:yaml.org,2002:null":
            found.pop(key)
    return found


def _tiers(tree: Mapping[str, object]) -> dict[str, str]:
    """Names of one's own for tiers; what is wrong with them, validation says."""
    named = tree.get("tiers")
    if not isinstance(named, dict):
        return {}
    return {name: tier for name, tier in named.items() if isinstance(tier, str) and name not in TIERS}


def _rules(given: _File, path: str, origin: str, lines: Mapping[Path, int]) -> Iterator[Rule]:
    for name, domain in given.domains.items():
        yield _effect(name, domain, path, lines[("domains", name)], origin, domain.words, domain.paths)
    for number, rule in enumerate(given.paths):
        name = rule.name or ", ".join(rule.match)[:60]
        yield _effect(name, rule, path, lines[("paths", number)], origin, (), rule.match)
    for tier, words in given.words.items():
        says = {"lower" if words.lowers else "raise": tier}
        yield Rule(f"words.{tier}", path, lines[("words", tier)], origin, says, why=words.why, words=words.any)
    for key, limit, name in (("at_least", given.floors, "floors"), ("at_most", given.ceilings, "ceilings")):
        if limit:
            line = lines[(name, "default")]
            yield Rule(f"{name}.default", path, line, origin, {key: limit.default}, is_always=True)


def _effect(
    name: str,
    given: _Effect,
    path: str,
    line: int,
    origin: str,
    words: Sequence[str],
    globs: Sequence[str],
) -> Rule:
    said = {"at_least": given.at_least, "at_most": given.at_most, "tier": given.tier}
    says = {key: tier for key, tier in said.items() if tier}
    return Rule(name, path, line, origin, says, given.agents, given.why, words, globs)


def _limit_file(given: _File) -> None:
    """Before anything is made of it."""
    count = len(given.words) + len(given.paths) + len(given.domains)
    if count > RULES_MOST:
        raise ValueError(f"{count} rules: at most {RULES_MOST} are taken")


def _twice(rules: Sequence[Rule]) -> None:
    seen: dict[str, Rule] = {}
    for rule in rules:
        if rule.name in seen:
            raise UserError(f"{where(rule)}: a second rule named {rule.name!r} (first on line {seen[rule.name].line})")
        seen[rule.name] = rule


def _complaint(item: ErrorDetails, path: str, lines: Mapping[Path, int]) -> str:
    at: Path = tuple(item["loc"])
    if at[-1:] == ("[key]",):
        at = at[:-1]
    written = tuple(part for part in at if part != "any")
    at = written if at not in lines and written in lines else at
    line = next(lines[at[:end]] for end in range(len(at), -1, -1) if at[:end] in lines)
    if item["type"] == "extra_forbidden":
        return f"{path}:{line}: no key named {str(at[-1])!r} in {_shown(at[:-1]) or 'the file'}{_near(at)}"
    message = item["msg"].removeprefix("Value error, ")
    given = item["input"]
    got = f", got {given!r}" if isinstance(given, str) and len(given) <= 80 else ""
    return f"{path}:{line}: {_shown(at)}: {message[:1].lower()}{message[1:]}{got}"


_KEYS: dict[tuple[str, ...], type[BaseModel]] = {
    (): _File,
    ("words",): _WordList,
    ("paths",): _PathRule,
    ("domains",): _Domain,
    ("floors",): _Limit,
    ("ceilings",): _Limit,
}


def _near(at: Path) -> str:
    model = _KEYS[(str(at[0]),) if len(at) > 1 else ()]
    close = difflib.get_close_matches(str(at[-1]), model.model_fields, 1)
    return f" (did you mean {close[0]}?)" if close else f" (have: {', '.join(model.model_fields)})"


def _shown(at: Path) -> str:
    shown = ""
    for part in at:
        shown += f"[{part}]" if isinstance(part, int) else f".{part}" if shown else part
    return shown
