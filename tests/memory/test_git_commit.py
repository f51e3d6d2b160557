import hashlib
import os
import subprocess
from pathlib import Path

import pytest
from git_world import racy, task, write
from tiers import some

from orchestrate.memory import git_commit
from state.errors import FAILED, LOCK_TIMEOUT, REFUSED, USAGE, UserError
from state.snapshot import DEFAULTS

AUTO = {**DEFAULTS, "git.auto_commit": True}


def commit(folder, *paths, text="change", **more):
    return git_commit.commit(str(folder), text, [str(path) for path in paths], **more)


def auto(folder, settings=AUTO, **fields):
    return git_commit.auto(str(folder), task(**fields), "execute", settings)


def digest(folder):
    return hashlib.sha256((folder / ".git/index").read_bytes()).hexdigest()


def refused(folder, *paths, **more):
    with pytest.raises(UserError) as caught:
        commit(folder, *paths, **more)
    return caught.value.code, str(caught.value)


@pytest.fixture
def changed(git, repository):
    """A file changed, one deleted, one new and not tracked, one new and staged."""
    write(repository, "a.txt", "changed\n")
    (repository / "src/c.txt").unlink()
    write(repository, "untracked.txt", "x\n")
    write(repository, "staged.txt", "x\n")
    git("add", "staged.txt")
    return repository


def last(git):
    return sorted(git("show", "--name-status", "--format=", "--no-renames", "HEAD").splitlines())


def status(git):
    return git("status", "--porcelain").splitlines()


def test_what_is_tracked_and_changed_is_committed_and_nothing_else(git, changed):
    made = commit(changed, text="all of it\n\nand why")
    assert last(git) == ["A\tstaged.txt", "D\tsrc/c.txt", "M\ta.txt"]
    assert status(git) == ["?? untracked.txt"]
    assert (made.commit["hash"], made.commit["message"]) == (git("rev-parse", "main"), "all of it")
    assert sorted(made.paths) == ["a.txt", "src/c.txt", "staged.txt"]
    assert git("log", "-1", "--format=%B") == "all of it\n\nand why"
    assert git("reflog", "-1", "--format=%gs") == "commit: all of it"
    assert git("fsck", "--strict", "--no-dangling") == ""


def test_only_the_named_are_committed_and_the_rest_stays_as_it_was(git, changed):
    assert commit(changed, "a.txt").paths == ("a.txt",)
    assert last(git) == ["M\ta.txt"]
    assert sorted(status(git)) == ["?? untracked.txt", "A  staged.txt", "D src/c.txt"]  # stripped: " D src/c.txt"


def test_a_new_file_is_committed_when_it_is_named(git, changed):
    commit(changed, "untracked.txt", "src")
    assert last(git) == ["A\tuntracked.txt", "D\tsrc/c.txt"]
    assert sorted(status(git)) == ["A  staged.txt", "M a.txt"]


def test_a_path_is_meant_from_where_the_user_is(git, changed):
    write(changed, "src/b.txt", "b\n")
    commit(changed / "src", "b.txt", "../a.txt")
    assert last(git) == ["M\ta.txt", "M\tsrc/b.txt"]


def test_an_index_that_knows_already_is_left_byte_for_byte(git, repository):
    write(repository, "a.txt", "changed\n")
    git("add", "a.txt")
    before = digest(repository)
    commit(repository)
    assert (digest(repository), status(git), last(git)) == (before, [], ["M\ta.txt"])
    assert not (repository / ".git/index.lock").exists()


def test_a_commit_that_is_not_made_leaves_the_index(git, repository):
    before = digest(repository)
    assert refused(repository) == (FAILED, f"{repository}: nothing to commit: no tracked file has changed")
    os.utime(repository / "a.txt", (1, 1))
    assert refused(repository)[0] == FAILED
    assert refused(repository, "a.txt") == (FAILED, "a.txt: has not changed")
    assert digest(repository) == before
    assert not (repository / ".git/index.lock").exists()


def test_what_else_is_staged_of_another_file_stays_staged(git, repository):
    write(repository, "src/b.txt", "staged\n")
    git("add", "src/b.txt")
    write(repository, "src/b.txt", "and changed again\n")
    write(repository, "a.txt", "changed\n")
    commit(repository, "a.txt")
    assert status(git) == ["MM src/b.txt"]
    assert git("show", ":src/b.txt") == "staged"


def test_the_first_commit_of_a_repository(git, empty):
    write(empty, "a.txt", "a\n")
    write(empty, "b.txt", "b\n")
    commit(empty, "a.txt", text="first")
    assert (git("log", "--format=%s %an", "main"), last(git)) == ("first Nora Née", ["A\ta.txt"])
    assert status(git) == ["?? b.txt"]


