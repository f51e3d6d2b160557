"""What the session already holds, by bounded reads, so that a long history costs nothing.

The last decision comes from the tail of the session's log, the main model from that of the client's transcript.
"""

import posix

from state import codec, journal
from state.paths import LOG, Place, exists, session_dir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from routing.correction import Correction

CORRECTION = "routing/correction.json"
NEAR = 16 << 10  # where it mostly is: the rest is read only where it is not
LOG_TAIL = 64 << 10
TRANSCRIPT_TAIL = 256 << 10  # the client writes 57 KB beside the first step
_DECIDED = b'"type":"orchestration.prompt.decided"'
_REQUESTED = b'"type":"orchestration.spawn.requested"'
_TURN_FAILED = b'"type":"orchestration.turn.failed"'
_RUN_FINISHED, _WELL = b'"type":"orchestration.run.finished"', b'"outcome":"ok"'
_MODEL = b'"model":"claude-'
TIERS = (("haiku", "haiku"), ("sonnet", "sonnet"), ("opus", "opus"), ("fable", "opus"))


def last_decision(place: Place, session: str) -> tuple[dict[str, object], float]:
    """The payload of the session's newest decision, with its prompt's id and whether what was done about it failed, and
    its time; empty when none is near."""
    path = f"{session_dir(place, session)}/{LOG}"
    return _newest(path, NEAR) or _newest(path, LOG_TAIL) or ({}, 0.0)


def _newest(path: str, size: int) -> tuple[dict[str, object], float] | None:
    has_failed = False
    for line in reversed(journal.tail(path, size)):
        if _DECIDED in line:
            try:
                entry = codec.loads(line)
                at = int(entry["id"][:12], 16) / 1000  # type: ignore[index]  # our own line, or an error
                known = {"prompt_id": entry["prompt_id"], "has_failed": has_failed}  # type: ignore[index]  # as above
                return {**entry["payload"], **known}, at  # type: ignore[index]  # as above
            except (ValueError, TypeError, KeyError):
                continue
        has_failed = has_failed or _TURN_FAILED in line or (_RUN_FINISHED in line and _WELL not in line)
    return None


def spawn_request(place: Place, session: str, tool_use_id: str) -> dict[str, object]:
    """What was decided for this spawn; empty when it is not near the end of the log."""
    named = tool_use_id.encode("ascii", "replace")
    for line in reversed(journal.tail(f"{session_dir(place, session)}/{LOG}", LOG_TAIL)):
        if _REQUESTED in line and named in line:
            try:
                entry = codec.loads(line)
                if entry["entity"]["id"] == tool_use_id:  # type: ignore[index]  # our own line, or an error
                    return {**entry["payload"]}  # type: ignore[index]  # as above
            except (ValueError, TypeError, KeyError):
                continue
    return {}


def correction(place: Place) -> "Correction | None":
    """What the router has learned of this user, if he had it learn; one that was made for other weights is none."""
    path = f"{place.user}/{CORRECTION}"
    if not place.user or not exists(path):
        return None
    from routing.correction import parse, weights_digest

    return parse(codec.load(path), weights_digest())


def steps(place: Place) -> str:
    """Which classes of work step down in this project; empty where none may."""
    return f"{place.user}/routing/steps-{place.project}.json" if place.user else ""


def main_tier(transcript_path: str, env: dict[str, str]) -> str | None:
    return tier_of(_last_model(transcript_path) or env.get("ANTHROPIC_MODEL", ""))


def tier_of(model: str) -> str | None:
    for word, tier in TIERS:
        if word in model:
            return tier
    return None


def _last_model(path: str) -> str:
    try:
        fd = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC)
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return ""
    try:
        size = posix.fstat(fd).st_size
        for length in (NEAR, TRANSCRIPT_TAIL):
            data = posix.pread(fd, length, max(0, size - length))
            at = data.rfind(_MODEL)
            if at >= 0:
                start = at + len(_MODEL) - len(b"claude-")
                return data[start : data.find(b'"', start)].decode("ascii", "replace")
    except OSError:
        pass
    finally:
        posix.close(fd)
    return ""
