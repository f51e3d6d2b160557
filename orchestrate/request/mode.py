"""Directive or orchestration: switches, then the explicit word, the environment, the preference, the rollout stage."""

from orchestrate.request.context import Context
from state.snapshot import Value

DIRECTIVE = "directive"
ORCHESTRATION = "orchestration"
# What moves a prompt to orchestration, by stage. `asked`: the preference; `called`: orchestrate-request was called,
# rather than a hook fired. The clock alone moves nobody.
STAGES = {
    "overnight": ("overnight",),
    "batch": ("overnight", "batch", "api"),
    "optin": ("overnight", "batch", "api", "asked"),
    "hybrid": ("overnight", "batch", "api", "asked", "called"),
    "full": ("overnight", "batch", "api", "asked", "called"),
}


class Mode:
    """`refused`: orchestration was asked for explicitly, and a switch forbids it."""

    __slots__ = ("ceiling", "mode", "reason", "refused", "source")

    def __init__(self, mode: str, source: str, reason: str, ceiling: str, refused: bool = False) -> None:
        self.mode = mode
        self.source = source
        self.reason = reason
        self.ceiling = ceiling
        self.refused = refused


def select(
    context: Context,
    settings: dict[str, Value],
    env: dict[str, str],
    flag: str | None = None,
    called: bool = False,
) -> Mode:
    """`flag`: --mode, if given. `called`: orchestrate-request was called, rather than a hook fired."""
    stage, most = str(settings["rollout.stage"]), ceiling(settings)
    word, source = _explicit(flag, env)
    closed = _closed(settings, env)
    if closed:
        return Mode(DIRECTIVE, "switch", closed, most, refused=word == ORCHESTRATION)
    if word:
        return Mode(word, source, f"{source} says {word}", most)
    if context.preference == DIRECTIVE:
        return Mode(DIRECTIVE, "preference", "the preference is directive", most)
    claim = _claim(context, called)
    if claim in STAGES[stage]:
        return Mode(ORCHESTRATION, "preference" if claim == "asked" else "rollout", _REASONS[claim], most)
    return Mode(DIRECTIVE, "rollout", _refusal(claim, stage, context), most)


def ceiling(settings: dict[str, Value]) -> str:
    """The strongest enforcement that the user allows; a rollout that is called back leaves the directive alone."""
    named = str(settings["enforcement"]) or ("session" if settings["rollout.stage"] == "full" else "subagents")
    return named if settings["rollout.enabled"] or named == "off" else "advise"


_REASONS = {
    "overnight": "CLAUDE_OVERNIGHT=1",
    "batch": "BATCH_MODE or CLAUDE_BATCH_MODE is 1",
    "api": "API_REQUEST=1",
    "asked": "the preference is orchestration",
    "called": "orchestrate-request was called",
}


def _explicit(flag: str | None, env: dict[str, str]) -> tuple[str, str]:
    for word, source in ((flag, "flag"), (env.get("ORCHESTRATOR_MODE"), "env")):
        if word in (DIRECTIVE, ORCHESTRATION):
            return word, source
    return "", ""


def _closed(settings: dict[str, Value], env: dict[str, str]) -> str:
    if env.get("ORCHESTRATOR_DISABLED") == "1":
        return "ORCHESTRATOR_DISABLED=1: hooks are silent, orchestration is off"
    if not settings["rollout.enabled"]:
        return "rollout.enabled is false: directive only"
    return ""


def _claim(context: Context, called: bool) -> str:
    """The strongest reason for orchestration, or none."""
    if context.declared:
        return context.declared
    if context.preference == ORCHESTRATION:
        return "asked"
    return "called" if called else ""


def _refusal(claim: str, stage: str, context: Context) -> str:
    if claim:
        return f"stage {stage} does not move {claim} prompts yet"
    if context.is_interactive:
        return "interactive, and nobody asked for orchestration"
    return "nobody asked for orchestration"
