"""Where am I, and so which mode: a labelled table, all of it right."""

import itertools
from types import MappingProxyType
from typing import NamedTuple

import pytest
from payloads import AT_HOME, HEADLESS

from orchestrate.request import context, mode
from state import snapshot
from state.paths import Place

ANSWER = ("kind", "mode", "source", "refused")
HERE = ("interactive", "directive", "rollout", False)
AWAY = ("batch", "directive", "rollout", False)
NIGHT = ("overnight", "directive", "rollout", False)
OLD_CLI = {"CLAUDE_CODE_ENTRYPOINT": "cli"}
OLD_PRINT = {"CLAUDE_CODE_ENTRYPOINT": "sdk-cli"}
BATCH, BATCH2 = {"BATCH_MODE": "1"}, {"CLAUDE_BATCH_MODE": "1"}
OVERNIGHT, API = {"CLAUDE_OVERNIGHT": "1"}, {"API_REQUEST": "1"}
SAY_D, SAY_O, SAY_AUTO = ({"ORCHESTRATOR_MODE": word} for word in ("directive", "orchestration", "auto"))
LIKE_D, LIKE_O = {"mode": "directive"}, {"mode": "orchestration"}
CLOSED = {"rollout.enabled": False}
DISABLED = {"ORCHESTRATOR_DISABLED": "1"}


def stage(name, **more):
    return {"rollout.stage": name, **more}


def moved(kind, source="rollout"):
    return (kind, "orchestration", source, False)


def kept(kind, source="rollout", refused=False):
    return (kind, "directive", source, refused)


class Case(NamedTuple):
    expected: tuple
    env: dict
    settings: dict
    hour: int
    tty: bool
    flag: str | None
    workflow: bool
    called: bool


def case(expected, env, settings=MappingProxyType({}), hour=14, tty=True, flag=None, workflow=False, called=False):
    """`tty`: whether somebody is presumed to be there; `called`: orchestrate-request was, rather than a hook."""
    return Case(expected, env, dict(settings), hour, tty, flag, workflow, called)


