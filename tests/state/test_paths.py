"""Which project a folder belongs to, and where its state lies."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from state import paths

ID = "0123456789abcdef"


@pytest.fixture
def tree(tmp_path):
    """Make folders (a name that ends in `/`) and files below a folder of their own, and return it."""

    def make(*names):
        root = tmp_path / "tree"
        root.mkdir(exist_ok=True)
        for name in names:
            path = root / name
            (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
            if not name.endswith("/"):
                path.touch()
        return root

    return make


# what there is, where one stands, what the root is; all below one folder that holds no marker itself
ROOTS = {
    "nothing anywhere": (["a/b/"], "a/b", "a/b"),
    ".orchestrator here": (["a/.orchestrator/"], "a", "a"),
    ".orchestrator above": (["a/.orchestrator/", "a/b/c/"], "a/b/c", "a"),
    ".git here": (["a/.git/"], "a", "a"),
    ".git above": (["a/.git/", "a/b/c/"], "a/b/c", "a"),
    "workflow.yaml above": (["a/workflow.yaml", "a/b/"], "a/b", "a"),
    ".claude above": (["a/.claude/", "a/b/"], "a/b", "a"),
    "the nearest .claude": (["a/.claude/", "a/b/.claude/", "a/b/c/"], "a/b/c", "a/b"),
    "the nearest marker: .git below .orchestrator": (["a/.orchestrator/", "a/b/.git/"], "a/b", "a/b"),
    "the nearest marker: .orchestrator below .git": (["a/.git/", "a/b/.orchestrator/", "a/b/c/"], "a/b/c", "a/b"),
    "the nearest marker: workflow.yaml below .git": (["a/.git/", "a/b/workflow.yaml"], "a/b", "a/b"),
    "a .claude never beats a .git above": (["a/.git/", "a/b/.claude/", "a/b/c/"], "a/b/c", "a"),
    "a .claude never beats a .orchestrator above": (["a/.orchestrator/", "a/b/.claude/"], "a/b", "a"),
    "a .git as a file of no worktree": (["a/.git", "a/b/"], "a/b", "a"),
    "a folder that is not there": (["a/.git/"], "a/gone/deep", "a"),
    "a marker by another name": (["a/.gitignore", "a/.orchestrator.bak/", "a/b/"], "a/b", "a/b"),
}


@pytest.mark.parametrize(("names", "cwd", "root"), ROOTS.values(), ids=ROOTS)
def test_root(names, cwd, root, tree, home):
    folder = tree(*names)
    assert paths.find_root(str(folder / cwd), str(home)) == str(folder / root)


@pytest.mark.parametrize(("names", "cwd", "root"), ROOTS.values(), ids=ROOTS)
def test_a_slash_at_the_end_changes_nothing(names, cwd, root, tree, home):
    folder = tree(*names)
    env = {"HOME": f"{home}/"}
    assert paths.locate(f"{folder / cwd}/", env).root == str(folder / root)


@pytest.mark.parametrize("marker", [".claude/", ".orchestrator/"])
def test_home_is_no_project_by_what_every_home_holds(marker, tree):
    home = tree(f"home/{marker}", "home/docs/letters/") / "home"
    assert paths.find_root(str(home / "docs/letters"), str(home)) == str(home / "docs/letters")
    assert paths.find_root(str(home), str(home)) == str(home)


@pytest.mark.parametrize("marker", [".claude/", ".orchestrator/"])
def test_home_by_another_name_is_home(marker, tree):
    folder = tree(f"data/home/{marker}", "data/home/docs/")
    (folder / "link").symlink_to(folder / "data/home")
    docs = str(folder / "data/home/docs")
    assert paths.find_root(docs, str(folder / "link")) == docs
    assert not paths.locate(str(folder / "data/home"), {"HOME": str(folder / "link")}).initialised


@pytest.mark.parametrize("marker", [".git/", "workflow.yaml"])
def test_home_is_a_project_where_the_user_made_it_one(marker, tree):
    home = tree(f"home/{marker}", "home/.orchestrator/", "home/docs/") / "home"
    place = paths.locate(str(home / "docs"), {"HOME": str(home)})
    assert (place.root, place.initialised) == (str(home), False)
    assert place.state == f"{home}/.orchestrator/projects/{place.project}"


def test_the_root_the_environment_names(tree, home):
    folder = tree("a/.git/", "b/c/")
    roots = [
        paths.locate(str(folder / "a"), {"HOME": str(home), "ORCHESTRATOR_ROOT": named}).root
        for named in (str(folder / "b"), f"{folder}/b/", "../b", f"{folder}/a/../b/./", "")
    ]
    assert roots == [str(folder / name) for name in ("b", "b", "b", "b", "a")]


def test_an_id_is_the_root_s_and_nothing_else_s(tree, home):
    folder = tree("a/.git/", "a/x/", "b/.git/")
    ids = [paths.locate(str(folder / cwd), {"HOME": str(home)}).project for cwd in ("a", "a/x", "b")]
    assert ids[0] == ids[1] != ids[2]
    assert all(len(found) == len(ID) and not found.strip(ID) for found in ids)


def test_before_init_the_state_is_at_home(tree, home):
    root = tree("a/.git/") / "a"
    place = paths.locate(str(root), {"HOME": str(home)})
    assert (place.root, place.user, place.initialised) == (str(root), f"{home}/.orchestrator", False)
    assert place.state == f"{home}/.orchestrator/projects/{place.project}"


def test_after_init_the_state_is_in_the_project(tree, home):
    root = tree("a/.git/", "a/.orchestrator/") / "a"
    place = paths.locate(str(root), {"HOME": str(home)})
    assert (place.state, place.user, place.initialised) == (f"{root}/.orchestrator", f"{home}/.orchestrator", True)


def test_a_file_of_that_name_is_no_state(tree, home):
    root = tree("a/.orchestrator") / "a"
    place = paths.locate(str(root), {"HOME": str(home)})
    assert (place.root, place.initialised) == (str(root), False)
    assert place.state.startswith(f"{home}/")


@pytest.mark.parametrize(
    "env",
    [
        {"CLAUDE_CODE_WEB": "1"},
        {"GITHUB_CODESPACES": "1"},
        {"CODESPACES": "true"},
        {"GITPOD_WORKSPACE_ID": "amber-fox-12"},
    ],
    ids=lambda env: next(iter(env)),
)
def test_where_the_machine_is_thrown_away_the_state_is_in_the_project(env, tree, home):
    root = tree("a/.git/") / "a"
    place = paths.locate(str(root), {"HOME": str(home), **env})
    assert (place.state, place.user, place.initialised) == (f"{root}/.orchestrator", f"{home}/.orchestrator", False)


@pytest.mark.parametrize(
    "env", [{}, {"CLAUDE_CODE_WEB": "0"}, {"GITHUB_CODESPACES": ""}, {"CODESPACES": "false"}, {"CI": "true"}]
)
def test_a_machine_that_stays_keeps_the_state_at_home(env, tree, home):
    assert not paths.is_ephemeral(env)
    assert paths.locate(str(tree("a/.git/") / "a"), {"HOME": str(home), **env}).state.startswith(f"{home}/")


@pytest.mark.parametrize("named", [None, "", "relative", "/dev/null/home", "/no/such/home"])
def test_without_a_home_the_state_is_in_the_project(named, tree):
    root = tree("a/.git/") / "a"
    place = paths.locate(str(root), {} if named is None else {"HOME": named})
    assert (place.state, place.user, place.initialised) == (f"{root}/.orchestrator", None, False)


def test_at_the_top_of_the_file_system():
    place = paths.locate("/", {})
    assert (place.root, place.state) == ("/", "/.orchestrator")
    assert "//" not in paths.locate("/", {"HOME": "/"}).state


@pytest.mark.parametrize("cwd", ["", "/"])
def test_no_folder_is_the_top(cwd):
    assert paths.locate(cwd, {}).root == "/"


@pytest.mark.parametrize(
    ("session", "safe"),
    [
        ("9e401858-cd5a-4d55-ae9d-331d16fe93d0", True),
        ("20261121-093000-a1b2c3d4", True),
        ("night_shift.2", True),
        ("x" * 128, True),
        ("x" * 129, False),
        ("", False),
        (".", False),
        ("..", False),
        (".hidden", False),
        ("../up", False),
        ("a/b", False),
        ("a b", False),
        ("é", False),
        ("\0", False),
        ("\ud800", False),
        ("a\n", False),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_a_session_s_folder(session, safe, place):
    name = paths.safe_session(session)
    assert (name == session) == safe
    assert name == session or (name.startswith("x-") and len(name) == 18)
    assert paths.session_dir(place, session) == f"{place.state}/sessions/{name}"


def test_sessions_that_need_another_name_do_not_share_one():
    odd = ["", ".", "..", "a/b", "a b", "é", "\0", "\ud800", "\udfff", "x" * 129, "x" * 130]
    assert len({paths.safe_session(session) for session in odd}) == len(odd)


def git(folder, *arguments):
    names = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")
    env = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null", **dict.fromkeys(names, "me@localhost")}
    command = ["git", "-C", str(folder), "-c", "protocol.file.allow=always", *arguments]
    subprocess.run(command, env=env, check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A repository with one commit; tests copy it."""
    folder = tmp_path_factory.mktemp("git") / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "commit", "--quiet", "--allow-empty", "--message=first")
    return folder


