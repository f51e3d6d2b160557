"""How strongly a decision is put into effect: the strongest rung that stands ready, and why not a stronger one."""

OFF, ADVISE, SUBAGENTS, SESSION = "off", "advise", "subagents", "session"
NONE, DIRECTIVE, REWRITE, MOD, ORCHESTRATION = "none", "directive", "rewrite", "mod", "orchestration"
AUTO = "auto"
# In these the client, or its server, may check a call before a hook changes it, and refuses what was changed.
CHECKED = (AUTO, "plan")


class Tiered:
    """The tier that is to do the work, and each change of it with its reason."""

    __slots__ = ("stepped_down", "stood_in", "tier")

    def __init__(self, tier: str) -> None:
        self.tier = tier
        self.stepped_down: dict[str, str] | None = None
        self.stood_in: dict[str, str] | None = None


class Standing:
    """What is known about this session when a rung is chosen."""

    __slots__ = ("blown", "ceiling", "has_mod", "permission_mode")

    def __init__(self, ceiling: str, permission_mode: str, has_mod: bool, blown: frozenset[str]) -> None:
        self.ceiling = ceiling
        self.permission_mode = permission_mode
        self.has_mod = has_mod
        self.blown = blown


def for_spawns(standing: Standing) -> tuple[str, str]:
    """The rung that sets the model of subagents."""
    if standing.ceiling in (OFF, ADVISE):
        return NONE, f"enforcement is {standing.ceiling}"
    lacking = no_mod(standing)
    if not lacking:
        return MOD, "the mod is live"
    if standing.permission_mode in CHECKED:
        return NONE, f"{lacking}; in {standing.permission_mode} mode a rewritten call may be refused"
    if REWRITE in standing.blown:
        return NONE, f"{lacking}; rewriting failed too often in this session"
    return REWRITE, lacking


def for_main(standing: Standing) -> tuple[str, str]:
    """The rung that sets the model of the main thread."""
    if standing.ceiling != SESSION:
        return NONE, f"enforcement is {standing.ceiling}"
    lacking = no_mod(standing)
    return (NONE, lacking) if lacking else (MOD, "the mod is live")


def no_mod(standing: Standing) -> str:
    if not standing.has_mod:
        return "the mod gave no sign of life"
    return "the mod failed too often in this session" if MOD in standing.blown else ""


def for_prompt(action: str, ceiling: str) -> tuple[str, str]:
    """The rung of a prompt whose main thread stays as it is."""
    if ceiling == OFF:
        return NONE, "enforcement is off"
    if action == "stay":
        return NONE, "stay"
    return DIRECTIVE, "the rung that is there everywhere"
