"""A repository whose own configuration names programs: none of them runs while it is only looked at."""

import pytest
from git_world import task, write

from orchestrate.memory import git_call, git_capture, git_changes, git_commit, git_repository, git_status
from state.errors import REFUSED, UserError
from state.snapshot import DEFAULTS

pytestmark = pytest.mark.slow

HOOKS = (
    "applypatch-msg",
    "post-checkout",
    "post-commit",
    "post-index-change",
    "post-rewrite",
    "pre-auto-gc",
    "reference-transaction",
)
PROGRAMS = {
    "alias.status": "!{evil}",
    "core.alternateRefsCommand": "{evil}",
    "core.askPass": "{evil}",
    "core.editor": "{evil}",
    "core.fsmonitor": "{evil}",
    "core.pager": "{evil}",
    "core.sshCommand": "{evil}",
    "credential.helper": "!{evil}",
    "diff.evil.command": "{evil}",
    "diff.evil.textconv": "{evil}",
    "diff.external": "{evil}",
    "filter.evil.clean": "{evil}",
    "filter.evil.required": "true",
    "filter.evil.smudge": "{evil}",
    "gpg.program": "{evil}",
    "interactive.diffFilter": "{evil}",
    "log.showSignature": "true",
    "pager.diff": "{evil}",
    "trailer.x.command": "{evil}",
    "uploadpack.packObjectsHook": "{evil}",
}


@pytest.fixture
def evil(git, repository):
    """Every program is one that leaves `ran` behind."""
    program = write(repository, ".git/evil", f"#!/bin/sh\necho \"$0 $*\" >> '{repository}/.git/ran'\ncat\n")
    program.chmod(0o755)
    for name in HOOKS:
        write(repository, f".git/hooks/{name}", program.read_bytes()).chmod(0o755)
    for key, value in PROGRAMS.items():
        git("config", key, value.format(evil=program))
    write(repository, ".git/info/attributes", "* filter=evil diff=evil\n")
    write(repository, "a.txt", "changed\n")
    return repository


def ran(folder):
    path = folder / ".git/ran"
    return path.read_text().splitlines() if path.exists() else []


def test_the_programs_would_run(git, evil):
    """What the other tests rest on."""
    git("status")
    git("diff", "--ext-diff")
    assert len({line.split()[0] for line in ran(evil)}) > 1


@pytest.mark.parametrize("key", ["clean", "process"])
def test_looking_runs_none_of_them(git, evil, key):
    git("config", f"filter.evil.{key}", str(evil / ".git/evil"))
    found = git_repository.find(str(evil))
    assert git_status.read(found).modified == ["a.txt"]
    assert git_capture.capture(str(evil), None)["message"] == "begin"
    assert "- a.txt" in git_changes.render(str(evil), task())
    assert "0 files changed" in git_changes.render(str(evil), task(), "HEAD", "HEAD")
    assert ran(evil) == []


def test_a_filter_without_a_way_to_say_anything_of_it_is_refused(git, evil):
    git("config", "filter.a=b.clean", str(evil / ".git/evil"))
    with pytest.raises(UserError, match=r"filter\.a=b: the repository's own configuration names it"):
        git_status.read(git_repository.find(str(evil)))
    assert ran(evil) == []


def test_the_users_own_filters_are_run(git, repository, home):
    """As of git-lfs: without them every file of theirs would look changed."""
    git("config", "--global", "filter.upper.clean", "tr a-z A-Z")
    write(repository, ".gitattributes", "*.up filter=upper\n")
    write(repository, "x.up", "quiet\n")
    git("add", "--all")
    git("commit", "-q", "-m", "filtered")
    write(repository, "x.up", "QUIET\n")
    assert git_status.read(git_repository.find(str(repository))).modified == []
    write(repository, "x.up", "louder\n")
    git_commit.commit(str(repository), "again")
    assert git("show", "HEAD:x.up") == "LOUDER"


def test_nothing_is_committed_of_itself_through_a_filter_of_the_repositorys(git, evil):
    before = git("rev-parse", "HEAD")
    with pytest.raises(UserError, match="its own configuration names the filter evil, which would run") as caught:
        git_commit.auto(str(evil), task(), "execute", {**DEFAULTS, "git.auto_commit": True})
    assert (caught.value.code, git("rev-parse", "HEAD"), ran(evil)) == (REFUSED, before, [])


def test_a_commit_that_is_asked_for_runs_its_filters_alone(git, evil):
    git_commit.commit(str(evil), "asked for")
    assert {line.split()[0] for line in ran(evil)} <= {str(evil / ".git/evil")}
    assert ran(evil) != []
    git("config", "--remove-section", "filter.evil")
    (evil / ".git/ran").unlink()
    write(evil, "a.txt", "again\n")
    git_commit.commit(str(evil), "again")
    assert ran(evil) == []


def test_a_partial_clone_fetches_nothing(git, repository, tmp_path, monkeypatch):
    """The transport is a program as well, and the repository names it."""
    write(repository, "a.txt", "another\n")
    git("commit", "-q", "-am", "second")
    git("config", "uploadpack.allowFilter", "true")
    git("clone", "-q", "--no-checkout", "--filter=blob:none", f"file://{repository}", str(tmp_path / "partial"))
    partial = tmp_path / "partial"
    write(partial, ".git/evil", f"#!/bin/sh\ntouch '{partial}/.git/ran'\nexit 1\n").chmod(0o755)
    for key in ("uploadpack", "receivepack"):
        git("config", f"remote.origin.{key}", str(partial / ".git/evil"), cwd=partial)
    for url in (f"file://{repository}", f"ext::{partial}/.git/evil %S", "evil@localhost:x", str(repository)):
        git("config", "remote.origin.url", url, cwd=partial)
        git("config", "core.sshCommand", str(partial / ".git/evil"), cwd=partial)
        git("config", "protocol.ext.allow", "always", cwd=partial)
        changes = git_changes.render(str(partial), task(), "HEAD~1", "HEAD")
        assert "- a.txt\n\n## Diff Summary\n1 file changed, lines not counted" in changes
        assert git_capture.capture(str(partial), None)["message"] == "second"
        assert ran(partial) == []
    for name in ("GIT_ALLOW_PROTOCOL", "GIT_NO_LAZY_FETCH"):
        monkeypatch.delitem(git_call._FIXED, name)
    git("config", "remote.origin.url", f"file://{repository}", cwd=partial)
    git_changes.render(str(partial), task(), "HEAD~1", "HEAD")
    assert (partial / ".git/ran").exists()  # else this would prove nothing


def test_a_work_tree_elsewhere_is_not_gone_to(git, repository, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    git("config", "core.worktree", str(tmp_path / "elsewhere"))
    with pytest.raises(UserError, match="is not inside the work tree that its repository names"):
        git_repository.find(str(repository))


def test_a_repository_that_git_does_not_understand_is_told(git, repository):
    git("config", "core.repositoryFormatVersion", "99")
    with pytest.raises(UserError, match="Expected git repo version <= 1, found 99"):
        git_repository.find(str(repository))


@pytest.mark.parametrize("damage", ["HEAD", "index", "refs"])
def test_a_broken_repository_is_one_line(git, repository, damage):
    if damage == "refs":
        write(repository, ".git/refs/heads/main", "0123\n")
    else:
        write(repository, f".git/{damage}", b"\0" * 64)
    with pytest.raises(UserError) as caught:
        git_status.read(git_repository.find(str(repository)))
        git_repository.require_head(git_repository.find(str(repository)))
    assert "\n" not in str(caught.value)
