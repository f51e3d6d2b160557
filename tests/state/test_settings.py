import pytest

from state import settings
from state.errors import UserError
from state.settings_model import KEYS, Settings, variable
from state.snapshot import DEFAULTS, read


@pytest.fixture
def user_file(home, ours):
    return home / ".orchestrator" / "config.yaml"


@pytest.fixture
def repo_file(project, ours):
    return project / ".orchestrator" / "config.yaml"


def problem(place, env=None):
    with pytest.raises(UserError) as caught:
        settings.load(place, env or {})
    return str(caught.value)


def test_the_defaults_are_those_of_the_hot_path():
    assert Settings().flat() == DEFAULTS
    assert [type(value) for value in Settings().flat().values()] == [type(value) for value in DEFAULTS.values()]


def test_every_key_says_what_it_does():
    assert [key for key, field in KEYS.items() if not field.description] == []


def test_each_layer_overrides_the_one_below(ours, user_file, repo_file):
    flags = {"log.level": "error"}
    env = {"ORCHESTRATOR_LOG__LEVEL": "info", "ORCHESTRATOR_OVERNIGHT__END_HOUR": "4"}
    user_file.write_text("log: {level: debug}\novernight: {start_hour: 20, end_hour: 5}\nsession: {keep_days: 9}\n")
    repo_file.write_text("log: {level: debug}\novernight:\n  start_hour: 21\n  end_hour: 3\n")
    loaded = settings.load(ours, env, flags)
    assert loaded.settings.flat() == DEFAULTS | {
        "session.keep_days": 9,
        "overnight.start_hour": 21,
        "overnight.end_hour": 4,
        "log.level": "error",
    }
    assert loaded.origins == dict.fromkeys(DEFAULTS, "default") | {
        "session.keep_days": "global",
        "overnight.start_hour": "repo",
        "overnight.end_hour": "env",
        "log.level": "flag",
    }


def test_the_environment_agrees_with_the_hot_path(ours):
    texts = {
        "enabled": "off",
        "mode": "directive",
        "enforcement": "advise",
        "rollout.enabled": "NO",
        "rollout.stage": "full",
        "overnight.start_hour": "1",
        "overnight.end_hour": "2",
        "overnight.start": "21:30",
        "overnight.until": "5:15",
        "overnight.floor_percent": "25",
        "overnight.window_cap_percent": "60.5",
        "overnight.weekly_pace": "no",
        "overnight.max_concurrent": "2",
        "overnight.blind_jobs": "4",
        "overnight.stop_on_activity": "yes",
        "overnight.checks": "ruff check . && pytest -q",
        "agents.haiku": "a",
        "agents.sonnet": "b",
        "agents.opus": "c",
        "models.haiku": "claude-haiku-4-5-20251001",
        "models.sonnet": "d",
        "models.opus": "e",
        "record_prompts": "text",
        "claude_binary": "/opt/claude",
        "run.timeout_s": "60",
        "run.stall_s": "30.5",
        "run.attempts": "1",
        "run.backoff_s": "0.5",
        "run.at_once": "5",
        "run.wait_s": "5",
        "run.max_turns": "7",
        "run.max_budget_usd": "2.5",
        "run.permission_mode": "plan",
        "run.cache": "yes",
        "judge.enabled": "yes",
        "judge.timeout_s": "7.5",
        "shadow.check": "make test",
        "shadow.spare": "0.25",
        "shadow.max_budget_usd": "3",
        "quota.step_down": "no",
        "quota.pressure": "0.5",
        "statusline.command": "date",
        "statusline.alarm": "on",
        "ab.enabled": "1",
        "ab.arms": "directive,session",
        "metrics.retention_days": "7",
        "session.keep_days": "8",
        "search.driver": "vector",
        "search.cache_ttl": "60",
        "search.expand": "yes",
        "search.expand_timeout_s": "5",
        "store.url": "postgresql://me@localhost/tools",
        "git.enabled": "no",
        "git.auto_commit": "yes",
        "git.track_commits": "off",
        "git.commit_message_template": "{task_code}",
        "bugs.offer": "yes",
        "sinks.hosts": "hooks.slack.com,10.0.0.7",
        "workflow.allow_phase_skip": "yes",
        "workflow.allow_user_override": "no",
        "workflow.require_artifact_validation": "off",
        "workflow.sync_files_on_close": "0",
        "workflow.engine_url": "postgresql://me@localhost/runs",
        "workflow.idle_s": "12.5",
        "workflow.runs_at_once": "4",
        "workflow.agents_at_once": "5",
        "workflow.agents_per_minute": "30",
        "work.wip_limit": "5",
        "work.claim_ttl_s": "90",
        "work.max_attempts": "4",
        "work.backoff_s": "2.5",
        "resume.enabled": "no",
        "resume.quiet_hours": "22:00-7:00",
        "resume.max_points": "7.5",
        "resume.max_usd": "2.5",
        "resume.give_up_after": "2",
        "resume.jitter_s": "0",
        "lock_timeout_s": "1.5",
        "log.format": "json",
        "log.level": "debug",
    }
    env = {variable(key): text for key, text in texts.items()}
    assert set(texts) == set(DEFAULTS)
    assert settings.load(ours, env).settings.flat() == read(ours, env).values


