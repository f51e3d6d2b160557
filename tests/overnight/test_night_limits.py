from datetime import time

import pytest
from night_world import LIMITS, SPAN, at, five, week

from orchestrate.overnight import budget, given, job, limits
from orchestrate.overnight.limits import Limits
from orchestrate.overnight.window import Night
from state import settings, snapshot
from state.errors import NOT_FOUND, USAGE, UserError
from state.paths import Place, locate
from state.settings_model import variable


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("overnight.floor_percent", "25", Limits(floor_percent=25.0)),
        ("overnight.floor_percent", "250", Limits(floor_percent=100.0)),
        ("overnight.floor_percent", "nan", Limits(floor_percent=10.0)),
        ("overnight.window_cap_percent", "40", Limits(window_cap_percent=40.0)),
        ("overnight.weekly_pace", "no", Limits(weekly_pace=False)),
        ("overnight.max_concurrent", "7", Limits(max_concurrent=7)),
        ("overnight.max_concurrent", "0", Limits(max_concurrent=1)),
        ("overnight.max_concurrent", "99", Limits(max_concurrent=16)),
        ("overnight.blind_jobs", "2", Limits(blind_jobs=2)),
        ("overnight.stop_on_activity", "yes", Limits(stop_on_activity=True)),
    ],
)
def test_each_setting_is_a_limit_within_its_bounds(place, key, text, expected):
    assert limits.of(snapshot.read(place, {variable(key): text}).values) == expected


@pytest.mark.parametrize(
    ("env", "until", "expected"),
    [
        ({}, None, Night(time(23), time(6))),
        ({"ORCHESTRATOR_OVERNIGHT__START": "21:30"}, None, Night(time(21, 30), time(6))),
        ({"ORCHESTRATOR_OVERNIGHT__UNTIL": "5:15"}, None, Night(time(23), time(5, 15))),
        ({"ORCHESTRATOR_OVERNIGHT__UNTIL": "5:15"}, "07:00", Night(time(23), time(7))),
        ({"ORCHESTRATOR_OVERNIGHT__UNTIL": "soon"}, None, Night(time(23), time(6))),
    ],
)
def test_the_night_is_as_the_settings_say(place, env, until, expected):
    assert limits.night(snapshot.read(place, env).values, until) == expected


def test_a_night_goes_by_the_users_settings_and_no_projects(place, project, home):
    (project / ".orchestrator").mkdir()
    (project / ".orchestrator" / "config.yaml").write_text("overnight:\n  floor_percent: 0\n")
    (home / ".orchestrator").mkdir()
    (home / ".orchestrator" / "config.yaml").write_text("overnight:\n  floor_percent: 30\n")
    users = limits.users(place)
    assert limits.of(settings.load(users, {}).settings.flat()).floor_percent == 30.0
    with pytest.raises(UserError, match="no writable home folder"):
        limits.users(Place("/p", "p", "/p/.orchestrator", None, True))


SHELL = "no shell runs this, and {} needs one: write sh -c '...' around all of it, or quote it where it is an argument"


def test_a_repository_names_no_checks_before_it_is_trusted(project, home):
    (project / ".orchestrator").mkdir()
    (project / ".orchestrator" / "config.yaml").write_text("overnight:\n  checks: ./evil.sh\n")
    loaded = settings.load(locate(str(project), {"HOME": str(home)}), {})
    assert loaded.settings.flat()["overnight.checks"] == ""
    assert [line for line in loaded.warnings if "overnight.checks" in line] == [
        f"{project}/.orchestrator: overnight.checks: ./evil.sh is ignored until you trust this repository "
        "(`orchestrate trust`)"
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("pytest -q", (("pytest", "-q"),)),
        ("ruff check . && pytest -q 'a b'", (("ruff", "check", "."), ("pytest", "-q", "a b"))),
        ("ruff check .&&pytest '&&' \"$(id)\"", (("ruff", "check", "."), ("pytest", "&&", "$(id)"))),
    ],
)
def test_checks_are_programs_and_their_arguments(text, expected):
    assert job.checks(text, "here") == expected


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("pytest 'a", 'here: "pytest \'a": no closing quotation: quote it as for a shell'),
        ("echo $(id); rm x", f"here: 'echo $(id); rm x': {SHELL.format('$(')}"),
        ("a && b | c", f"here: 'a && b | c': {SHELL.format('|')}"),
        ("a && && b", "here: 'a && && b': a command is missing beside a &&"),
        ("&& b", "here: '&& b': a command is missing beside a &&"),
        ("a &&", "here: 'a &&': a command is missing beside a &&"),
    ],
)
def test_checks_that_cannot_be_read_are_one_line(text, complaint):
    with pytest.raises(UserError) as caught:
        job.checks(text, "here")
    assert (caught.value.code, str(caught.value)) == (USAGE, complaint)


@pytest.mark.parametrize("text", [" \n", "a\0b", "\ud800", "x" * 65_537])
def test_a_text_that_is_no_prompt_is_refused(text):
    with pytest.raises(UserError) as caught:
        given.text(text)
    assert caught.value.code == USAGE


def test_a_project_is_a_repository(tmp_path):
    with pytest.raises(UserError, match="is no git repository"):
        given.project(str(tmp_path))
    with pytest.raises(UserError, match="no such folder") as caught:
        given.project(str(tmp_path / "none"))
    assert caught.value.code == NOT_FOUND


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (None, (None, None)),
        ("opus", (None, "opus")),
        ("lint-agent", ("lint-agent", None)),
        ("opus-general", ("opus-general", None)),
        ("orchestrate:opus-general", ("orchestrate:opus-general", None)),
    ],
)
def test_an_agent_is_one_that_there_is_or_a_tier(place, project, home, name, expected):
    env = {"HOME": str(home)}
    (project / ".claude/agents").mkdir(parents=True)
    (project / ".claude/agents/lint.md").write_text("---\nname: lint-agent\ndescription: lints\n---\n")
    assert given.agent(place, env, name) == expected
    with pytest.raises(UserError, match="is no name of an agent") as caught:
        given.agent(place, env, "../x")
    assert caught.value.code == USAGE
    with pytest.raises(UserError, match="agent 'lint': there is none") as caught:
        given.agent(place, env, "lint")
    assert caught.value.code == NOT_FOUND


@pytest.mark.parametrize(
    ("reading", "changed", "ceiling"),
    [
        (five(10), {}, 90.0),
        (five(10), {"floor_percent": 40.0}, 60.0),
        (week(10, at(24 * 3)), {}, 90.0),
        (week(10, SPAN.ends + 7 * 86_400), {"weekly_pace": True}, 0.0),
        (week(10, SPAN.ends + 7 * 43_200), {"weekly_pace": True}, 45.0),
        (week(10, SPAN.ends - 60), {"weekly_pace": True}, 90.0),
        (week(10, None), {"weekly_pace": True}, 90.0),
        (five(10), {"weekly_pace": True}, 90.0),
    ],
)
def test_a_window_is_used_up_to_its_ceiling(reading, changed, ceiling):
    assert budget.ceiling(reading, LIMITS._replace(**changed), SPAN) == pytest.approx(ceiling)
