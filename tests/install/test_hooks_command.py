import itertools
import json
import os
import shlex
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from orchestrate import hookline, payloads
from orchestrate.install import shipped, status, survey, trial
from orchestrate.install.interpreter import Interpreter
from state.paths import locate

EVENTS = list(hookline.EVENTS)
NOTHING = "no hooks are installed: run `orchestrate install`"


@pytest.fixture
def report(orchestrate):
    def read():
        code, out, err = orchestrate("hooks", "status", "--json")
        assert err == ""
        return code, json.loads(out)

    return read


def test_status_before_any_install(report, home, project):
    def scope(name, path):
        empty = {"events": [], "missing": [], "command": "none", "interpreters": []}
        return {"scope": name, "path": str(path), **empty}

    assert report() == (
        1,
        {
            "scopes": [
                scope("user", home / ".claude/settings.json"),
                scope("project", project / ".claude/settings.json"),
                scope("local", project / ".claude/settings.local.json"),
            ],
            "plugin": None,
            "interpreter": None,
            "disabled": [],
            "problems": [NOTHING],
            "sessions": [],
            "rungs": {
                "live": "none",
                "main_thread": "none",
                "subagents": "none",
                "ceiling": "subagents",
                "steps": [
                    {"rung": rung, "state": "off", "why": "no hooks are installed"}
                    for rung in ("mod", "rewrite", "directive")
                ],
            },
            "self_check": None,
        },
    )


def test_status_after_an_install(orchestrate, report):
    orchestrate("install", "--scope", "local")
    code, found = report()
    runs = {"python": sys.executable, "home": shipped.here().home, "is_there": True}
    assert (code, found["problems"], found["interpreter"]) == (0, [], runs)
    local = found["scopes"][2]
    assert (local["events"], local["missing"], local["command"]) == (EVENTS, [], "current")
    assert local["interpreters"] == [runs]


def test_an_install_of_another_interpreter_is_stale_and_runs_beside(orchestrate, report, settings):
    older = hookline.command("/gone/python", "/gone/home")
    settings.parent.mkdir()
    handler = {"type": "command", "command": older}
    settings.write_text(json.dumps({"hooks": {"Stop": [{"hooks": [handler]}]}}))
    orchestrate("install", "--scope", "local")
    code, found = report()
    assert code == 1
    user = found["scopes"][0]
    assert (user["command"], user["events"], user["missing"]) == ("stale", ["Stop"], [e for e in EVENTS if e != "Stop"])
    assert user["interpreters"] == [{"python": "/gone/python", "home": "/gone/home", "is_there": False}]
    assert found["problems"] == [
        "hooks of several installs run side by side: keep one, and `orchestrate uninstall` the others",
        "/gone/python or /gone/home is gone, so the hooks are silent: run `orchestrate install`",
    ]
    orchestrate("install")
    assert report()[1]["problems"] == []  # the client runs equal lines once


def test_a_settings_file_that_cannot_be_read_is_a_problem(report, settings):
    settings.parent.mkdir()
    settings.write_text("{")
    _, found = report()
    assert found["problems"][0].startswith(f"{settings}: is not JSON")
    assert found["problems"][1:] == [NOTHING]


def test_the_plugin_is_seen_and_needs_an_interpreter(orchestrate, report, settings):
    settings.parent.mkdir()
    settings.write_text('{"enabledPlugins": {"orchestrate@here": true}}')
    code, found = report()
    assert (code, found["plugin"]) == (1, "orchestrate@here")
    silent = "the plugin finds no interpreter and stays silent: run `orchestrate install --scope plugin`"
    assert found["problems"] == [silent]
    orchestrate("install", "--scope", "plugin")
    assert report()[0] == 0


def test_every_switch_that_silences_the_hooks_is_named(orchestrate, settings, project, tmp_path):
    orchestrate("install")
    settings.write_bytes(settings.read_bytes().replace(b"{", b'{"disableAllHooks": true,', 1))
    managed = tmp_path / "managed"
    managed.mkdir()
    (managed / "managed-settings.json").write_text('{"allowManagedHooksOnly": true}')
    (project / ".orchestrator").mkdir()
    (project / ".orchestrator/config.yaml").write_text("enabled: false\n")
    env = {**os.environ, "ORCHESTRATOR_DISABLED": "1"}
    found = status.report(locate(str(project), env), env, managed)
    assert found.disabled == [
        f"disableAllHooks in {settings}",
        f"allowManagedHooksOnly in {managed}/managed-settings.json",
        "ORCHESTRATOR_DISABLED=1 in the environment",
        "enabled: false (from: repo)",
    ]


def test_a_broken_configuration_is_named_and_the_rest_still_told(report, project):
    (project / ".orchestrator").mkdir()
    (project / ".orchestrator/config.yaml").write_text("enabeld: false\n")
    (unknown,) = report()[1]["disabled"]
    assert unknown.startswith("unknown: ")
    assert "enabeld" in unknown