TABLE = {
    # Somebody types
    "a prompt by day": case(HERE, AT_HOME),
    "a prompt late at night": case(HERE, AT_HOME, hour=23),
    "a prompt at 22": case(HERE, AT_HOME, hour=22),
    "a prompt at 6": case(HERE, AT_HOME, hour=6),
    "a prompt at midnight where workflows lie": case(HERE, AT_HOME, hour=0, workflow=True),
    "a prompt at night, every stage on": case(HERE, AT_HOME, stage("full"), hour=3, workflow=True),
    "a prompt where workflows lie": case(HERE, AT_HOME, workflow=True),
    "an older client": case(HERE, OLD_CLI),
    "an older client at night": case(HERE, OLD_CLI, hour=2),
    "an editor's extension": case(HERE, {"CLAUDE_CODE_ENTRYPOINT": "claude-vscode"}),
    "the desktop": case(HERE, {"CLAUDE_CODE_ENTRYPOINT": "claude-desktop"}),
    "a client that says nothing": case(HERE, {}),
    "attended, though by an SDK": case(HERE, {**OLD_PRINT, "CLAUDE_CODE_SESSION_ATTENDED": "1"}),
    "the request command on a terminal": case(moved("interactive"), {}, called=True),
    "the request command on a terminal at night": case(moved("interactive"), {}, hour=23, called=True),
    "the request command on a terminal, workflows": case(moved("interactive"), {}, workflow=True, called=True),
    # Nobody types, and nobody said why
    "headless by day": case(AWAY, HEADLESS),
    "headless at night": case(NIGHT, HEADLESS, hour=23),
    "headless where workflows lie": case(AWAY, HEADLESS, workflow=True),
    "an older client headless": case(AWAY, OLD_PRINT),
    "the TypeScript SDK": case(AWAY, {"CLAUDE_CODE_ENTRYPOINT": "sdk-ts"}),
    "the Python SDK at night": case(NIGHT, {"CLAUDE_CODE_ENTRYPOINT": "sdk-py"}, hour=4),
    "the client as an MCP server": case(AWAY, {"CLAUDE_CODE_ENTRYPOINT": "mcp"}),
    "a GitHub action": case(AWAY, {"CLAUDE_CODE_ENTRYPOINT": "claude-code-github-action"}),
    "unattended, though by the terminal client": case(AWAY, {**OLD_CLI, "CLAUDE_CODE_SESSION_ATTENDED": "0"}),
    "an odd word for attended": case(HERE, {**OLD_CLI, "CLAUDE_CODE_SESSION_ATTENDED": "yes"}, tty=False),
    "the request command in a pipe": case(moved("batch"), {}, tty=False, called=True),
    "the request command in a pipe at night": case(moved("overnight"), {}, hour=23, tty=False, called=True),
    "the request command in a pipe at 6": case(moved("overnight"), {}, hour=6, tty=False, called=True),
    "the request command in a pipe at 7": case(moved("batch"), {}, hour=7, tty=False, called=True),
    "the request command in a pipe at 21": case(moved("batch"), {}, hour=21, tty=False, called=True),
    "the request command in a pipe, workflows": case(moved("batch"), {}, tty=False, workflow=True, called=True),
    "the same before stage hybrid": case(AWAY, {}, stage("optin"), tty=False, workflow=True, called=True),
    "at night before stage hybrid": case(NIGHT, {}, stage("optin"), hour=23, tty=False, called=True),
    "the request command called by a headless client at night": case(
        moved("overnight"), HEADLESS, hour=1, tty=False, called=True
    ),
    # The night is what the settings say
    "nights from 20": case(moved("overnight"), {}, {"overnight.start_hour": 20}, hour=20, tty=False, called=True),
    "nights till 5": case(moved("batch"), {}, {"overnight.end_hour": 5}, hour=6, tty=False, called=True),
    "a shift by day": case(
        moved("overnight"), {}, {"overnight.start_hour": 9, "overnight.end_hour": 17}, hour=12, tty=False, called=True
    ),
    "outside a shift by day": case(
        moved("batch"), {}, {"overnight.start_hour": 9, "overnight.end_hour": 17}, hour=23, tty=False, called=True
    ),
    # Somebody said why
    "BATCH_MODE": case(moved("batch"), BATCH),
    "CLAUDE_BATCH_MODE": case(moved("batch"), BATCH2),
    "both batch variables": case(moved("batch"), {**BATCH, **BATCH2}),
    "BATCH_MODE=0": case(HERE, {"BATCH_MODE": "0"}),
    "BATCH_MODE=true is not 1": case(HERE, {"BATCH_MODE": "true"}),
    "BATCH_MODE=0 does not undo the other": case(moved("batch"), {"BATCH_MODE": "0", **BATCH2}),
    "batch declared where somebody types": case(moved("batch"), {**AT_HOME, **BATCH}),
    "batch at night": case(moved("batch"), {**HEADLESS, **BATCH}, hour=23),
    "batch before stage batch": case(kept("batch"), BATCH, stage("overnight")),
    "batch in stage batch": case(moved("batch"), BATCH, stage("batch")),
    "CLAUDE_OVERNIGHT": case(moved("overnight"), OVERNIGHT),
    "CLAUDE_OVERNIGHT in the first stage": case(moved("overnight"), OVERNIGHT, stage("overnight")),
    "CLAUDE_OVERNIGHT=0 at night": case(HERE, {**AT_HOME, "CLAUDE_OVERNIGHT": "0"}, hour=23),
    "overnight and batch": case(moved("overnight"), {**OVERNIGHT, **BATCH}, stage("overnight")),
    "API_REQUEST": case(moved("api"), API, tty=False, called=True),
    "API_REQUEST in a hook": case(moved("api"), API),
    "the API before stage batch": case(kept("api"), API, stage("overnight"), tty=False, called=True),
    "the API in stage batch": case(moved("api"), API, stage("batch"), tty=False, called=True),
    "the API above batch and night": case(moved("api"), {**API, **BATCH, **OVERNIGHT}, hour=23, tty=False, called=True),
    # The preference
    "prefers orchestration": case(moved("interactive", "preference"), AT_HOME, LIKE_O),
    "prefers it headless": case(moved("batch", "preference"), HEADLESS, LIKE_O),
    "prefers it before stage optin": case(HERE, AT_HOME, stage("batch", **LIKE_O)),
    "prefers it in stage optin": case(moved("interactive", "preference"), AT_HOME, stage("optin", **LIKE_O)),
    "prefers directive": case(kept("interactive", "preference"), AT_HOME, LIKE_D),
    "prefers directive in a batch": case(kept("batch", "preference"), BATCH, LIKE_D),
    "prefers directive overnight": case(kept("overnight", "preference"), OVERNIGHT, LIKE_D, hour=23),
    "prefers directive, workflows, a pipe": case(
        kept("overnight", "preference"), {}, LIKE_D, hour=23, tty=False, workflow=True, called=True
    ),
    # The environment says
    "ORCHESTRATOR_MODE=orchestration": case(moved("interactive", "env"), {**AT_HOME, **SAY_O}),
    "ORCHESTRATOR_MODE=directive in a batch": case(kept("batch", "env"), {**BATCH, **SAY_D}),
    "it beats the preference": case(kept("interactive", "env"), {**AT_HOME, **SAY_D}, LIKE_O),
    "it beats the other preference": case(moved("interactive", "env"), {**AT_HOME, **SAY_O}, LIKE_D),
    "it beats the stage": case(moved("interactive", "env"), {**AT_HOME, **SAY_O}, stage("overnight")),
    "auto is no word": case(HERE, {**AT_HOME, **SAY_AUTO}),
    "auto takes the preference back": case(moved("batch"), {**BATCH, **SAY_AUTO}, LIKE_D),
    "a word nobody knows": case(moved("interactive", "preference"), {**AT_HOME, "ORCHESTRATOR_MODE": "magic"}, LIKE_O),
    # The flag
    "--mode orchestration": case(moved("interactive", "flag"), AT_HOME, flag="orchestration", called=True),
    "--mode directive in a batch": case(kept("batch", "flag"), BATCH, tty=False, flag="directive", called=True),
    "--mode beats the environment": case(
        moved("interactive", "flag"), {**AT_HOME, **SAY_D}, flag="orchestration", called=True
    ),
    "--mode beats environment and preference": case(
        kept("interactive", "flag"), {**AT_HOME, **SAY_O}, LIKE_O, flag="directive", called=True
    ),
    "--mode beats the stage": case(
        moved("interactive", "flag"), AT_HOME, stage("overnight"), flag="orchestration", called=True
    ),
    "--mode auto is no word": case(moved("interactive"), AT_HOME, flag="auto", called=True),
    # The switches
    "rolled back": case(kept("interactive", "switch"), AT_HOME, CLOSED),
    "rolled back in a batch": case(kept("batch", "switch"), BATCH, CLOSED),
    "rolled back, stage full": case(
        kept("overnight", "switch"), OVERNIGHT, stage("full", **CLOSED), hour=23, workflow=True, called=True
    ),
    "rolled back, prefers orchestration": case(kept("interactive", "switch"), AT_HOME, {**CLOSED, **LIKE_O}),
    "rolled back, and asked for by flag": case(
        kept("interactive", "switch", refused=True), AT_HOME, CLOSED, flag="orchestration", called=True
    ),
    "rolled back, and asked for by environment": case(
        kept("batch", "switch", refused=True), {**BATCH, **SAY_O}, CLOSED, tty=False, called=True
    ),
    "rolled back, the flag says directive": case(
        kept("interactive", "switch"), {**AT_HOME, **SAY_O}, CLOSED, flag="directive", called=True
    ),
    "rolled back by environment": case(kept("batch", "switch"), {**BATCH, "ORCHESTRATOR_ROLLOUT__ENABLED": "false"}),
    "disabled": case(kept("batch", "switch"), {**BATCH, **DISABLED}, called=True),
    "disabled, and asked for by flag": case(
        kept("batch", "switch", refused=True), {**BATCH, **DISABLED}, flag="orchestration", called=True
    ),
}


