"""The built artefact: what is in it, and that it works in an environment which is not ours.

`python tests/test_wheel.py` writes the list of files anew after a file was added or removed on purpose.
"""

import difflib
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parent.parent
LIST = Path(__file__).with_name("wheel_files.txt")
PROMPT = {"hook_event_name": "UserPromptSubmit", "session_id": "s", "prompt_id": "p", "prompt": "Fix typo in README.md"}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def build(folder):
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder)], cwd=REPO, check=True, capture_output=True
    )
    return next(Path(folder).glob("*.whl"))


def files_in(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    return sorted(name if ".dist-info/" not in name else f"dist-info/{name.partition('/')[2]}" for name in names)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def venv(wheel, tmp_path_factory):
    """A clean environment with our wheel, its dependencies, and rivals that have the names of our packages."""
    folder = tmp_path_factory.mktemp("venv")
    python = folder / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel], check=True)
    site = next(folder.glob("lib/python*/site-packages"))
    for name in ("state", "metrics", "routing", "hooks"):
        (site / f"{name}.py").write_text("raise SystemExit('a rival package was imported')\n")
    return folder


@pytest.fixture
def hostile(tmp_path):
    folder = tmp_path / "hostile"
    (folder / ".git").mkdir(parents=True)
    for name in ("orchestrate", "state", "metrics", "routing", "hooks", "json", "os", "time"):
        (folder / f"{name}.py").write_text("raise SystemExit(2)\n")
    return folder


def run(argv, cwd, stdin="", **env):
    return subprocess.run(
        argv, cwd=cwd, env={**os.environ, **env}, input=stdin, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_wheel_holds_the_files_on_the_list(wheel):
    listed = LIST.read_text().splitlines()
    diff = "\n".join(difflib.unified_diff(listed, files_in(wheel), "listed", "built", lineterm="", n=0))
    assert diff == "", f"{diff}\nmeant so? then: python tests/test_wheel.py"


def test_only_orchestrate_is_top_level(wheel):
    assert {name.partition("/")[0] for name in files_in(wheel)} == {"orchestrate", "dist-info"}


def test_the_hook_runs_from_the_wheel(venv, hostile):
    """Asked of the installed package itself, started in a folder and with a path full of false modules."""
    python = str(venv / "bin" / "python")
    ask = "from orchestrate import hookline; print(hookline.command(*hookline.here()))"
    line = run([python, "-I", "-c", ask], hostile).stdout.strip()
    payload = json.dumps({**PROMPT, "cwd": str(hostile)})
    done = run(["/bin/sh", "-c", line], hostile, payload, PYTHONPATH=str(hostile))
    assert (done.returncode, done.stderr) == (0, "")
    assert "haiku-general" in done.stdout


@pytest.mark.parametrize(
    ("argv", "start"),
    [
        (["orchestrate", "version"], "0.1.0"),
        (["orchestrate", "--help"], "Usage: orchestrate "),
        (["orchestrate-request", "--help"], "Usage: orchestrate-request "),
    ],
)
def test_console_scripts(venv, hostile, argv, start):
    done = run([venv / "bin" / argv[0], *argv[1:]], hostile)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(start)


def test_what_a_report_needs_is_in_the_wheel(venv, hostile):
    """The command that stands on the most of our packages and of their data files."""
    done = run([venv / "bin" / "orchestrate", "metrics", "report", "--json"], hostile)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        LIST.write_text("\n".join(files_in(build(scratch))) + "\n")
