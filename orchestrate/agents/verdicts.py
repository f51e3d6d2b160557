"""Earlier judgements, by key: the tier alone, in the user's own folder.

In the project's they might have come with the repository. A file that cannot be read or written costs a question.
"""

from collections.abc import Mapping
from contextlib import suppress

from routing.score import TIERS
from state import codec, files, locks
from state.errors import UserError

FILE = "cache/judged.json"
MOST = 1000  # the newest
_WAIT_S = 2.0


def found(user: str, key: str) -> str:
    return _read(user).get(key, "")


def keep(user: str, key: str, tier: str) -> None:
    with suppress(UserError), locks.hold(f"{user}/cache/judged.lock", _WAIT_S):
        kept = {name: value for name, value in _read(user).items() if name != key}
        newest = [*kept.items()][1 - MOST :]
        document: dict[str, object] = {"v": 1, "tiers": dict([*newest, (key, tier)])}
        files.replace(f"{user}/{FILE}", codec.dumps(document))


def _read(user: str) -> Mapping[str, str]:
    kept = codec.load(f"{user}/{FILE}").get("tiers")
    return {name: tier for name, tier in kept.items() if tier in TIERS} if isinstance(kept, dict) else {}
