import os
import threading
import time

import pytest
from ending import are_gone, tells_ends
from git_world import write
from tiers import some

from orchestrate.memory import git_call, git_capture, git_repository
from state.errors import NOT_FOUND, USAGE, UserError


@pytest.fixture
def found(repository):
    return git_repository.find(str(repository))


def test_a_commit_is_kept_as_document_001_has_it(git, repository, found):
    name = git("rev-parse", "HEAD")
    kept = git_capture.record(found, name, "execute", 1736778600.9)
    assert kept == {
        "hash": name,
        "short_hash": name[:7],
        "captured_at": "2025-01-13T14:30:00Z",
        "phase": "execute",
        "message": "begin",
        "author": "Nora Née <nora@example.com>",
    }
    assert list(kept) == ["hash", "short_hash", "captured_at", "phase", "message", "author"]


def test_head_is_captured_where_the_user_is(git, repository, tmp_path):
    git("worktree", "add", "-q", "-b", "feature", str(tmp_path / "linked"))
    write(tmp_path / "linked", "a.txt", "x\n")
    git("commit", "-q", "-am", "on feature", cwd=tmp_path / "linked")
    assert git_capture.capture(str(tmp_path / "linked"), None)["message"] == "on feature"
    assert git_capture.capture(str(repository), None)["message"] == "begin"


def test_nothing_is_captured_where_there_is_nothing(empty, tmp_path):
    assert git_capture.capture(str(empty), "execute") is None
    assert git_capture.capture(str(tmp_path), "execute") is None


@pytest.mark.parametrize("settings", [{"git.enabled": False}, {"git.track_commits": False}])
def test_the_settings_decide_whether_a_phase_keeps_commits(repository, settings):
    every = {"git.enabled": True, "git.track_commits": True}
    assert git_capture.at_phase(str(repository), "execute", every)["phase"] == "execute"
    assert git_capture.at_phase(str(repository), "execute", {**every, **settings}) is None


@pytest.mark.parametrize(
    ("message", "subject"),
    some(
        [
            (b"one\ntwo\n\nthree", "one two"),
            (b"\n\nlate", "late"),
            (b"", ""),
            (b"esc \x1b[31m \xff", "esc \\x1b[31m \\xff"),
            ("bidi \u202e end".encode(), "bidi \\u202e end"),
            (b"x" * 5000, "x" * 500),
            (b"token ghp_" + b"a" * 36, "token [redacted:github-token]"),
        ],
        3,
    ),
)
def test_a_message_is_one_clean_line(git, repository, found, message, subject):
    raw = f"tree {git('write-tree')}\nauthor A <a> 1 +0000\ncommitter A <a> 1 +0000\n\n".encode() + message
    name = git("hash-object", "-t", "commit", "-w", "--stdin", given=raw)
    assert git_capture.record(found, name, None)["message"] == subject


def test_a_message_in_another_encoding_is_read(git, repository, found):
    made = git("-c", "i18n.commitEncoding=latin1", "commit-tree", git("write-tree"), given="größer".encode("latin1"))
    assert git_repository.commit(found, made).subject == "größer"


@pytest.mark.parametrize("encoding", ["rot13", "no-such", "utf-16", "hex"])
def test_an_encoding_that_is_none_does_no_harm(git, repository, found, encoding):
    people = "author A <a> 1 +0000\ncommitter A <a> 1 +0000"
    raw = f"tree {git('write-tree')}\n{people}\nencoding {encoding}\n\nodd"
    made = git("hash-object", "-t", "commit", "-w", "--stdin", given=raw.encode())
    assert isinstance(git_repository.commit(found, made).subject, str)


@pytest.mark.parametrize(
    ("line", "author"),
    [
        (b"A B <a@b> 1 +0000", "A B <a@b>"),
        (b" <> 1 +0000", " <>"),
        (b"nobody", "nobody <>"),
        (b"E\xff <e> 1 +0000", "E\\xff <e>"),
    ],
)
def test_an_odd_author_is_kept_as_far_as_it_goes(git, repository, found, line, author):
    raw = f"tree {git('write-tree')}\n".encode() + b"author " + line + b"\ncommitter A <a> 1 +0000\n\nodd"
    made = git("hash-object", "--literally", "-t", "commit", "-w", "--stdin", given=raw)
    assert git_repository.commit(found, made).author == author


@pytest.mark.parametrize("name", some(["HEAD", "main", "HEAD~0", "v1", "HEAD^{commit}", "@"], 2))
def test_a_revision_is_named_in_gits_ways(git, repository, found, name):
    git("tag", "-a", "-m", "one", "v1")
    assert git_repository.verify(found, name) == git("rev-parse", "HEAD")


@pytest.mark.parametrize(
    "name", some(["--output=/tmp/x", "-h", "no", "HEAD:a.txt", "main..main", "HEAD~5", "^HEAD", "a b"], 3)
)
def test_what_is_no_commit_is_no_option_either(found, name):
    with pytest.raises(UserError, match="no such commit in ") as caught:
        git_repository.verify(found, name)
    assert caught.value.code == NOT_FOUND


