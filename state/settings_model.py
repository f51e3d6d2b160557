"""Every setting with its kind, default and meaning."""

import difflib
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from state import message_template
from state.settings_kinds import Command, Group, Switch
from state.settings_night import Overnight, Resume
from state.snapshot import PREFIX, Value


def _template(value: str) -> str:
    problem = message_template.wrong(value)
    if problem:
        raise ValueError(problem)
    return value


Days = Annotated[int, Field(ge=1, le=36500)]
ModelId = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:/@\[\]-]{0,128}$")]
ARMS_PATTERN = r"^(directive|subagents|session|orchestration)(,(directive|subagents|session|orchestration))*$"
HOSTS_PATTERN = r"^[A-Za-z0-9.:_-]{0,253}(,[A-Za-z0-9.:_-]{1,253}){0,99}$"
AgentName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")]


class Rollout(Group):
    enabled: Switch = Field(
        True, description="`false`: every prompt is routed in directive mode, and asking for orchestration is refused."
    )
    stage: Literal["overnight", "batch", "optin", "hybrid", "full"] = Field(
        "hybrid",
        description="How far orchestration mode reaches: `overnight` jobs; `batch` adds batch and API; `optin` adds "
        "interactive users who ask; `hybrid` is the default table for all; `full` also turns the strongest rung on.",
    )


class Agents(Group):
    haiku: AgentName = Field("haiku-general", description="The agent that a directive names for the haiku tier.")
    sonnet: AgentName = Field("sonnet-general", description="The agent that a directive names for the sonnet tier.")
    opus: AgentName = Field("opus-general", description="The agent that a directive names for the opus tier.")


class Models(Group):
    haiku: ModelId = Field("", description="A concrete model id for the haiku tier; empty: the client's alias.")
    sonnet: ModelId = Field("", description="A concrete model id for the sonnet tier; empty: the client's alias.")
    opus: ModelId = Field("", description="A concrete model id for the opus tier; empty: the client's alias.")


class Run(Group):
    timeout_s: float = Field(1800.0, ge=0.1, le=86400, description="How long one attempt of an agent may take.")
    stall_s: float = Field(300.0, ge=0.1, le=86400, description="An agent that says nothing for so long is stopped.")
    attempts: int = Field(3, ge=1, le=20, description="How often one model is tried at the most.")
    backoff_s: float = Field(
        1.0, ge=0, le=30, description="The pause before a second try, doubled for each further one, up to 30 s."
    )
    at_once: int = Field(3, ge=1, le=64, description="How many agents of this user run at the same time.")
    wait_s: float = Field(600.0, ge=0, le=86400, description="How long a request waits for its turn to run an agent.")
    max_turns: int = Field(0, ge=0, le=10000, description="The most turns of one attempt; 0 leaves it to the client.")
    max_budget_usd: float = Field(
        0.0, ge=0, le=100000, description="What one attempt may cost with an API key; 0: no limit."
    )
    permission_mode: Literal["", "default", "acceptEdits", "plan", "dontAsk", "auto", "bypassPermissions"] = Field(
        "", description="The client's permission mode for agents; empty leaves it to the client's own settings."
    )
    cache: Switch = Field(
        False, description="`true`: the same request to the same agent on an unchanged git tree gets the last answer."
    )


class Judge(Group):
    enabled: Switch = Field(
        False,
        description="`true`: in batch and overnight contexts a small model is asked for the tier where the router "
        "abstains.",
    )
    timeout_s: float = Field(20.0, ge=1, le=300, description="How long that may take; then the router's tier stands.")


class Shadow(Group):
    check: Command = Field(
        "", description="The command, as `pytest -q`, that tests this project; `route shadow run` needs one."
    )
    spare: float = Field(
        0.5, ge=0, le=1, description="`route shadow run` works while less than this share of each limit is used."
    )
    max_budget_usd: float = Field(
        0.0, ge=0, le=100000, description="What one `route shadow run` may cost with an API key; 0: nothing."
    )


class Quota(Group):
    step_down: Switch = Field(
        True, description="`true`: while a limit of the account is nearly used up, work goes to the next cheaper tier."
    )
    pressure: float = Field(0.9, ge=0.1, le=1, description="The used share from which on a limit is nearly used up.")