@pytest.fixture
def repository(template, tmp_path):
    return Path(shutil.copytree(template, tmp_path / "repository"))


def root_of(folder, home):
    return paths.locate(str(folder), {"HOME": str(home)}).root


@pytest.mark.parametrize("where", ["../linked", "inside/linked"])
def test_a_linked_worktree_belongs_to_the_main_one(where, repository, home):
    linked = repository / where
    git(repository, "worktree", "add", "--quiet", where)
    (linked / "deep").mkdir()
    assert [root_of(folder, home) for folder in (linked, linked / "deep")] == [str(repository)] * 2


def test_a_linked_worktree_with_a_portable_copy_belongs_to_the_main_one(repository, home):
    git(repository, "worktree", "add", "--quiet", "../linked")
    linked = repository.parent / "linked"
    (linked / ".orchestrator").mkdir()
    (repository / ".orchestrator").mkdir()
    place = paths.locate(str(linked), {"HOME": str(home)})
    assert (place.root, place.state) == (str(repository), f"{repository}/.orchestrator")


def test_a_linked_worktree_whose_git_uses_relative_paths(repository, home):
    git(repository, "worktree", "add", "--quiet", "../linked")
    linked = repository.parent / "linked"
    (linked / ".git").write_text("gitdir: ../repository/.git/worktrees/linked\n")
    assert root_of(linked, home) == str(repository)