@pytest.mark.parametrize("name", ["", "a\nb", "a\0b"])
def test_a_revision_is_one_line(found, name):
    with pytest.raises(UserError) as caught:
        git_repository.verify(found, name)
    assert caught.value.code == USAGE


def test_a_branch_named_like_an_option_is_only_a_name(git, repository, found):
    git("update-ref", "refs/heads/--all", "HEAD")
    git("symbolic-ref", "HEAD", "refs/heads/--all")
    assert (git_repository.branch(found), git_repository.head(found)) == ("--all", git("rev-parse", "main"))


def test_a_shallow_clone_gives_what_it_has(git, repository, tmp_path):
    write(repository, "a.txt", "x\n")
    git("commit", "-q", "-am", "second")
    git("clone", "-q", "--depth=1", f"file://{repository}", str(tmp_path / "shallow"))
    shallow = git_repository.find(str(tmp_path / "shallow"))
    assert git_capture.capture(str(tmp_path / "shallow"), None)["message"] == "second"
    with pytest.raises(UserError, match="no such commit"):
        git_repository.verify(shallow, "HEAD~1")


def test_a_repository_of_sha256_is_one_like_the_others(git, tmp_path):
    folder = tmp_path / "sha256"
    git("init", "-q", "--object-format=sha256", str(folder), cwd=tmp_path)
    write(folder, "a.txt", "a\n")
    git("add", "a.txt", cwd=folder)
    git("commit", "-q", "-m", "long", cwd=folder)
    kept = git_capture.capture(str(folder), None)
    assert (len(kept["hash"]), kept["short_hash"], kept["message"]) == (64, kept["hash"][:7], "long")


def test_a_bare_repository_has_commits(git, repository, tmp_path):
    git("clone", "-q", "--bare", str(repository), str(tmp_path / "bare"))
    assert git_capture.capture(str(tmp_path / "bare"), None)["message"] == "begin"


def test_a_replaced_commit_is_told_as_its_hash_says(git, repository, found):
    first = git("rev-parse", "HEAD")
    git("replace", first, git("commit-tree", git("write-tree"), given=b"another"))
    assert git_repository.commit(found, first).subject == "begin"


def test_the_environment_of_another_repository_does_not_reach_it(git, repository, tmp_path, monkeypatch):
    git("init", "-q", str(tmp_path / "other"), cwd=tmp_path)
    for name, value in {
        "GIT_DIR": str(tmp_path / "other/.git"),
        "GIT_WORK_TREE": str(tmp_path / "other"),
        "GIT_INDEX_FILE": str(tmp_path / "nothing"),
        "GIT_OBJECT_DIRECTORY": str(tmp_path),
        "GIT_EXTERNAL_DIFF": "false",
        "GIT_TRACE": "2",
        "GIT_CONFIG_PARAMETERS": "'core.bare'='true'",
    }.items():
        monkeypatch.setenv(name, value)
    assert git_repository.find(str(repository)).top == str(repository)
    assert git_capture.capture(str(repository), None)["message"] == "begin"


def test_a_repository_of_somebody_elses_is_told(git, repository, monkeypatch):
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setattr(git_call, "_KEPT", (*git_call._KEPT, "GIT_TEST_"))
    with pytest.raises(UserError, match="the repository belongs to another user: git must be told to trust it"):
        git_repository.find(str(repository))


def test_git_is_not_taken_from_the_working_directory(repository, monkeypatch):
    write(repository, "git", "#!/bin/sh\ntouch ran\n").chmod(0o755)
    monkeypatch.chdir(repository)
    monkeypatch.setenv("PATH", ".:")
    with pytest.raises(UserError, match="git: is not in PATH: install it"):
        git_repository.find(str(repository))
    assert not (repository / "ran").exists()


@tells_ends
def test_a_git_that_hangs_is_ended_with_what_it_started(git, tmp_path, repository, monkeypatch):
    shim = write(tmp_path / "bin", "git", "#!/bin/sh\nsleep 60 &\necho $! > pid\nwait\n")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    os.mkfifo(repository / "pid")
    pids = []

    class Timer(threading.Timer):
        """Its time begins when the child has told what it started."""

        def run(self):
            pids.append(int((repository / "pid").read_text()))
            super().run()

    monkeypatch.setattr(threading, "Timer", Timer)
    began = time.monotonic()
    with pytest.raises(UserError, match=r"git rev-parse: took longer than 0\.3 s, and was stopped"):
        git_call.call(str(repository), "rev-parse", timeout_s=0.3)
    assert time.monotonic() - began < 30
    assert are_gone(pids) and len(pids) == 1


def test_more_than_was_asked_for_is_cut(repository):
    said = git_call.call(str(repository), "rev-list", "--objects", "HEAD", most_bytes=20)
    assert (len(said.out), said.is_cut) == (20, True)