class Statusline(Group):
    command: str = Field("", description="Your own status line command, whose output comes before ours.")
    alarm: Switch = Field(False, description="`true`: the status line tells of models that served undecided.")


class Ab(Group):
    enabled: Switch = Field(False, description="`true`: every session is assigned to one of `ab.arms`, by its id.")
    arms: Annotated[str, Field(pattern=ARMS_PATTERN)] = Field(
        "directive,subagents,session,orchestration", description="The arms that sessions are assigned to."
    )


class Metrics(Group):
    retention_days: Days = Field(90, description="Recorded facts older than this are removed by `metrics cleanup`.")


class Session(Group):
    keep_days: Days = Field(30, description="Sessions idle for longer are removed by `session cleanup`.")


class StoreSettings(Group):
    url: str = Field(
        "",
        description="The PostgreSQL database that keeps the store, as `postgresql://user@host/database`; empty: a "
        "SQLite file of the project.",
    )


class Workflow(Group):
    allow_phase_skip: Switch = Field(
        False, description="`true`: `phase complete --to` may leave phases out, or go back to an earlier one."
    )
    allow_user_override: Switch = Field(
        True, description="`false`: `phase complete --override` is refused, whatever the reason."
    )
    require_artifact_validation: Switch = Field(
        True, description="`false`: a phase is completed also where the files that it requires are missing."
    )
    sync_files_on_close: Switch = Field(
        True, description="`true`: when a session ends, its artifacts are copied to the folder of the session."
    )
    engine_url: str = Field(
        "",
        description="The PostgreSQL database by which several machines share the runs of workflows; empty: that of "
        "your own `store.url`, else a SQLite file. Your own file or the environment alone say it, no project's.",
    )
    idle_s: float = Field(
        300.0, ge=0.1, le=86400, description="How long the runner of workflows stays when there is nothing to run."
    )
    runs_at_once: int = Field(
        16, ge=1, le=1000, description="How many runs of workflows this machine works on; the next ones wait."
    )
    agents_at_once: int = Field(
        0,
        ge=0,
        le=10_000,
        description="How many agents of workflows work at the same time, on all machines that share runs together; "
        "`0`: as many as `run.at_once` lets each have.",
    )
    agents_per_minute: int = Field(
        0,
        ge=0,
        le=10_000,
        description="How many agents of workflows begin within a minute, on all machines that share runs together; "
        "`0`: no limit.",
    )


class Git(Group):
    enabled: Switch = Field(True, description="`false`: `orchestrate git` and the git hooks of phases do nothing.")
    auto_commit: Switch = Field(
        False, description="`true`: `phase complete` commits the changed files that git tracks, by the template."
    )
    track_commits: Switch = Field(
        True, description="`false`: the hooks of phases and `orchestrate git commit` keep no commits with the task."
    )
    commit_message_template: Annotated[str, Field(max_length=500), AfterValidator(_template)] = Field(
        "feat({sprint_code}): {task_title} [{task_code}]",
        description="The message of commits; `{phase}` is known too. Brackets around an empty value go with it.",
    )


class Bugs(Group):
    offer: Switch = Field(
        False,
        description="`true`: when a tool or a test run fails, the model is told the `orchestrate bug log` line for it. "
        "`orchestrate install` adds the hooks that this needs.",
    )


class Sinks(Group):
    hosts: Annotated[str, Field(pattern=HOSTS_PATTERN)] = Field(
        "", description="The hosts beside this machine that sinks may send events to, separated by commas."
    )


class Search(Group):
    driver: Literal["fulltext", "vector", "pgvector"] = Field(
        "fulltext",
        description="What finds events: their words (`fulltext`); what they mean too, without a network (`vector`); "
        "`pgvector` is not available yet.",
    )
    cache_ttl: int = Field(
        3600,
        ge=0,
        le=31_536_000,
        description="How many seconds an answer of `search` is kept at the most; 0: not at all.",
    )
    expand: Switch = Field(False, description="`true`: a small model is asked for further words to search for.")
    expand_timeout_s: float = Field(
        20.0, ge=1, le=300, description="How long that may take; then the search goes on without."
    )