def resolve(row, **over):
    """The context and the mode of one row, read as the product reads them: the environment lies over the settings."""
    values = {**snapshot.DEFAULTS, **row.settings, **snapshot.overlay(row.env), **over}
    here = context.detect(row.env, values, row.hour, row.workflow, row.tty)
    return here, mode.select(here, values, row.env, row.flag, row.called)


def answer(row, **over):
    here, chosen = resolve(row, **over)
    return here.kind, chosen.mode, chosen.source, chosen.refused


def test_the_table_is_large_enough():
    assert len(TABLE) >= 60


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_situation(row):
    assert dict(zip(ANSWER, answer(row), strict=True)) == dict(zip(ANSWER, row.expected, strict=True))


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_every_mode_has_a_reason_in_words(row):
    here, chosen = resolve(row)
    assert chosen.reason.strip()
    assert list(here.signals()) == [
        "is_interactive",
        "is_overnight",
        "is_batch",
        "is_api",
        "has_workflow",
        "user_preference",
        "hour",
        "declared",
    ]


@pytest.mark.parametrize("name", mode.STAGES)
@pytest.mark.parametrize("hour", range(24))
def test_the_clock_alone_moves_nobody_who_types(hour, name):
    for env in (AT_HOME, OLD_CLI, {}):
        assert answer(case(HERE, env, stage(name), hour, workflow=True)) == HERE


