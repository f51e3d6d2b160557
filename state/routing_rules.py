"""routing.yaml: rules of one's own for routing, read, validated, merged and compiled to what hooks look up.

The user's file and the project's have the same shape; of two rules with one name the project's holds. What an untrusted
repository may say is less: floors, below the user's own ceilings.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from state import files, routing_file, snapshot
from state.errors import UserError
from state.glob_table import Globs, Words
from state.paths import Place
from state.routing_file import RULES_MOST, Rule, where

WORDS_MOST = 5000  # words and patterns of all rules together


class Loaded(NamedTuple):
    rules: list[Rule]  # strongest first
    warnings: list[str]


def load(place: Place, is_trusted: bool) -> Loaded:
    """A UserError names file, line and key."""
    user = _of(place.user, "global") if place.user else []
    project = _of(place.state, "repo")
    warnings = [line for rule in [*project, *user] for line in _void(rule)]
    if not is_trusted:
        project = [found for rule in project if (found := guest(rule))]
    named = {rule.name for rule in project if "guest" not in rule.says}
    rules = [*project, *(rule for rule in user if rule.name not in named)]
    _limit(rules)
    return Loaded(rules, warnings)


def ignored(place: Place) -> list[Rule]:
    """What the project's rules want beyond floors; a file that cannot be read wants nothing yet."""
    try:
        return [rule for rule in _of(place.state, "repo") if not _is_floor(rule)]
    except UserError:
        return []


def raws(folder: str) -> list[bytes]:
    """The files as trust remembers them, marked as what they are."""
    found = [(name, files.read(f"{folder}/{name}")) for name in snapshot.RULES]
    return [f"{name}\n".encode() + raw for name, raw in found if raw is not None]


def compiled(loaded: Loaded) -> dict[str, object]:
    """The tables that routing/own_rules.py looks up."""
    words, globs = Words(), Globs()
    rules, agents, always = list[str](), dict[str, dict[str, str]](), list[int]()
    for number, rule in enumerate(loaded.rules):
        says = [f"{key}={tier}" for key, tier in rule.says.items()] + ["by_path="] * bool(rule.globs)
        rules.append(f"{' '.join(says)}|{rule.name}|{rule.why or ''}")
        if rule.agents:
            agents[str(number)] = dict(rule.agents)
        if rule.is_always:
            always.append(number)
        for word in rule.words:
            words.add(word, number)
        for glob in rule.globs:
            globs.add(glob, number)
    return {"rules": rules, "agents": agents, "always": always, **words.tables(), **globs.tables()}


def _of(folder: str, origin: str) -> list[Rule]:
    """Of both files of a folder; of two rules with one name the stronger file's."""
    rules: dict[str, Rule] = {}
    for name in snapshot.RULES:
        path = f"{folder}/{name}"
        raw = files.read(path)
        if raw is not None:
            stronger = {rule.name: rule for rule in routing_file.parse(path, raw, origin)}
            rules = {**stronger, **{name: rule for name, rule in rules.items() if name not in stronger}}
    return list(rules.values())


def _is_floor(rule: Rule) -> bool:
    return list(rule.says) == ["at_least"] and not rule.agents


def guest(rule: Rule) -> Rule | None:
    """A floor without a word of its own: what a repository calls it would be read by the model."""
    if "at_least" not in rule.says:
        return None
    name = f"{rule.path.rpartition('/')[2]}:{rule.line}"
    return rule._replace(name=name, says={"guest": rule.says["at_least"]}, agents={}, why=None)


def _void(rule: Rule) -> Iterable[str]:
    if rule.says == {"raise": "haiku"}:
        yield f"{where(rule)}: {rule.name} raises nothing: `lowers: true` lets a word list make work cheaper"


def _limit(rules: Sequence[Rule]) -> None:
    if len(rules) > RULES_MOST:
        raise UserError(f"{rules[0].path}: {len(rules)} rules with your own: at most {RULES_MOST} are taken")
    words = sum(len(rule.words) + len(rule.globs) for rule in rules)
    if words > WORDS_MOST:
        raise UserError(f"{rules[0].path}: {words} words and patterns: at most {WORDS_MOST} are taken")
