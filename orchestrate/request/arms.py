"""An experiment that a user opted into: each session belongs to one arm, by its id, so that it stays in it."""

from state.snapshot import Snapshot, Value

# What an arm makes of the settings; what the environment says stands above it.
ARMS: dict[str, dict[str, Value]] = {
    "directive": {"mode": "auto", "enforcement": "advise"},
    "subagents": {"mode": "auto", "enforcement": "subagents"},
    "session": {"mode": "auto", "enforcement": "session"},
    "orchestration": {"mode": "orchestration"},
}


def arm_of(settings: Snapshot, session: str) -> str | None:
    if not settings.values["ab.enabled"]:
        return None
    import zlib

    named = [arm for arm in str(settings.values["ab.arms"]).split(",") if arm in ARMS]
    return named[zlib.crc32(session.encode("utf-8", "surrogatepass")) % len(named)] if named else None


def apply(settings: Snapshot, session: str) -> None:
    arm = arm_of(settings, session)
    if arm:
        told = {key: value for key, value in ARMS[arm].items() if key not in settings.from_env}
        settings.values = {**settings.values, **told}
