"""The command line of a hook, as a shell runs it: whatever is gone or broken, exit code 0 and silence."""

import json
import marshal
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from copies import PACKAGES, copy_of
from payloads import AT_HOME, logged, payload, said
from tiers import some

from orchestrate import bundle, hookline

SILENCE = (0, "", "")
TAG = f"{bundle.FOLDER}/{sys.implementation.cache_tag}"


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = copy_of(tmp_path_factory.mktemp("original"))
    assert bundle.build(str(folder))
    return folder


@pytest.fixture
def package(original, tmp_path):
    """A copy of its own for the test; the bundle fits it, for a copy keeps the times of the sources."""
    return Path(shutil.copytree(original, tmp_path / "package"))


@pytest.fixture
def run(project):
    """Run a hook's command line as the client does: (exit code, stdout, stderr)."""

    def call(line, content=None, cwd=project, shell="sh"):
        done = subprocess.run(
            [shell, "-c", line],
            input=json.dumps(content or payload("UserPromptSubmit")),
            capture_output=True,
            text=True,
            cwd=cwd,
            env={**os.environ, **AT_HOME, "CLAUDE_PROJECT_DIR": str(project)},
            timeout=30,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    return call


def is_directive(answer):
    code, stdout, stderr = answer
    return (code, stderr) == (0, "") and "haiku-general" in said(stdout)


def test_the_copy_works(run, package):
    assert is_directive(run(hookline.command(sys.executable, str(package))))


@pytest.mark.parametrize("event", hookline.EVENTS)
def test_the_package_is_gone(event, run, tmp_path):
    assert run(hookline.command(sys.executable, str(tmp_path / "gone")), payload(event)) == SILENCE


@pytest.mark.parametrize(
    "missing",
    some(
        [
            "orchestrate",
            "orchestrate/entry.py",
            "orchestrate/request",
            "orchestrate/request/prompt.py",
            "orchestrate/request/call.py",
            "routing",
            "routing/rules.py",
            "state",
            "state/codec.py",
        ],
        ("orchestrate", "orchestrate/request/prompt.py", "state/codec.py"),
    ),
)
def test_a_part_is_missing(missing, run, package):
    path = package / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    code, stdout, stderr = run(hookline.command(sys.executable, str(package)))
    assert (code, stdout) == (0, "")
    # What fails before the package's own boundary is silent; what fails behind it is told, once a minute.
    assert stderr == "" or stderr.startswith("Traceback")


@pytest.mark.parametrize(
    "broken",
    some(
        ["orchestrate/__init__.py", "orchestrate/entry.py", "state/paths.py", "orchestrate/request/call.py"],
        ("orchestrate/entry.py",),
    ),
)
@pytest.mark.parametrize("content", ["def half(", "raise SystemExit(2)", "import no_such_module", "\0", "1 / 0"])
def test_a_module_is_half_written(broken, content, run, package):
    (package / broken).write_text(content)
    assert run(hookline.command(sys.executable, str(package))) == SILENCE


def test_the_weights_are_missing(run, package, place):
    (package / "routing/weights.bin").unlink()
    code, stdout, stderr = run(hookline.command(sys.executable, str(package)))
    assert (code, stderr) == (0, "")
    assert said(stdout).count("sonnet-general") == 3
    (record,) = logged(place)
    found = record["payload"]
    assert (found["agent"], found["confidence"], found["degraded"]) == ("sonnet-general", 0.5, "routing_failed")
    assert found["reason"].startswith("routing failed: FileNotFoundError: ")


@pytest.mark.parametrize(
    "content",
    some(
        [
            b"",
            b"\0" * 5000,
            bytes(range(16)),
            bundle.MAGIC_NUMBER,
            b"N",
            marshal.dumps((5, 6)),
            marshal.dumps({bundle.MAGIC_NUMBER: b""}),
            marshal.dumps({bundle.MAGIC_NUMBER: 5}),
            marshal.dumps({bundle.MAGIC_NUMBER: marshal.dumps(5)}),
            marshal.dumps({bundle.MAGIC_NUMBER: marshal.dumps(compile("1 / 0", "x", "exec"))}),
            marshal.dumps({bundle.MAGIC_NUMBER: marshal.dumps(compile("use(h)", "x", "exec"))}),
        ],
        1,
    ),
    ids=lambda content: content[:6].hex(),
)
def test_a_bundle_of_garbage_is_passed_over(content, run, package):
    (package / TAG).write_bytes(content)
    assert is_directive(run(hookline.command(sys.executable, str(package))))


@pytest.mark.parametrize("kept", some([0.1, 0.5, 0.9, 0.999], (0.5,)))
def test_a_bundle_cut_short_is_passed_over(kept, run, package):
    whole = (package / TAG).read_bytes()
    (package / TAG).write_bytes(whole[: int(len(whole) * kept)])
    assert is_directive(run(hookline.command(sys.executable, str(package))))


def test_a_bundle_of_another_python_is_passed_over(run, package):
    whole = (package / TAG).read_bytes()
    (package / TAG).write_bytes(whole.replace(bundle.MAGIC_NUMBER, b"\x01\x02\r\n", 1))
    assert is_directive(run(hookline.command(sys.executable, str(package))))


def broken_interpreters(folder):
    """Each with what it stands for."""
    script, foreign, dying = folder / "script", folder / "foreign", folder / "dying"
    script.write_text("#!/no/such/interpreter\n")
    foreign.write_bytes(b"\x7fELF\2\1\1" + bytes(9) + b"\2\0\xf3\0" + bytes(4000))  # another machine's
    dying.write_text("#!/bin/sh\nexit 2\n")
    for path in (script, foreign, dying):
        path.chmod(0o755)
    plain = folder / "plain"
    plain.write_text("not executable")
    dangling = folder / "dangling"
    dangling.symlink_to(folder / "nothing")
    return {"gone": folder / "gone", "plain": plain, "dangling": dangling}, {
        "script": script,
        "foreign": foreign,
        "dying": dying,
        "folder": folder,
    }


def test_an_interpreter_that_is_gone_is_silence(run, package, tmp_path):
    gone, _ = broken_interpreters(tmp_path)
    for python in gone.values():
        assert run(hookline.command(str(python), str(package))) == SILENCE


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_an_interpreter_that_cannot_start_ends_with_0(shell, run, package, tmp_path):
    _, broken = broken_interpreters(tmp_path)
    assert {
        name: run(hookline.command(str(python), str(package)), shell=shell)[:2] for name, python in broken.items()
    } == (dict.fromkeys(broken, (0, "")))


@pytest.mark.slow
def test_a_venv_that_was_moved(run, tmp_path, package):
    """The recorded interpreter is a link in the venv, so the old line finds nothing; a new one works."""
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    old = hookline.command(str(venv / "bin/python"), str(package))
    assert is_directive(run(old))
    venv.rename(tmp_path / "moved")
    assert run(old) == SILENCE
    assert is_directive(run(hookline.command(str(tmp_path / "moved/bin/python"), str(package))))


@pytest.mark.parametrize(
    "name",
    some(
        ["with space", "it's", 'quo"te', "dollar$HOME", "back`tick`", "semi;colon", "ünï", "new\nline", "-x"],
        ("with space", "it's", "new\nline"),
    ),
)
def test_any_path_can_be_written_in_the_line(name, run, package, tmp_path):
    odd = tmp_path / name
    package.rename(odd)
    python = odd / "python"
    python.symlink_to(sys.executable)
    assert is_directive(run(hookline.command(str(python), str(odd))))


def test_a_hostile_folder_is_never_imported_from(run, package, tmp_path):
    """With and without the bundle; `gc` and `marshal` are what the line itself imports."""
    hostile = tmp_path / "hostile"
    hostile.mkdir()
    for name in (*PACKAGES, "gc", "marshal", "sys", "time", "posix", "json", "os", "encodings"):
        (hostile / f"{name}.py").write_text("raise SystemExit(2)")
    line = hookline.command(sys.executable, str(package))
    assert is_directive(run(line, cwd=hostile))
    (package / TAG).unlink()
    assert is_directive(run(line, cwd=hostile))


def test_arguments_are_the_same_without_a_shell(package, project):
    done = subprocess.run(
        hookline.arguments(sys.executable, str(package)),
        input=json.dumps(payload("UserPromptSubmit")).encode(),
        capture_output=True,
        env={**os.environ, **AT_HOME},
        cwd=project,
        timeout=30,
        check=False,
    )
    assert is_directive((done.returncode, done.stdout.decode(), done.stderr.decode()))


def test_here_is_what_runs_now():
    python, home = hookline.here()
    assert python == sys.executable
    assert (Path(home) / "orchestrate/entry.py").samefile(Path(hookline.__file__).with_name("entry.py"))


def other_interpreters():
    """Interpreters of other minor versions that this machine has: as siblings of this one, by pyenv, or on PATH."""
    found = {}
    for minor in (11, 12, 13, 14):
        name = f"python3.{minor}"
        siblings = Path(sys.base_prefix).parent.glob(f"3.{minor}.*/bin/{name}")
        for path in (*siblings, shutil.which(name)):
            if path and sys.version_info[1] != minor:
                found.setdefault(name, str(path))
    return found


@pytest.mark.slow
def test_other_versions_of_python_answer_the_same(run, package):
    """With no bundle of theirs, with one, and with garbage on stdin."""
    answers = {}
    for name, python in other_interpreters().items():
        line = hookline.command(python, str(package))
        answers[name] = run(line)
        build = "import sys; sys.path.insert(0, sys.argv[1]); from orchestrate import bundle; bundle.build(sys.argv[1])"
        subprocess.run([python, "-c", build, package], check=True, timeout=60)
        assert run(line)[1] == answers[name][1]
        assert run(line, ["not", "a", "payload"])[:2] == (0, "")
    expected = run(hookline.command(sys.executable, str(package)))
    assert is_directive(expected)
    assert answers == dict.fromkeys(answers, expected)