def test_worktrees_of_a_bare_repository_share_a_project(template, tmp_path, home):
    git(tmp_path, "clone", "--quiet", "--bare", str(template), "store.git")
    git(tmp_path / "store.git", "worktree", "add", "--quiet", "../one", "main")
    git(tmp_path / "store.git", "worktree", "add", "--quiet", "-b", "two", "../two")
    assert [root_of(tmp_path / name, home) for name in ("one", "two")] == [str(tmp_path / "store.git")] * 2


def test_a_bare_repository_inside_another_s_folder_is_its_own(repository, template, home):
    git(repository, "clone", "--quiet", "--bare", str(template), "store.git")
    git(repository / "store.git", "worktree", "add", "--quiet", "../../one", "main")
    assert root_of(repository.parent / "one", home) == str(repository / "store.git")


def test_a_bare_repository_that_a_folder_points_to(template, tmp_path, home):
    """The usual way to keep worktrees side by side: `.bare`, and a `.git` file that names it."""
    folder = tmp_path / "folder"
    folder.mkdir()
    git(folder, "clone", "--quiet", "--bare", str(template), ".bare")
    (folder / ".git").write_text("gitdir: ./.bare\n")
    git(folder, "worktree", "add", "--quiet", "one", "main")
    assert [root_of(at, home) for at in (folder, folder / "one")] == [str(folder)] * 2


def test_a_submodule_is_a_project_of_its_own(repository, template, home):
    git(repository, "submodule", "--quiet", "add", str(template), "part")
    assert root_of(repository / "part", home) == str(repository / "part")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"gitdir: ",
        b"gitdir: /no/such/folder",
        b"gitdir: a\0b",
        b"\xff\xfe",
        b"gitdir: " + b"x" * 9000,
        b"junk\n" * 9000,
    ],
    ids=lambda content: ascii(content)[:20],
)
def test_a_git_file_that_says_nothing_good_marks_its_own_folder(content, tree, home):
    root = tree("a/", "a/b/") / "a"
    (root / ".git").write_bytes(content)
    assert root_of(root / "b", home) == str(root)
