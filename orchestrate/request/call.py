"""One hook call as the handlers see it, and what a handler makes of it."""

from state.paths import Place
from state.snapshot import Snapshot


class Call:
    """The client's payload with where, when and under which settings it came."""

    __slots__ = ("env", "is_alone", "now", "payload", "place", "session", "settings")

    def __init__(
        self,
        payload: dict[str, object],
        env: dict[str, str],
        place: Place,
        settings: Snapshot,
        session: str,
        now: float,
        is_alone: bool = False,
    ) -> None:
        self.payload = payload
        self.env = env
        self.place = place
        self.settings = settings
        self.session = session
        self.now = now
        self.is_alone = is_alone

    def text(self, name: str) -> str:
        value = self.payload.get(name)
        return value if isinstance(value, str) else ""

    def maybe(self, name: str) -> str | None:
        return self.text(name) or None

    def record(self, name: str) -> dict[str, object]:
        value = self.payload.get(name)
        return value if isinstance(value, dict) else {}

    @property
    def is_nested(self) -> bool:
        """Inside an agent that we started."""
        return self.env.get("ORCHESTRATOR_DEPTH", "0") not in ("", "0")

    @property
    def prompt_id(self) -> str | None:
        return self.maybe("prompt_id")


class Outcome:
    """One event for the log and, where something is to be said, the hook's answer."""

    __slots__ = ("answer", "entity", "kind", "payload")

    def __init__(
        self,
        kind: str,
        entity: tuple[str, str],
        payload: dict[str, object],
        answer: dict[str, object] | None = None,
    ) -> None:
        self.kind = kind
        self.entity = entity
        self.payload = payload
        self.answer = answer


def fingerprint(text: str) -> dict[str, object]:
    """The log keeps a prompt's hash and length, never its text."""
    import _blake2

    digest = _blake2.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return {"hash": digest, "length": len(text)}
