"""What a repository's own configuration may not decide until its user has said so with `orchestrate trust`."""

import hashlib
import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import orjson

from state import files, locks
from state.errors import UserError
from state.journal import stamp
from state.paths import FOLDER, Place
from state.redact import redact
from state.snapshot import DEFAULTS, Value

_FILE = "trust.json"
_RANK = ("off", "advise", "subagents", "session")
_NEEDS_TRUST = (
    "claude_binary",
    "agents.haiku",
    "agents.sonnet",
    "agents.opus",
    "models.haiku",
    "models.sonnet",
    "models.opus",
    "statusline.command",
    "ab.enabled",
    "judge.enabled",
    "shadow.check",
    "shadow.spare",
    "shadow.max_budget_usd",
    "overnight.checks",
    "search.expand",
    "run.max_budget_usd",
    "run.permission_mode",
    "store.url",
    "workflow.engine_url",
    "sinks.hosts",
    "resume.quiet_hours",
    "resume.max_points",
    "resume.max_usd",
    "resume.give_up_after",
)
# What a user switched off, kept out of the log or did not ask for, a repository does not switch on.
_RAISED_BY = {
    "mode": "orchestration",
    "enabled": True,
    "rollout.enabled": True,
    "record_prompts": "text",
    "git.enabled": True,
    "git.auto_commit": True,
    "bugs.offer": True,
    "resume.enabled": True,
}


class Trusted(NamedTuple):
    root: str
    sha256: str
    at: str
    workflows: str = ""  # the digest of that folder


def ignored(place: Place, sha256: str, repo: Mapping[str, Value], beneath: Mapping[str, Value]) -> dict[str, Value]:
    """What an untrusted repository wants and does not get."""
    if not is_repositorys_own(place):
        return {}
    keys = guarded(repo, beneath)
    return {} if not keys or is_trusted(place, sha256) else {key: repo[key] for key in keys}


def warnings(place: Place, ignored: Mapping[str, Value]) -> list[str]:
    return [
        f"{place.state}: {key}: {redact(str(value))} is ignored until you trust this repository (`orchestrate trust`)"
        for key, value in ignored.items()
    ]


def guarded(repo: Mapping[str, Value], beneath: Mapping[str, Value]) -> list[str]:
    """The keys of `repo` that need trust, given what defaults and the user's own file say."""
    under = {**DEFAULTS, **beneath}
    keys = [key for key in _NEEDS_TRUST if repo.get(key, under[key]) != under[key]]
    keys += [key for key, value in _RAISED_BY.items() if repo.get(key) == value != under[key]]
    return keys + _raising(repo, under)


def is_repositorys_own(place: Place) -> bool:
    return place.state == f"{place.root.rstrip('/')}/{FOLDER}"


def digest(raws: Iterable[bytes]) -> str:
    return hashlib.sha256(b"\0".join(raws)).hexdigest()


def is_trusted(place: Place, sha256: str) -> bool:
    return any(entry.root == place.root and entry.sha256 == sha256 for entry in trusted(place))


def trusted(place: Place) -> list[Trusted]:
    return _read(_path(place)) if place.user else []


def has_workflows(place: Place, sha256: str) -> bool:
    """Whether the workflows were trusted as they are: editing them leaves the trust in the settings alone."""
    return bool(sha256) and any(entry.root == place.root and entry.workflows == sha256 for entry in trusted(place))


def grant(place: Place, sha256: str, timeout_s: float, workflows: str | None = None) -> None:
    """`workflows`: None keeps what was trusted of them."""
    if workflows is None:
        workflows = next((entry.workflows for entry in trusted(place) if entry.root == place.root), "")
    _rewrite(place, Trusted(place.root, sha256, stamp(time.time()), workflows), timeout_s)


def revoke(place: Place, timeout_s: float) -> bool:
    """True when there was trust to take back."""
    known = any(entry.root == place.root for entry in trusted(place))
    if known:
        _rewrite(place, None, timeout_s)
    return known


def _raising(repo: Mapping[str, Value], under: Mapping[str, Value]) -> list[str]:
    """What lifts the enforcement above the rest: the key itself, or the stage whose default is higher."""
    raising: list[str] = []
    for key in ("enforcement", "rollout.stage"):
        over = {name: value for name, value in repo.items() if name not in raising}
        if key in repo and _rank({**under, **over}) > _rank(under):
            raising.append(key)
    return raising


def _rank(values: Mapping[str, Value]) -> int:
    by_stage = "session" if values["rollout.stage"] == "full" else "subagents"
    named = values["enforcement"] or by_stage
    return _RANK.index(named) if named in _RANK else -1


def _rewrite(place: Place, entry: Trusted | None, timeout_s: float) -> None:
    path = _path(place)
    with locks.hold(f"{path}.lock", timeout_s):
        kept = [one for one in _read(path) if one.root != place.root]
        entries = [*kept, *([entry] if entry else [])]
        roots = {one.root: {"sha256": one.sha256, "at": one.at, "workflows": one.workflows} for one in entries}
        files.replace(path, orjson.dumps({"v": 1, "roots": roots}, option=orjson.OPT_INDENT_2))


def _read(path: str) -> list[Trusted]:
    """Nobody is trusted by a file that cannot be understood."""
    raw = files.read(path)
    try:
        roots = orjson.loads(raw or b"{}")["roots"]
        return [
            Trusted(root, str(entry["sha256"]), str(entry["at"]), str(entry.get("workflows", "")))
            for root, entry in roots.items()
        ]
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return []


def _path(place: Place) -> str:
    if place.user is None:
        raise UserError("no writable home folder to keep trust in: set the keys by ORCHESTRATOR_* variables instead")
    return f"{place.user}/{_FILE}"
