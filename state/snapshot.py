"""The settings as the hot path reads them: one flat file that the cold side compiled, overlaid by the environment."""

import posix

from state import codec
from state.paths import Place, exists

Value = str | int | float | bool
PREFIX = "ORCHESTRATOR_"
WORDS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
DEFAULTS: dict[str, Value] = {
    "enabled": True,
    "mode": "auto",
    "enforcement": "",
    "rollout.enabled": True,
    "rollout.stage": "hybrid",
    "overnight.start_hour": 22,
    "overnight.end_hour": 6,
    "overnight.start": "23:00",
    "overnight.until": "06:00",
    "overnight.floor_percent": 10.0,
    "overnight.window_cap_percent": 100.0,
    "overnight.weekly_pace": True,
    "overnight.max_concurrent": 3,
    "overnight.blind_jobs": 0,
    "overnight.stop_on_activity": False,
    "overnight.checks": "",
    "agents.haiku": "haiku-general",
    "agents.sonnet": "sonnet-general",
    "agents.opus": "opus-general",
    "models.haiku": "",
    "models.sonnet": "",
    "models.opus": "",
    "record_prompts": "hash",
    "claude_binary": "claude",
    "run.timeout_s": 1800.0,
    "run.stall_s": 300.0,
    "run.attempts": 3,
    "run.backoff_s": 1.0,
    "run.at_once": 3,
    "run.wait_s": 600.0,
    "run.max_turns": 0,
    "run.max_budget_usd": 0.0,
    "run.permission_mode": "",
    "run.cache": False,
    "judge.enabled": False,
    "judge.timeout_s": 20.0,
    "shadow.check": "",
    "shadow.spare": 0.5,
    "shadow.max_budget_usd": 0.0,
    "quota.step_down": True,
    "quota.pressure": 0.9,
    "statusline.command": "",
    "statusline.alarm": False,
    "ab.enabled": False,
    "ab.arms": "directive,subagents,session,orchestration",
    "metrics.retention_days": 90,
    "session.keep_days": 30,
    "search.driver": "fulltext",
    "search.cache_ttl": 3600,
    "search.expand": False,
    "search.expand_timeout_s": 20.0,
    "store.url": "",
    "workflow.allow_phase_skip": False,
    "workflow.allow_user_override": True,
    "workflow.require_artifact_validation": True,
    "workflow.sync_files_on_close": True,
    "workflow.engine_url": "",
    "workflow.idle_s": 300.0,
    "workflow.runs_at_once": 16,
    "workflow.agents_at_once": 0,
    "workflow.agents_per_minute": 0,
    "git.enabled": True,
    "git.auto_commit": False,
    "git.track_commits": True,
    "git.commit_message_template": "feat({sprint_code}): {task_title} [{task_code}]",
    "bugs.offer": False,
    "sinks.hosts": "",
    "work.wip_limit": 3,
    "work.claim_ttl_s": 3600.0,
    "work.max_attempts": 3,
    "work.backoff_s": 60.0,
    "resume.enabled": True,
    "resume.quiet_hours": "",
    "resume.max_points": 20.0,
    "resume.max_usd": 1.0,
    "resume.give_up_after": 3,
    "resume.jitter_s": 120.0,
    "lock_timeout_s": 10.0,
    "log.format": "text",
    "log.level": "warning",
}
CHOICES = {
    "mode": ("auto", "directive", "orchestration"),
    "enforcement": ("", "off", "advise", "subagents", "session"),
    "rollout.stage": ("overnight", "batch", "optin", "hybrid", "full"),
    "record_prompts": ("hash", "text"),
    "search.driver": ("fulltext", "vector", "pgvector"),
    "run.permission_mode": ("", "default", "acceptEdits", "plan", "dontAsk", "auto", "bypassPermissions"),
    "log.format": ("text", "json"),
    "log.level": ("debug", "info", "warning", "error"),
}
# What these keys may say where nobody vouches for it.
UNVOUCHED: dict[str, Value] = {
    "mode": "directive",
    "enforcement": "off",
    "agents.haiku": "haiku-general",
    "agents.sonnet": "sonnet-general",
    "agents.opus": "opus-general",
    "models.haiku": "",
    "models.sonnet": "",
    "models.opus": "",
    "record_prompts": "hash",
    "claude_binary": "claude",
    "statusline.command": "",
    "ab.enabled": False,
    "git.auto_commit": False,
    "judge.enabled": False,
    "shadow.check": "",
    "shadow.spare": 0.5,
    "shadow.max_budget_usd": 0.0,
    "overnight.checks": "",
    "run.max_budget_usd": 0.0,
    "run.permission_mode": "",
    "store.url": "",
    "workflow.engine_url": "",
    "bugs.offer": False,
    "sinks.hosts": "",
    "search.expand": False,
    "resume.enabled": False,
    "resume.quiet_hours": "",
    "resume.max_points": 20.0,
    "resume.max_usd": 1.0,
    "resume.give_up_after": 3,
}
SOURCES = ("config.yaml", "config.json")
RULES = ("routing.yaml", "routing.json")
WORKFLOWS = ("workflow.yaml", "workflow.json")  # the phases of tasks