@pytest.mark.parametrize("hour", range(24))
def test_the_night_is_from_22_to_6_inclusive(hour):
    here, _ = resolve(case(None, HEADLESS, hour=hour))
    assert here.is_overnight == (hour >= 22 or hour <= 6)
    assert here.kind == ("overnight" if here.is_overnight else "batch")


def outcomes(name):
    """What a stage makes of every situation, with the ceiling of enforcement that it allows."""
    found = (resolve(row, **{"rollout.stage": name})[1] for row in TABLE.values())
    return [(chosen.mode, chosen.source, chosen.ceiling) for chosen in found]


@pytest.mark.parametrize(("before", "after"), list(itertools.pairwise(mode.STAGES)))
def test_each_stage_moves_more_than_the_one_before(before, after):
    changed = [(one, other) for one, other in zip(outcomes(before), outcomes(after), strict=True) if one != other]
    assert changed
    assert [pair for pair in changed if pair[0][0] == "orchestration" and pair[1][0] == "directive"] == []


def test_the_stages_of_the_settings_are_those_of_the_table():
    assert tuple(mode.STAGES) == snapshot.CHOICES["rollout.stage"]


@pytest.mark.parametrize(
    ("settings", "ceiling"),
    [
        ({}, "subagents"),
        (stage("overnight"), "subagents"),
        (stage("full"), "session"),
        (stage("full", enforcement="advise"), "advise"),
        ({"enforcement": "off"}, "off"),
        ({"enforcement": "session"}, "session"),
        ({"enforcement": "subagents", **CLOSED}, "advise"),
        ({"enforcement": "off", **CLOSED}, "off"),
    ],
)
def test_the_ceiling_of_enforcement(settings, ceiling):
    assert resolve(case(HERE, AT_HOME, settings))[1].ceiling == ceiling


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ([], False),
        (["a.yaml"], True),
        (["a.json"], True),
        (["b.yml"], False),
        (["notes.md"], False),
        (["a.yaml.bak", "yaml"], False),
    ],
)
def test_a_workflow_is_a_yaml_or_json_file_in_the_state(names, found, tmp_path):
    (tmp_path / "workflows").mkdir()
    for name in names:
        (tmp_path / "workflows" / name).touch()
    assert context.has_workflow(Place(str(tmp_path), "p", str(tmp_path), None, True)) is found


def test_no_folder_of_workflows_is_no_workflow(place):
    assert context.has_workflow(place) is False
