"""The walk through a task as document 001 has it, word for word, on every engine."""

import json

import pytest

OLD = {
    "start": ["session-start", "TSK-001"],
    "complete": ["phase-complete", "TSK-001"],
    "end": ["session-end", "TSK-001"],
    "bug": ["bug-log"],
    "search": ["context-search"],
    "link": ["git-link-pr", "TSK-001"],
}
NEW = {
    "start": ["session", "start", "TSK-001"],
    "complete": ["phase", "complete", "TSK-001"],
    "end": ["session", "end", "TSK-001"],
    "bug": ["bug", "log"],
    "search": ["search"],
    "link": ["git", "link-pr", "TSK-001"],
}
PHASES = ["intake", "research", "plan", "execute", "review", "close"]
PLAN = "# Plan\n\n1. Write it\n2. Test it\n"
URL = "https://github.com/org/repo/pull/123"


def prepared(well):
    well("sprint", "create", "SPR-001", "--title", "Sign in")
    said = ["--description", "What it is about", "--acceptance", "it works"]
    well("task", "create", "TSK-001", "--title", "Feature Implementation", "--sprint", "SPR-001", *said)


def completed(well, names, phase, following):
    """Complete `phase`, and see that what is told is of the one that follows."""
    lines = well(*names["complete"]).splitlines()
    assert f"✓ {phase} completed" in lines
    assert any(line.startswith(f"→ {following} (") for line in lines)
    command = "orchestrate session end TSK-001"
    if following != "close":
        command = f"orchestrate phase complete TSK-001 --expect {following}"
    assert lines[-1] == f"  When done: {command}"


def walk(well, cli, project, git, names):
    assert "resuming: false" in well(*names["start"])
    assert cli(*names["complete"])[:2] == (
        1,
        "✗ Required artifact missing: TASK.md\n⚠ Recommended field missing: tags\n"
        "⚠ Recommended field missing: estimated_effort\n",
    )
    (project / "TASK.md").write_text("# Task\n")
    completed(well, names, "intake", "research")

    well(*names["search"], "authentication", "--scope=project", "--limit=10")
    well(*names["search"], "validation error", "--scope=task", "--id=TSK-001")
    well(*names["search"], "any", "--scope=sprint", "--id=SPR-001", "--summary")
    (project / "CONTEXT.md").write_text("# Context\n")
    completed(well, names, "research", "plan")

    (project / "PLAN.md").write_text(PLAN)
    (project / "TODO.md").write_text("- [ ] Write it\n- [ ] Test it\n")
    completed(well, names, "plan", "execute")

    assert "resuming: true" in well(*names["start"])
    (project / "new.py").write_text("print()\n")
    git("add", "new.py")
    git("commit", "-q", "-m", "feat: implement new feature")
    (project / "TODO.md").write_text("- [x] Write it\n- [x] Test it\n")
    bug = ["Undefined variable: foo", "--task-code=TSK-001", "--file=app/Services/Test.php", "--line=42"]
    for _ in range(3):
        well(*names["bug"], *bug)
    completed(well, names, "execute", "review")

    (project / "CHANGES.md").write_text("# Changes Summary\n")
    assert cli(*names["complete"]).code == 1
    well("phase", "approve", "TSK-001")
    completed(well, names, "review", "close")

    well(*names["link"], URL)
    assert "completed; TSK-001 is completed" in well(*names["end"])


@pytest.mark.slow
@pytest.mark.parametrize("names", [OLD, NEW], ids=["by the old names", "by the new names"])
def test_the_walk(dialect, cli, well, place, repository, git, names):
    well("init")
    prepared(well)
    walk(well, cli, repository, git, names)

    task = json.loads(well("task", "show", "TSK-001", "--json"))
    session = task["session"]
    assert sorted(session) == ["active", "current_phase", "phase_history", "session_key", "started_at"]
    assert [entry["phase"] for entry in session["phase_history"]] == PHASES
    assert (session["active"], task["status"], task["sprint_code"]) == (False, "completed", "SPR-001")
    assert sorted(task["metadata"]["artifacts"]) == ["CHANGES.md", "CONTEXT.md", "PLAN.md", "TASK.md", "TODO.md"]
    assert (task["metadata"]["pull_request"]["url"], task["metadata"]["pull_request"]["number"]) == (URL, 123)
    captured = [(one["message"], one["phase"]) for one in task["metadata"]["commits"]]
    assert captured[:2] == [("begin", "execute"), ("feat: implement new feature", "execute")]
    [bug] = json.loads(well("bug", "list", "--task", "TSK-001", "--json"))
    assert bug["context"]["occurrence_count"] == 3
    summary = json.loads(well(*names["search"], "", "--scope=task", "--id=TSK-001", "--summary", "--json"))
    found = events(cli, well)
    assert 40 <= len(found) <= 120
    assert summary["total_events"] <= len(found)
    assert (repository / "CHANGES.md").read_text() == "# Changes Summary\n"
    assert git("log", "--oneline").count("\n") == 1


def events(cli, well):
    return json.loads(well("events", "list", "--task", "TSK-001", "--limit", "1000", "--json"))


@pytest.mark.slow
def test_each_completion_leaves_five_to_ten_events(dialect, cli, well, repository, git):
    well("init")
    prepared(well)
    well("session", "start", "TSK-001")
    counts = []
    for name in ("TASK.md", "CONTEXT.md", "PLAN.md", "", "CHANGES.md"):
        for each in [name, "TODO.md"] if name == "PLAN.md" else [name] if name else []:
            (repository / each).write_text(PLAN)
        before = len(events(cli, well))
        well("phase", "complete", "TSK-001", *(["--approve"] if name == "CHANGES.md" else []))
        counts.append(len(events(cli, well)) - before)
    assert [5 <= count <= 10 for count in counts] == [True] * 5, counts