def test_the_last_event_of_a_session_is_shown(orchestrate, report):
    for event in ("SessionStart", "UserPromptSubmit", "Stop"):
        stdin = json.dumps({"session_id": "s-1", "prompt_id": "p", "prompt": "Fix typo in README.md"})
        assert orchestrate("hooks", "run", event, stdin=stdin)[0] == 0
    (session,) = report()[1]["sessions"]
    assert (session["session"], session["last_event"]) == ("s-1", "orchestration.turn.end")
    assert session["at"].endswith("Z")
    _, out, _ = orchestrate("hooks", "status")
    assert f"session  s-1: orchestration.turn.end at {session['at']}\n" in out


@pytest.mark.parametrize(
    ("log", "last"),
    [
        (b"", None),
        (b'{"torn', None),
        (b'garbage\n[]\n"x"\n', None),
        (b'{"session": "s", "type": "a", "ts": "t"}\n\xff\n{"session": "s", "type": "b"', "a"),
    ],
)
def test_a_damaged_log_costs_its_damaged_lines_only(log, last, place, report):
    folder = Path(place.state, "sessions/s")
    folder.mkdir(parents=True)
    (folder / "log.jsonl").write_bytes(log)
    assert [(session["session"], session["last_event"]) for session in report()[1]["sessions"]] == [("s", last)]


def test_without_a_home_the_client_s_settings_cannot_be_found(orchestrate, monkeypatch):
    monkeypatch.delenv("HOME")
    code, out, err = orchestrate("hooks", "status")
    assert (code, out) == (1, "")
    assert err.startswith("orchestrate: HOME: is not set: set it, or CLAUDE_CONFIG_DIR")


def test_status_for_a_person(orchestrate, settings, project):
    orchestrate("install")
    assert orchestrate("hooks", "status") == (
        0,
        f"user     9 hooks, current         {settings}\n"
        f"project  no hooks                 {project}/.claude/settings.json\n"
        f"local    no hooks                 {project}/.claude/settings.local.json\n"
        "plugin   not enabled\n"
        "live     rewrite (main thread: directive, subagents: rewrite, enforcement: subagents)\n"
        "  mod        off        the hooks are in the settings, and the mod comes with the plugin\n"
        "  rewrite    available  sets the model of subagents, but not in permission modes auto and plan, "
        "and sessions may begin in auto\n"
        "  directive  available  tells the model which agent to use\n",
        "",
    )


def test_run_fills_in_what_a_payload_lacks(orchestrate, project):
    code, out, err = orchestrate("hooks", "run", "UserPromptSubmit", stdin='{"prompt": "Fix typo in README.md"}')
    assert code == 0
    assert "haiku-general" in json.loads(out)["hookSpecificOutput"]["additionalContext"]
    assert err.startswith("UserPromptSubmit: exit code 0, ")
    assert orchestrate("hooks", "run", "Stop", stdin="")[:2] == (0, "")


@pytest.mark.parametrize(("stdin", "complaint"), [("{", "is not JSON"), ("[]", "holds no JSON object")])
def test_run_refuses_what_is_no_payload(stdin, complaint, orchestrate):
    code, out, err = orchestrate("hooks", "run", "Stop", stdin=stdin)
    assert (code, out) == (1, "")
    assert err.startswith(f"orchestrate: stdin: {complaint}")


def test_run_knows_the_handled_events_only(orchestrate):
    assert orchestrate("hooks", "run", "Later")[0] == 2


@pytest.fixture
def stopwatch(monkeypatch):
    """What a trial is measured by: one takes as long as it says, however busy the machine is; then the next in turn."""

    def takes(*seconds):
        ticks = itertools.chain.from_iterable((0, each) for each in itertools.cycle(seconds))
        monkeypatch.setattr(trial, "time", SimpleNamespace(perf_counter=lambda: next(ticks)))

    takes(0.499)
    return takes


def test_every_installed_hook_is_tried(orchestrate, stopwatch):
    orchestrate("install")
    code, out, err = orchestrate("hooks", "test", "--json")
    results = json.loads(out)
    assert (code, err) == (0, "")
    assert [(result["where"], result["event"]) for result in results] == [("user", event) for event in payloads.EVENTS]
    assert {(result["exit_code"], result["problem"]) for result in results} == {(0, None)}
    assert [result["event"] for result in results if result["stdout"]] == ["UserPromptSubmit"]


def test_a_trial_leaves_no_trace(orchestrate, home, project):
    orchestrate("hooks", "test")
    assert list(home.iterdir()) == []
    assert [path.name for path in project.iterdir()] == [".git"]