def test_the_variable_of_a_session_is_no_setting(ours):
    loaded = settings.load(ours, {"ORCHESTRATOR_SESSION": "abc", "ORCHESTRATOR_ROOT": "/", "ORCHESTRATOR_MODE": ""})
    assert (loaded.settings.flat(), loaded.warnings) == (DEFAULTS, [])


def test_a_misspelt_variable_is_told(ours):
    assert settings.load(ours, {"ORCHESTRATOR_ROLOUT__STAGE": "full"}).warnings == [
        "environment: ORCHESTRATOR_ROLOUT__STAGE is no setting (did you mean ORCHESTRATOR_ROLLOUT__STAGE?)"
    ]


def test_dotted_keys_and_empty_groups_are_read(ours, repo_file):
    repo_file.write_text("rollout.stage: batch\nrollout:\n  # stage: full\nmode:\n")
    loaded = settings.load(ours, {})
    assert (loaded.settings.flat(), loaded.origins["mode"]) == (DEFAULTS | {"rollout.stage": "batch"}, "default")


def test_off_is_a_word(ours, repo_file):
    repo_file.write_text("enforcement: off\nrollout:\n  enabled: off\n")
    assert settings.load(ours, {}).settings.flat() == DEFAULTS | {"enforcement": "off", "rollout.enabled": False}


def test_a_time_of_day_is_no_number(ours, repo_file):
    repo_file.write_text("overnight:\n  start: 21:30\n  floor_percent: 12.5\n  max_concurrent: 2\n")
    said = {"overnight.start": "21:30", "overnight.floor_percent": 12.5, "overnight.max_concurrent": 2}
    assert settings.load(ours, {}).settings.flat() == DEFAULTS | said


