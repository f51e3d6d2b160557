"""The rules of the house: who imports whom, what the hot path loads, and that nobody can stand in for our packages."""

import ast
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parent.parent
MAY_IMPORT = {
    "routing": {"routing"},
    "state": {"state"},
    "metrics": {"metrics", "state"},
    "orchestrate": {"orchestrate", "metrics", "state", "routing"},
    "bench": {"bench", "orchestrate", "metrics", "state", "routing"},
}
PRODUCT = ("orchestrate", "routing", "metrics", "state")
# What the interpreter of the hot path (`-I -S`) may load beyond what it loads to run nothing at all: C builtins.
HOT_BUILTINS = {"_blake2", "_json", "_signal", "_struct", "binascii", "fcntl", "posix", "time", "zlib"}
HOT_OURS = {"orchestrate", "orchestrate.entry", "orchestrate.request", "routing", "state"}
HOT_STATE = {"state.codec", "state.journal", "state.paths", "state.platform", "state.quota", "state.snapshot"}
FACES = ("orchestrate", "state", "routing", "metrics", "hooks", "json", "encodings", "sitecustomize")
CONTEXT_PAYLOAD = {"session_id": "s", "prompt_id": "p", "tool_name": "Agent", "tool_use_id": "t", "agent_id": "a"}


def sources(packages):
    return [path for package in packages for path in sorted((REPO / package).rglob("*.py")) if "_hot" not in path.parts]


@cache
def imports(path):
    """(module, names) of every import statement in a file, wherever it stands."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.extend((alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            found.append((node.module, [alias.name for alias in node.names]))
    return found


def named(path):
    return str(path.relative_to(REPO))


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_point_down(package):
    wrong = [
        f"{named(path)} imports {module}"
        for path in sources([package])
        for module, _ in imports(path)
        if module.partition(".")[0] in MAY_IMPORT and module.partition(".")[0] not in MAY_IMPORT[package]
    ]
    assert wrong == []


def test_rooms_do_not_import_commands():
    wrong = [
        named(path)
        for path in sources(["orchestrate"])
        if path.parent != REPO / "orchestrate" / "commands" and path.name != "cli.py"
        for module, names in imports(path)
        if module.startswith("orchestrate.commands") or (module == "orchestrate" and "commands" in names)
    ]
    assert wrong == []


def test_nobody_reaches_into_another_module():
    wrong = [
        f"{named(path)}: {module}.{name}"
        for path in sources(MAY_IMPORT)
        for module, names in imports(path)
        for name in names
        if module.partition(".")[0] in PRODUCT and name.startswith("_") and not name.startswith("__")
    ]
    assert wrong == []


def test_modules_stay_short():
    lengths = {named(path): len(path.read_text(encoding="utf-8").splitlines()) for path in sources(PRODUCT)}
    assert {name: length for name, length in lengths.items() if length > 400} == {}


def loaded(code, cwd):
    """The modules in an interpreter of the hot path once it has run `code`."""
    script = f"import sys\nsys.path.insert(0, {str(REPO)!r})\n{code}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, cwd=cwd, timeout=60, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


def handled_events():
    from orchestrate.hookline import EVENTS

    return sorted(EVENTS)


@pytest.mark.parametrize("event", handled_events())
def test_hot_path_loads_c_builtins_and_ours_only(event, project, home):
    import json

    payload = {**CONTEXT_PAYLOAD, "hook_event_name": event, "cwd": str(project), "prompt": "Fix typo in README.md"}
    env = {"HOME": str(home), "CLAUDE_CODE_ENTRYPOINT": "cli"}
    call = f"from orchestrate.entry import handle\nhandle({json.dumps(payload).encode()!r}, {env!r})"
    extra = loaded(call, project) - loaded("pass", project) - HOT_BUILTINS - HOT_OURS - HOT_STATE
    assert {name for name in extra if not name.startswith(("routing.", "orchestrate.request."))} == set()
    assert list(home.rglob("hook-errors.log")) == []


@pytest.fixture
def hostile(tmp_path):
    """A folder whose modules have our names, or the names of what we stand on, and must never run."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    for name in FACES:
        (folder / f"{name}.py").write_text(f"import sys\nsys.stderr.write('HOSTILE {name}')\nraise SystemExit(2)\n")
    return folder


def test_a_hostile_cwd_or_path_reaches_no_hook(hostile, hook, project, monkeypatch):
    (project / ".git").rmdir()
    project.rmdir()
    hostile.rename(project)
    payload = {**CONTEXT_PAYLOAD, "hook_event_name": "UserPromptSubmit", "prompt": "Fix typo in README.md"}
    code, stdout, stderr = hook({**payload, "cwd": str(project)}, PYTHONPATH=str(project), PYTHONSTARTUP="json.py")
    assert (code, stderr) == (0, "")
    assert "haiku-general" in stdout


@pytest.mark.parametrize("start", [["-m", "orchestrate"], ["-c", "from orchestrate.cli import main; main()"]])
def test_rival_packages_do_not_reach_the_command_line(hostile, start):
    """Nothing can guard a Python program against a PYTHONPATH that replaces its own package or the library."""
    for name in set(FACES) - {"state", "routing", "metrics", "hooks"}:
        (hostile / f"{name}.py").unlink()
    env = {**os.environ, "PYTHONPATH": str(hostile)}
    done = subprocess.run(
        [sys.executable, *start, "version"],
        cwd=hostile,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("0.1.0")


def test_a_hostile_cwd_does_not_reach_the_console_script(hostile):
    script = Path(sys.executable).with_name("orchestrate")
    done = subprocess.run([script, "version"], cwd=hostile, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("0.1.0")
