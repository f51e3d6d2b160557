"""Where am I: interactive, batch, overnight or API. Pure: environment, settings and clock come in as values."""

from state.paths import Place
from state.snapshot import Value

_ON = "1"
_UNATTENDED = ("sdk", "mcp", "claude-code-github-action")  # entry points of the client with nobody at them


class Context:
    """The signals of one call; `kind` is the one that counts, `declared` whether somebody said so."""

    __slots__ = (
        "declared",
        "has_workflow",
        "hour",
        "is_api",
        "is_batch",
        "is_interactive",
        "is_overnight",
        "preference",
    )

    def __init__(
        self,
        is_interactive: bool,
        is_overnight: bool,
        is_batch: bool,
        is_api: bool,
        has_workflow: bool,
        preference: str,
        hour: int,
        declared: str,
    ) -> None:
        self.is_interactive = is_interactive
        self.is_overnight = is_overnight
        self.is_batch = is_batch
        self.is_api = is_api
        self.has_workflow = has_workflow
        self.preference = preference
        self.hour = hour
        self.declared = declared

    @property
    def kind(self) -> str:
        if self.declared:
            return self.declared
        if self.is_interactive:
            return "interactive"
        return "overnight" if self.is_overnight else "batch"

    def signals(self) -> dict[str, object]:
        return {
            "is_interactive": self.is_interactive,
            "is_overnight": self.is_overnight,
            "is_batch": self.is_batch,
            "is_api": self.is_api,
            "has_workflow": self.has_workflow,
            "user_preference": self.preference,
            "hour": self.hour,
            "declared": self.declared or None,
        }


def detect(env: dict[str, str], settings: dict[str, Value], hour: int, has_workflow: bool, presumed: bool) -> Context:
    """`presumed`: whether somebody is there when the client says nothing: in a hook yes, else if stdin is a tty."""
    is_api = env.get("API_REQUEST") == _ON
    is_batch = _ON in (env.get("BATCH_MODE"), env.get("CLAUDE_BATCH_MODE"))
    is_night = env.get("CLAUDE_OVERNIGHT") == _ON
    declared = "api" if is_api else "overnight" if is_night else "batch" if is_batch else ""
    return Context(
        is_interactive=not declared and _attended(env, presumed),
        is_overnight=is_night or _at_night(hour, settings),
        is_batch=is_batch,
        is_api=is_api,
        has_workflow=has_workflow,
        preference=str(settings["mode"]),
        hour=hour,
        declared=declared,
    )


def has_workflow(place: Place) -> bool:
    import posix

    try:
        names = posix.listdir(place.state + "/workflows")
    except OSError:
        return False
    return any(name.endswith((".yaml", ".json")) for name in names)


def _attended(env: dict[str, str], presumed: bool) -> bool:
    """The client's own word counts (older clients give the entry point only); a hook's stdin is never a terminal."""
    said = env.get("CLAUDE_CODE_SESSION_ATTENDED")
    if said in ("0", "1"):
        return said == "1"
    entrypoint = env.get("CLAUDE_CODE_ENTRYPOINT")
    if entrypoint:
        return not entrypoint.startswith(_UNATTENDED)
    return presumed


def _at_night(hour: int, settings: dict[str, Value]) -> bool:
    start, end = int(settings["overnight.start_hour"]), int(settings["overnight.end_hour"])
    if start > end:
        return hour >= start or hour <= end
    return start <= hour <= end