class Snapshot:
    __slots__ = ("error", "from_env", "stale", "values")

    def __init__(self, values: dict[str, Value], from_env: dict[str, Value], stale: bool, error: str | None) -> None:
        self.values = values
        self.from_env = from_env
        self.stale = stale
        self.error = error


def file(place: Place) -> str:
    """In the user's own folder: what lies in a repository may have come with it."""
    return f"{place.user}/cache/{place.project}.json" if place.user else f"{place.state}/cache/snapshot.json"


def read(place: Place, env: dict[str, str]) -> Snapshot:
    kept = codec.load(file(place))
    sources = [stamp(path) for path in source_paths(place)]
    from_env = overlay(env)
    values = {**DEFAULTS, **_allowed(_known(kept.get("values")), place), **from_env}
    error = kept.get("error")
    stale = kept.get("sources") != sources if kept else any(source[1] is not None for source in sources)
    return Snapshot(values, from_env, stale, error if isinstance(error, str) else None)


def source_paths(place: Place) -> list[str]:
    """Every file whose change makes the snapshot stale, weakest first."""
    folders = ([place.user] if place.user else []) + [place.state]
    paths = [f"{folder}/{name}" for folder in folders for name in SOURCES]
    return paths + ([f"{place.user}/trust.json"] if place.user else [])


def rules_file(place: Place) -> str:
    """Where the user's own rules for routing are kept compiled."""
    return file(place)[: -len("json")] + "rules.json"


def phase_file(place: Place) -> str:
    """Where the tasks that are worked on are told to hooks."""
    return file(place)[: -len("json")] + "phase.json"


def rules_paths(place: Place) -> list[str]:
    return [*_rules(place), *([f"{place.user}/trust.json"] if place.user else [])]


def has_rules(place: Place) -> bool:
    return any(map(exists, _rules(place)))


def _rules(place: Place) -> list[str]:
    folders = ([place.user] if place.user else []) + [place.state]
    return [f"{folder}/{name}" for folder in folders for name in RULES]


def stamp(path: str) -> list[object]:
    try:
        found = posix.stat(path)
    except OSError:
        return [path, None, None, None]
    return [path, found.st_mtime_ns, found.st_size, found.st_ino]


def overlay(env: dict[str, str]) -> dict[str, Value]:
    """What ORCHESTRATOR_* sets, as far as it is of the setting's kind; the cold side names the rest."""
    found: dict[str, Value] = {}
    for name, text in env.items():
        if text and name.startswith(PREFIX):
            key = name[len(PREFIX) :].lower().replace("__", ".")
            value = _parsed(key, text)
            if value is not None:
                found[key] = value
    return found


def _parsed(key: str, text: str) -> Value | None:
    default = DEFAULTS.get(key)
    if default is None:
        return None
    if isinstance(default, bool):
        return WORDS.get(text.strip().lower())
    if isinstance(default, str):
        return text if text in CHOICES.get(key, (text,)) else None
    try:
        return type(default)(text)
    except ValueError:
        return None


def _known(values: object) -> dict[str, Value]:
    if not isinstance(values, dict):
        return {}
    return {key: value for key, value in values.items() if _fits(key, value)}


def _allowed(values: dict[str, Value], place: Place) -> dict[str, Value]:
    """Without a folder of the user's own nobody vouches for the file: it may silence us, and name or raise nothing."""
    if place.user:
        return values
    return {key: value for key, value in values.items() if value == UNVOUCHED.get(key, value)}


def _fits(key: str, value: object) -> bool:
    """Another version may have written the file: what this one does not know stays at its default."""
    return type(value) is type(DEFAULTS.get(key)) and value in CHOICES.get(key, (value,))