class Work(Group):
    wip_limit: int = Field(3, ge=1, le=5, description="How many items of the queue are claimed at the same time.")
    claim_ttl_s: float = Field(
        3600.0, ge=1, le=604_800, description="How long a claim holds, unless its owner extends it or gives a time."
    )
    max_attempts: int = Field(
        3, ge=1, le=20, description="How often an item is claimed before it is a dead letter, unless it says so itself."
    )
    backoff_s: float = Field(
        60.0, ge=0, le=3600, description="The pause before a second try, doubled for each further one, up to an hour."
    )


class Log(Group):
    format: Literal["text", "json"] = Field("text", description="How log lines on stderr are written.")
    level: Literal["debug", "info", "warning", "error"] = Field("warning", description="The least severe line shown.")


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True)

    enabled: Switch = Field(True, description="`false`: the hooks of this project are silent.")
    mode: Literal["auto", "directive", "orchestration"] = Field(
        "auto", description="The mode you prefer; `auto` leaves the choice to the context of each prompt."
    )
    enforcement: Literal["", "off", "advise", "subagents", "session"] = Field(
        "",
        description="The strongest means a decision may use. `off`: recorded, nothing said; `advise`: a directive; "
        "`subagents`: the model of subagents too; `session`: the main thread too. Empty: by `rollout.stage`, "
        "`session` in stage `full`, else `subagents`.",
    )
    rollout: Rollout = Rollout()
    overnight: Overnight = Overnight()
    agents: Agents = Agents()
    models: Models = Models()
    record_prompts: Literal["hash", "text"] = Field(
        "hash", description="What the log keeps of a prompt: its hash and length, or its `text` too."
    )
    claude_binary: str = Field("claude", min_length=1, description="The client that orchestration mode starts.")
    run: Run = Run()
    judge: Judge = Judge()
    shadow: Shadow = Shadow()
    quota: Quota = Quota()
    statusline: Statusline = Statusline()
    ab: Ab = Ab()
    metrics: Metrics = Metrics()
    session: Session = Session()
    search: Search = Search()
    store: StoreSettings = StoreSettings()
    workflow: Workflow = Workflow()
    git: Git = Git()
    bugs: Bugs = Bugs()
    sinks: Sinks = Sinks()
    work: Work = Work()
    resume: Resume = Resume()
    lock_timeout_s: float = Field(10.0, ge=0, le=3600, description="How long a command waits for another to finish.")
    log: Log = Log()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `settings.load` has merged: it must be able to say where each value came from."""
        return (init_settings,)

    def flat(self) -> dict[str, Value]:
        return flat(self.model_dump())


def _fields(model: type[BaseModel], prefix: str = "") -> dict[str, FieldInfo]:
    found: dict[str, FieldInfo] = {}
    for name, field in model.model_fields.items():
        group = field.annotation
        if isinstance(group, type) and issubclass(group, BaseModel):
            found |= _fields(group, f"{prefix}{name}.")
        else:
            found[prefix + name] = field
    return found


KEYS = _fields(Settings)
GROUPS = {key.rpartition(".")[0] for key in KEYS} - {""}


def flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Value]:  # Any: what pydantic dumps
    found: dict[str, Value] = {}
    for name, value in tree.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found


def nested(values: Mapping[str, object]) -> dict[str, object]:
    tree: dict[str, object] = {}
    groups: dict[str, dict[str, object]] = {}
    for key, value in values.items():
        group, _, name = key.rpartition(".")
        if group:
            tree[group] = groups.setdefault(group, {})
            groups[group][name] = value
        else:
            tree[name] = value
    return tree


def unknown(key: str) -> str:
    close = difflib.get_close_matches(key, KEYS, 1)
    return f"no key named {key!r} (" + (
        f"did you mean {close[0]}?)" if close else "`orchestrate config show` lists them)"
    )


def variable(key: str) -> str:
    """The environment variable of a key."""
    return PREFIX + key.replace(".", "__").upper()
