"""Which rungs of the ladder stand ready, and why not the others. Pure: facts in, a verdict out.

What the hooks choose per prompt (request/rung.py) they choose among these.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from orchestrate.request.rung import ADVISE, CHECKED, DIRECTIVE, MOD, NONE, OFF, REWRITE, SESSION

MOD_SINCE = (2, 1, 287)
AVAILABLE, UNAVAILABLE, UNKNOWN = "available", "off", "unknown"
SETTINGS, PLUGIN = "settings", "plugin"


class Facts(NamedTuple):
    silent: str = ""  # why no hook of ours is heard at all
    form: str = SETTINGS  # how the hooks are installed
    has_mod: bool = False  # the plugin declares one
    version: tuple[int, ...] | None = None  # the client's, if known
    barred: str = ""  # what keeps mods out
    ceiling: str = "subagents"
    permission_mode: str = ""  # empty: not known
    forced: str = ""  # what puts every subagent on one model
    hears_prompts: bool = True
    hears_spawns: bool = True
    blown: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Step:
    rung: str
    state: str
    why: str


@dataclass(frozen=True, slots=True)
class Ladder:
    live: str  # the strongest rung that stands ready
    main_thread: str
    subagents: str
    ceiling: str
    steps: list[Step]


Rule = Callable[[Facts], str]


def _silent(facts: Facts) -> str:
    return facts.silent


def _capped(facts: Facts) -> str:
    return f"enforcement is {facts.ceiling}" if facts.ceiling in (OFF, ADVISE) else ""


def _muted(facts: Facts) -> str:
    return "enforcement is off" if facts.ceiling == OFF else ""


def _no_plugin(facts: Facts) -> str:
    return "" if facts.form == PLUGIN else "the hooks are in the settings, and the mod comes with the plugin"


def _no_mod(facts: Facts) -> str:
    return "" if facts.has_mod else "the plugin that is installed brings no mod"


def _barred(facts: Facts) -> str:
    return facts.barred


def _too_old(facts: Facts) -> str:
    if facts.version is None or facts.version >= MOD_SINCE:
        return ""
    return f"the client is {dotted(facts.version)}, and mods came with {dotted(MOD_SINCE)}"


def _forced(facts: Facts) -> str:
    return facts.forced


def _forced_for_all(facts: Facts) -> str:
    return "" if facts.ceiling == SESSION else facts.forced


def _mod_blown(facts: Facts) -> str:
    return "it failed too often in this session" if MOD in facts.blown else ""


def _rewrite_blown(facts: Facts) -> str:
    return "it failed too often in this session" if REWRITE in facts.blown else ""


def _checked(facts: Facts) -> str:
    is_checked = facts.permission_mode in CHECKED
    return f"in permission mode {facts.permission_mode} a rewritten call may be refused" if is_checked else ""


def _deaf_to_spawns(facts: Facts) -> str:
    return "" if facts.hears_spawns else "the hook for PreToolUse is not installed"


def _deaf_to_prompts(facts: Facts) -> str:
    return "" if facts.hears_prompts else "the hook for UserPromptSubmit is not installed"


RULES: dict[str, tuple[Rule, ...]] = {
    MOD: (_silent, _no_plugin, _no_mod, _barred, _too_old, _capped, _forced_for_all, _mod_blown),
    REWRITE: (_silent, _deaf_to_spawns, _capped, _forced, _checked, _rewrite_blown),
    DIRECTIVE: (_silent, _deaf_to_prompts, _muted),
}


def ladder(facts: Facts) -> Ladder:
    steps = [_step(rung, facts) for rung in RULES]
    ready = [step.rung for step in steps if step.state == AVAILABLE]
    main = [rung for rung in ready if rung == DIRECTIVE or (rung == MOD and facts.ceiling == SESSION)]
    spawns = [rung for rung in ready if rung != DIRECTIVE and not facts.forced]
    return Ladder(_first(ready), _first(main), _first(spawns), facts.ceiling, steps)


def dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _step(rung: str, facts: Facts) -> Step:
    against = next((why for rule in RULES[rung] if (why := rule(facts))), "")
    if against:
        return Step(rung, UNAVAILABLE, against)
    if rung == MOD and facts.version is None:
        return Step(rung, UNKNOWN, "the version of the client is not known")
    return Step(rung, AVAILABLE, _for(rung, facts))


def _for(rung: str, facts: Facts) -> str:
    if rung == MOD and facts.ceiling == SESSION:
        return "sets the model of " + ("the main thread" if facts.forced else "subagents and of the main thread")
    if rung == DIRECTIVE:
        return "tells the model which agent to use"
    if rung == MOD or facts.permission_mode:
        return "sets the model of subagents"
    return "sets the model of subagents, but not in permission modes auto and plan, and sessions may begin in auto"


def _first(rungs: list[str]) -> str:
    return rungs[0] if rungs else NONE