def test_a_detached_head_moves_and_no_branch_with_it(git, changed):
    git("checkout", "-q", "--detach")
    made = commit(changed)
    assert (git("rev-parse", "HEAD"), git("rev-parse", "main~0") != made.commit["hash"]) == (made.commit["hash"], True)


def test_a_linked_work_tree_has_its_own_branch_and_index(git, repository, tmp_path):
    git("worktree", "add", "-q", "-b", "feature", str(tmp_path / "linked"))
    write(tmp_path / "linked", "a.txt", "changed\n")
    before = digest(repository), git("rev-parse", "main")
    made = commit(tmp_path / "linked")
    assert git("rev-parse", "feature") == made.commit["hash"]
    assert git("status", "--porcelain", cwd=tmp_path / "linked") == ""
    assert (digest(repository), git("rev-parse", "main")) == before


def test_a_rename_is_committed_whole(git, repository):
    git("mv", "src/b.txt", "moved.txt")
    commit(repository)
    assert (last(git), status(git)) == (["A\tmoved.txt", "D\tsrc/b.txt"], [])


def test_what_changed_within_the_clocks_tick_stays_visible(git, repository):
    racy(git, repository)
    write(repository, "src/b.txt", "x\n")
    commit(repository, "src/b.txt")
    assert status(git) == ["M a.txt"]  # stripped: " M a.txt"


@pytest.mark.parametrize("paths", [(), ("a.txt/inside", "a.txt"), ("a.txt/inside",)])
def test_a_file_that_became_a_folder_is_committed(git, repository, paths):
    (repository / "a.txt").unlink()
    write(repository, "a.txt/inside", "x\n")
    git("add", "--all")
    commit(repository, *paths)
    assert (last(git), status(git)) == (["A\ta.txt/inside", "D\ta.txt"], [])


def test_modes_links_and_odd_names_are_kept(git, repository):
    names = [os.fsdecode(name) for name in (b"-x", b"\xff", b"new\nline", b":(glob)*", b"#", b" ", "ü".encode())]
    for name in names:
        write(repository, name, "x\n")
    (repository / "link").symlink_to("/nowhere")
    write(repository, "run.sh", "x\n").chmod(0o755)
    made = commit(repository, *names, "link", "run.sh")
    assert sorted(made.paths) == sorted([*names, "link", "run.sh"])
    assert status(git) == []
    assert [git("ls-tree", "HEAD", name)[:6] for name in ("link", "run.sh")] == ["120000", "100755"]


@pytest.mark.slow
def test_a_submodule_is_committed_by_its_commit(git, repository, tmp_path):
    git("clone", "-q", str(repository), str(tmp_path / "lib"))
    git("submodule", "--quiet", "add", str(tmp_path / "lib"), "sub")
    git("commit", "-q", "-m", "sub")
    write(repository / "sub", "a.txt", "changed\n")
    git("commit", "-q", "-am", "in sub", cwd=repository / "sub")
    assert commit(repository).paths == ("sub",)
    assert (last(git), status(git)) == (["M\tsub"], [])
    write(repository / "sub", "new.txt", "x\n")
    assert refused(repository, "sub/new.txt") == (FAILED, "sub/new.txt: is not of this repository")


def test_a_split_index_stays_one(git, changed):
    git("update-index", "--split-index")
    commit(changed, "a.txt")
    assert sorted(status(git)) == ["?? untracked.txt", "A  staged.txt", "D src/c.txt"]


@pytest.mark.parametrize(
    "text", some(['"; touch ran; echo "', "$(touch ran) `touch ran`", "--amend", "-F /etc/passwd", "% \\n"], 2)
)
def test_a_message_is_text_and_nothing_else(git, changed, text):
    assert commit(changed, text=text).commit["message"] == text
    assert git("log", "-1", "--format=%B") == text
    assert not (changed / "ran").exists()


@pytest.mark.parametrize("text", ["", "  \n", "\udcff"])
def test_a_message_that_is_none_is_refused(changed, text):
    assert refused(changed, text=text)[0] == USAGE