def test_json_is_read_and_wins_over_yaml_beside_it(ours, repo_file):
    repo_file.write_text("log:\n  level: info\n  format: json\n")
    repo_file.with_suffix(".json").write_text('{\n\t"log": {"level": "error"},\n\t"enabled": false\n}\n')
    assert settings.load(ours, {}).settings.flat() == DEFAULTS | {
        "log.level": "error",
        "log.format": "json",
        "enabled": False,
    }


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("# a\n\nrolout:\n  stage: full\n", ":4: no key named 'rolout.stage' (did you mean rollout.stage?)"),
        ("zzz: 1\n", ":1: no key named 'zzz' (`orchestrate config show` lists them)"),
        ("rollout: full\n", ":1: rollout: expected a group of keys (enabled, stage)"),
        ("mode: fast\n", ":1: mode: input should be 'auto', 'directive' or 'orchestration', got 'fast'"),
        ("mode:\n  a: 1\n", ":2: no key named 'mode.a' (did you mean mode?)"),
        ("mode: [auto]\n", ":1: mode: input should be 'auto', 'directive' or 'orchestration', got ['auto']"),
        ("enabled: perhaps\n", ":1: enabled: expected true or false, got 'perhaps'"),
        ("log:\n  level: info\novernight:\n  end_hour: 24\n", ":4: overnight.end_hour: input should be less than or "),
        ("claude_binary: 5\n", ":1: claude_binary: input should be a valid string, got 5"),
        (
            "git:\n  commit_message_template: '{x} {task_code}'\n",
            ":2: git.commit_message_template: no placeholder named ",
        ),
        ("git.commit_message_template: 'a {'\n", ":1: git.commit_message_template: a brace stands alone: "),
        ("agents:\n  opus: 'x\\n ignore all'\n", ":2: agents.opus: string should match pattern "),
        (
            "overnight:\n  checks: a | b\n",
            ":2: overnight.checks: no shell runs this, and | needs one: write sh -c '...' around all of it, or quote "
            "it where it is an argument, got 'a | b'",
        ),
        ("overnight:\n  checks: a &&\n", ":2: overnight.checks: a command is missing beside a &&, got 'a &&'"),
        ("overnight:\n  checks: a 'b\n", ":2: overnight.checks: no closing quotation: quote it as for a shell, got "),
        ("shadow:\n  check: a && b\n", ":2: shadow.check: no shell runs this, and && needs one: "),
        ("mode: auto\nmode: auto\n", ":2: mode is given twice (first on line 1)"),
        ("log:\n  level: info\nlog:\n  format: text\n", ":3: log is given twice (first on line 1)"),
        ("a: &x 1\nmode: *x\n", ":2: not valid YAML: aliases are not supported"),
        ("mode: [auto\n", ":2: not valid YAML: expected ',' or ']', but got '<stream end>'"),
        ("log:\n\tlevel: info\n", ":2: not valid YAML: found character '\\t' that cannot start any token"),
        ("- mode\n", ":1: expected `key: value` lines"),
        ("mode: \x01\n", ": not valid YAML: unacceptable character #x0001: special characters are not allowed"),
        ("[" * 5000, ":1: nested too deeply: more than 100 levels"),
        ("#" * 300_000, ": larger than 262144 bytes: this is no configuration"),
    ],
)
def test_a_mistake_is_named_with_file_line_and_key(ours, repo_file, text, complaint):
    repo_file.write_text(text)
    assert problem(ours).startswith(f"{repo_file}{complaint}")


def test_every_mistake_is_told_at_once(ours, user_file):
    user_file.write_text("modus: auto\nlog:\n  levle: info\n")
    assert problem(ours).splitlines() == [
        f"{user_file}:1: no key named 'modus' (did you mean mode?)",
        f"{user_file}:3: no key named 'log.levle' (did you mean log.level?)",
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b'{"mode":\n nope}', ":2: not valid JSON: "),
        (b'{"mode": "auto",\n "modee": 1}', ":2: no key named 'modee' (did you mean mode?)"),
        (b'{"mode": "\xff"}', ":1: not UTF-8"),
    ],
)
def test_a_mistake_in_json_is_named_too(ours, repo_file, text, complaint):
    path = repo_file.with_suffix(".json")
    path.write_bytes(text)
    assert problem(ours).startswith(f"{path}{complaint}")


def test_a_wrong_variable_is_named(ours):
    assert problem(ours, {"ORCHESTRATOR_ENABLED": "y"}) == (
        "environment: ORCHESTRATOR_ENABLED: expected true or false, got 'y'"
    )


def test_a_folder_in_place_of_the_file_is_one_line(ours, repo_file):
    repo_file.mkdir()
    assert problem(ours) == f"cannot read {repo_file}: is a directory: a folder stands where a file is needed"
