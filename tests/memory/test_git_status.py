import os

import pytest
from git_world import write
from tiers import some

from orchestrate.memory import git_repository, git_status
from state.errors import UserError


def status(folder):
    return git_status.read(git_repository.find(str(folder)))


def lists(folder):
    found = status(folder)
    return found.branch, found.modified, found.added, found.deleted, list(found.untracked)


def test_a_clean_work_tree_has_nothing(repository):
    assert lists(repository) == ("main", [], [], [], [])


def test_each_kind_of_change_is_in_its_list(git, repository):
    write(repository, "a.txt", "changed\n")
    write(repository, "staged.txt", "new\n")
    git("add", "staged.txt")
    (repository / "src/c.txt").unlink()
    write(repository, "folder/new.txt", "new\n")
    assert lists(repository) == ("main", ["a.txt"], ["staged.txt"], ["src/c.txt"], ["folder/"])
    assert lists(repository / "src") == lists(repository)


def test_what_was_added_and_is_gone_again_is_nothing(git, repository):
    write(repository, "staged.txt", "new\n")
    git("add", "staged.txt")
    (repository / "staged.txt").unlink()
    assert lists(repository) == ("main", [], [], [], [])


def test_a_renamed_file_is_added_and_deleted(git, repository):
    git("mv", "src/b.txt", "b.txt")
    assert lists(repository) == ("main", [], ["b.txt"], ["src/b.txt"], [])


def test_a_file_that_is_to_be_added_is_added(git, repository):
    write(repository, "soon.txt", "soon\n")
    git("add", "--intent-to-add", "soon.txt")
    assert lists(repository) == ("main", [], ["soon.txt"], [], [])


def test_a_conflict_is_a_modification(git, repository):
    git("switch", "-q", "-c", "other")
    write(repository, "a.txt", "other\n")
    git("commit", "-q", "-am", "other")
    git("switch", "-q", "main")
    write(repository, "a.txt", "main\n")
    git("commit", "-q", "-am", "main")
    with pytest.raises(Exception, match="returned non-zero"):
        git("merge", "other")
    assert lists(repository) == ("main", ["a.txt"], [], [], [])
    assert status(repository).entries[0].is_unmerged


def test_a_branch_without_a_commit_has_its_name(empty):
    write(empty, "new.txt", "new\n")
    assert lists(empty) == ("main", [], [], [], ["new.txt"])
    assert status(empty).head is None


def test_a_detached_head_is_no_branch(git, repository):
    git("checkout", "-q", "--detach")
    assert lists(repository) == (None, [], [], [], [])


@pytest.mark.parametrize(
    "name", some([b"\xff\xfe.txt", b"with\nline", b'quo"te', b"tab\there", " ünï ".encode(), b"-x", b"# y"], 3)
)
def test_a_path_of_any_bytes_is_read(git, repository, name):
    path = os.fsdecode(name)
    write(repository, path, "new\n")
    assert lists(repository) == ("main", [], [], [], [path])
    git("add", "--", path)
    assert lists(repository) == ("main", [], [path], [], [])


def test_a_linked_work_tree_has_its_own(git, repository, tmp_path):
    git("worktree", "add", "-q", "-b", "feature", str(tmp_path / "linked"))
    write(tmp_path / "linked", "a.txt", "changed\n")
    assert lists(tmp_path / "linked") == ("feature", ["a.txt"], [], [], [])
    assert lists(repository) == ("main", [], [], [], [])


@pytest.fixture
def submodule(git, repository, tmp_path):
    """A repository with a submodule `sub`; the submodule's folder."""
    git("clone", "-q", str(repository), str(tmp_path / "lib"))
    git("submodule", "--quiet", "add", str(tmp_path / "lib"), "sub")
    git("commit", "-q", "-m", "sub")
    return repository / "sub"


def test_a_submodule_is_listed_by_its_commit_and_not_entered(git, submodule, repository):
    write(submodule, "a.txt", "changed\n")
    write(submodule, "new.txt", "new\n")
    assert lists(repository) == ("main", [], [], [], [])
    git("commit", "-q", "-am", "in sub", cwd=submodule)
    assert lists(repository) == ("main", ["sub"], [], [], [])
    assert status(repository).entries[0].is_submodule
    assert lists(submodule) == ("main", [], [], [], ["new.txt"])


def test_reading_leaves_the_index_as_it_is(git, repository):
    index = repository / ".git/index"
    os.utime(repository / "a.txt", (1, 1))  # git would like to note the new time
    before = index.read_bytes(), index.stat().st_mtime_ns
    assert lists(repository) == ("main", [], [], [], [])
    assert (index.read_bytes(), index.stat().st_mtime_ns) == before


def test_the_users_own_ways_of_showing_do_not_change_it(git, repository):
    settings = {"showUntrackedFiles": "no", "relativePaths": "true", "short": "true", "renames": "false"}
    for key, value in settings.items():
        git("config", f"status.{key}", value)
    git("config", "core.quotePath", "true")
    write(repository, "src/ü.txt", "new\n")
    assert lists(repository / "src") == ("main", [], [], [], ["src/ü.txt"])


def test_a_bare_repository_has_no_status(git, repository, tmp_path):
    git("clone", "-q", "--bare", str(repository), str(tmp_path / "bare"))
    with pytest.raises(UserError, match="is a bare repository: go to a work tree of it"):
        status(tmp_path / "bare")


def test_a_folder_of_no_repository_is_told(git, tmp_path):
    with pytest.raises(UserError, match=r"is in no git repository: go to one, or make one \(`git init`\)"):
        status(tmp_path)


def test_the_repositorys_own_folder_is_no_work_tree(repository):
    with pytest.raises(UserError, match="is inside the repository's own folder: go to its work tree"):
        status(repository / ".git")