def test_without_an_install_the_line_that_it_would_write_is_tried(orchestrate, stopwatch):
    code, out, _ = orchestrate("hooks", "test")
    rows = out.splitlines()
    assert code == 0
    assert [row.split()[:3] for row in rows] == [["not", "installed", event] for event in payloads.EVENTS]
    assert rows[1].split()[6] == "ok"
    assert rows[1].count('{"hookSpecificOutput":') == 1


def test_the_plugin_s_hooks_are_tried(orchestrate, settings):
    settings.parent.mkdir()
    settings.write_text('{"enabledPlugins": {"orchestrate@here": true}}')
    orchestrate("install", "--scope", "plugin")
    results = json.loads(orchestrate("hooks", "test", "--json")[1])
    assert [(result["where"], result["event"]) for result in results] == [
        ("plugin", event) for event in payloads.EVENTS
    ]
    answers = [result["stdout"] for result in results if result["stdout"]]
    assert len(answers) == 1
    assert "orchestrate:haiku-general" in answers[0]


MARK = "orchestrate.entry"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (f": {MARK}; exit 2", "ended with 2"),
        (f": {MARK}; kill -9 $$", "ended with -9"),
        (f": {MARK}; echo hello", "the answer is not a JSON object"),
        (f": {MARK}; echo '[]'", "the answer is not a JSON object"),
        (f": {MARK}; head -c 10001 /dev/zero | tr '\\0' ' '", "the answer is longer than the client reads"),
        (f": {MARK}; cat >/dev/null; echo '{{}}'", None),
    ],
)
def test_a_hook_that_would_hurt_fails_the_test(line, problem, orchestrate, settings, stopwatch):
    settings.parent.mkdir()
    settings.write_text(json.dumps({"hooks": {"Stop": [{"hooks": [{"type": "command", "command": line}]}]}}))
    code, out, _ = orchestrate("hooks", "test", "--json")
    (result,) = json.loads(out)
    assert (code, result["problem"]) == (1 if problem else 0, problem)


@pytest.mark.parametrize(
    ("seconds", "problem"),
    [
        ([0.5], "took more than 500 ms"),
        ([0.499], None),
        ([2, 2, 0.499], None),  # the machine was busy for a moment
        ([2, 2, 2, 0.499], "took more than 500 ms"),
    ],
)
def test_a_hook_that_takes_long_fails_the_test(seconds, problem, orchestrate, settings, stopwatch):
    stopwatch(*seconds)
    settings.parent.mkdir()
    settings.write_text(json.dumps({"hooks": {"Stop": [{"hooks": [{"type": "command", "command": f": {MARK}"}]}]}}))
    code, out, _ = orchestrate("hooks", "test", "--json")
    (result,) = json.loads(out)
    assert (code, result["problem"]) == (1 if problem else 0, problem)


def test_the_time_that_a_trial_took_is_its_own(tmp_path):
    assert trial.run("Stop", "sleep 0.2", b"", os.environ, tmp_path).took_ms >= 200


def test_a_hook_that_does_not_end_goes_with_all_its_children(tmp_path):
    result = trial.run("Stop", "sleep 60 & sleep 60", b"", os.environ, tmp_path, timeout_s=0.2)
    assert (result.exit_code, result.problem) == (-9, "ended with -9")
    assert result.took_ms < 50_000  # a child that lived on would hold the output open


def test_a_trial_sees_only_its_own_world(tmp_path):
    record = tmp_path / "interpreter"
    record.write_text("/p\n/h\n")
    with trial.room("/usr/bin:/bin", record) as room:
        told = room.run("Stop", 'env; pwd; cat; cat "$HOME/.orchestrator/install/interpreter"').stdout.splitlines()
        payload = payloads.fields("Stop", str(room.project))
        assert sorted(line for line in told[:-4] if not line.startswith(("_=", "OLDPWD="))) == [
            f"CLAUDE_PROJECT_DIR={room.project}",
            f"HOME={room.home}",
            "PATH=/usr/bin:/bin",
            f"PWD={room.project}",
        ]
        assert [told[-4], json.loads(told[-3]), *told[-2:]] == [str(room.project), payload, "/p", "/h"]
    assert not room.home.exists()


def test_the_survey_of_a_project_at_home_sees_its_file_in_both_scopes(home):
    found = survey.look(str(home), os.environ, home / "nothing")
    assert [(sighting.scope, sighting.path.name) for sighting in found] == [
        ("user", "settings.json"),
        ("project", "settings.json"),
        ("local", "settings.local.json"),
    ]


def test_an_installed_line_names_what_it_starts():
    runs = Interpreter("/with space/python", "/home of it")
    assert shlex.split(hookline.command(*runs))[:3] == ["[", "-x", "/with space/python"]
    assert shipped.groups(runs)["Stop"] == {
        "hooks": [{"type": "command", "command": hookline.command(*runs), "timeout": 5}]
    }