@pytest.mark.parametrize(
    ("path", "code"),
    some(
        [
            ("nope.txt", FAILED),
            ("../outside", USAGE),
            ("/etc/passwd", USAGE),
            (".git/config", FAILED),
            ("folder", FAILED),
            ("ignored.txt", REFUSED),
            ("a.txt/x", FAILED),
        ],
        2,
    ),
)
def test_a_path_that_cannot_be_committed_is_named(git, changed, path, code):
    (changed / "folder").mkdir()
    write(changed, "folder/new.txt", "x\n")
    write(changed, ".git/info/exclude", "ignored.txt\n")
    write(changed, "ignored.txt", "x\n")
    before = digest(changed), git("rev-parse", "HEAD")
    found, message = refused(changed, "a.txt", path)
    assert (found, path in message) == (code, True)
    assert (digest(changed), git("rev-parse", "HEAD")) == before


def test_a_path_through_a_link_out_of_the_work_tree_is_refused(changed, tmp_path):
    write(tmp_path, "outside/secret", "x\n")
    (changed / "out").symlink_to(tmp_path / "outside")
    assert refused(changed, "out/secret")[0] == USAGE


@pytest.mark.parametrize("name", ["MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "BISECT_LOG"])
def test_nothing_is_committed_into_the_middle_of_something(git, changed, name):
    write(changed, f".git/{name}", git("rev-parse", "HEAD"))
    code, message = refused(changed)
    assert (code, message.endswith("is under way: finish it first")) == (REFUSED, True)


def test_another_git_at_work_is_waited_out_by_the_user(git, changed):
    write(changed, ".git/index.lock", "")
    before = git("rev-parse", "HEAD")
    code, message = refused(changed)
    assert (code, "another git process is at work" in message) == (LOCK_TIMEOUT, True)
    assert (git("rev-parse", "HEAD"), (changed / ".git/index.lock").exists()) == (before, True)


def test_a_branch_that_moved_meanwhile_is_not_overwritten(git, changed, monkeypatch):
    real = git_commit._commit_tree

    def meanwhile(*words):
        made = real(*words)
        git("update-ref", "refs/heads/main", git("commit-tree", "-p", "HEAD", "HEAD^{tree}", given=b"other"))
        return made

    monkeypatch.setattr(git_commit, "_commit_tree", meanwhile)
    before = digest(changed)
    assert "cannot lock ref 'HEAD'" in refused(changed)[1]
    assert (git("log", "-1", "--format=%s"), digest(changed)) == ("other", before)
    assert not (changed / ".git/index.lock").exists()


def test_the_lock_that_the_next_git_takes_is_left_to_it(git, changed, monkeypatch):
    """It is free as soon as the index is in place, and ours no more."""
    real = git_commit.tempfile.TemporaryDirectory

    class Slow(real):
        def cleanup(self):
            super().cleanup()
            write(changed, ".git/index.lock", "another's")

    monkeypatch.setattr(git_commit.tempfile, "TemporaryDirectory", Slow)
    commit(changed, "a.txt")
    assert (changed / ".git/index.lock").read_text() == "another's"


def test_a_nobody_is_told_to_say_who_he_is(git, changed, home):
    (home / ".gitconfig").write_text("[user]\n useConfigOnly = true\n")
    assert refused(changed)[1].endswith("it does not know who you are: set user.name and user.email")


def test_hooks_that_check_are_not_passed_over_unasked(git, changed):
    hook = write(changed, ".git/hooks/pre-commit", "#!/bin/sh\ntouch ran\nexit 1\n")
    assert commit(changed, "a.txt").paths == ("a.txt",)  # it is not executable, and no hook to git either
    hook.chmod(0o755)
    code, message = refused(changed)
    assert (code, message) == (
        REFUSED,
        f"{changed}: its hook pre-commit would not be run: commit by git itself, or say --no-verify",
    )
    commit(changed, past_hooks=True)
    assert not (changed / "ran").exists()


@pytest.mark.parametrize("where", some(["shared", ".husky"], 1))
def test_hooks_of_another_folder_count(git, changed, tmp_path, where):
    folder = tmp_path / "shared" if where == "shared" else changed / where
    write(folder, "commit-msg", "#!/bin/sh\n").chmod(0o755)
    git("config", "core.hooksPath", str(folder) if where == "shared" else where)
    assert refused(changed)[0] == REFUSED
    git("config", "core.hooksPath", os.devnull)
    assert len(commit(changed).paths) == 3


@pytest.fixture
def signer(git, home, tmp_path):
    """A stand-in for gpg that the user names."""
    told = "printf '\\n[GNUPG:] SIG_CREATED \\n' >&2\necho signature\n"
    shim = write(tmp_path, "signer", "#!/bin/sh\ncat > /dev/null\n" + told)
    shim.chmod(0o755)
    with (home / ".gitconfig").open("a") as file:
        file.write(f"[commit]\n gpgSign = true\n[gpg]\n program = {shim}\n")
    return shim


def test_who_signs_his_commits_has_this_one_signed(git, changed, signer):
    commit(changed)
    assert "gpgsig signature" in git("cat-file", "commit", "HEAD")


def test_a_signature_that_fails_makes_no_commit(git, changed, signer):
    signer.write_text("#!/bin/sh\ncat > /dev/null\nexit 2\n")
    before = git("rev-parse", "HEAD"), digest(changed)
    assert "no commit was made: git: error: gpg failed to sign the data" in refused(changed)[1]
    assert (git("rev-parse", "HEAD"), digest(changed)) == before


def test_a_signer_that_the_repository_names_is_not_run(git, changed, signer):
    write(changed, "evil", "#!/bin/sh\ntouch ran\n").chmod(0o755)
    git("config", "gpg.program", str(changed / "evil"))
    commit(changed)
    assert "gpgsig signature" in git("cat-file", "commit", "HEAD")
    assert not (changed / "ran").exists()


def test_of_itself_nothing_is_committed_by_default(git, changed):
    before = digest(changed), git("rev-parse", "HEAD")
    assert auto(changed, DEFAULTS) is None
    assert auto(changed, {**AUTO, "git.enabled": False}) is None
    assert (digest(changed), git("rev-parse", "HEAD")) == before


def test_what_is_tracked_is_committed_of_itself_when_asked_for(git, changed):
    made = auto(changed, title="Feature;\n$(touch ran) {task_code}", sprint="SPR-1")
    assert made.commit["message"] == "feat(SPR-1): Feature; $(touch ran) {task_code} [TSK-001]"
    assert (made.commit["phase"], status(git)) == ("execute", ["?? untracked.txt"])
    assert auto(changed) is None


def test_the_template_is_the_settings(git, changed):
    made = auto(changed, {**AUTO, "git.commit_message_template": "{task_code} {phase} ({sprint_code})"})
    assert made.commit["message"] == "TSK-001 execute"
    write(changed, "a.txt", "again\n")
    with pytest.raises(UserError, match=r"git\.commit_message_template: no placeholder named 'x'"):
        auto(changed, {**AUTO, "git.commit_message_template": "{x}"})


def test_what_the_user_has_half_staged_is_left_to_him(git, changed):
    git("add", "a.txt")
    write(changed, "a.txt", "changed again\n")
    made = auto(changed)
    assert (sorted(made.paths), made.left_out) == (["src/c.txt", "staged.txt"], ("a.txt",))
    assert status(git) == ["MM a.txt", "?? untracked.txt"]


def test_of_itself_it_leaves_every_other_shape_alone(git, changed, empty, tmp_path):
    assert auto(tmp_path) is None
    git("clone", "-q", "--bare", str(changed), str(tmp_path / "bare"))
    assert auto(tmp_path / "bare") is None
    git("checkout", "-q", "--detach")
    with pytest.raises(UserError, match="HEAD is detached, and nothing was committed"):
        auto(changed)
    git("switch", "-q", "main")
    write(changed, ".git/MERGE_HEAD", git("rev-parse", "HEAD"))
    with pytest.raises(UserError, match="a merge is under way"):
        auto(changed)


def test_a_clean_repository_with_hooks_has_nothing_to_say(git, repository):
    write(repository, ".git/hooks/pre-commit", "#!/bin/sh\n").chmod(0o755)
    before = digest(repository)
    assert (auto(repository), digest(repository)) == (None, before)


@pytest.mark.slow
def test_two_at_once_make_two_commits_or_say_so(git, repository):
    """Each in a process of its own, on files of its own."""
    for name in "wxyz":
        write(repository, name, "x\n")
    code = "import sys; from orchestrate.memory import git_commit as g; g.commit('.', sys.argv[1], [sys.argv[1]])"
    here = str(Path(__file__).resolve().parents[2])
    python = [os.sys.executable, "-c", code]
    env = {**os.environ, "PYTHONPATH": here}
    runs = [subprocess.Popen([*python, name], cwd=repository, env=env, stderr=subprocess.PIPE) for name in "wxyz"]
    for run in runs:
        run.communicate(timeout=60)
    made = [name for name, run in zip("wxyz", runs, strict=True) if run.returncode == 0]
    assert sorted(git("log", "--format=%s").splitlines()) == sorted(["begin and more of it"[:5], *made])
    assert sorted(status(git)) == [f"?? {name}" for name in "wxyz" if name not in made]
    assert git("fsck", "--strict", "--no-dangling") == ""
