import os
import time

import pytest
from git_world import racy, task, write
from tiers import some

from orchestrate.memory import git_call, git_capture, git_changes, git_diff, git_repository
from state.errors import REFUSED, UserError


def collect(folder, base=None, head=None, **fields):
    return git_changes.collect(str(folder), task(**fields), base, head)


def section(text, name):
    return text.partition(f"\n## {name}\n")[2].partition("\n\n## ")[0].splitlines()


def listed(folder, *span, **fields):
    return section(collect(folder, *span, **fields).text, "Modified Files")


def summed(folder, *span):
    return section(collect(folder, *span).text, "Diff Summary")


def test_the_page_is_the_template_of_document_001(git, empty):
    write(empty, "app/Services/Feature.php", "old\n" * 20)
    git("add", "--all")
    git("commit", "-q", "-m", "begin")
    began = git_capture.capture(str(empty), "execute")
    write(empty, "app/Services/Feature.php", "new\n" * 100)
    write(empty, "tests/Feature/FeatureTest.php", "test\n" * 50)
    git("add", "--all")
    git("commit", "-q", "-m", "feat: implement new feature")
    final = git_capture.capture(str(empty), "execute")
    today = time.strftime("%Y-%m-%d")
    made = git_changes.render(str(empty), task(metadata={"commits": [began, final]}))
    today = today if today in made else time.strftime("%Y-%m-%d")  # midnight may pass meanwhile
    assert made == (
        f"""# Changes Summary

**Task**: Feature Implementation (TSK-001)
**Date**: {today}

## Overview
Task description here...

## Modified Files
- app/Services/Feature.php
- tests/Feature/FeatureTest.php

## Diff Summary
2 files changed, 150 insertions(+), 20 deletions(-)

## Related Commits
- {final["short_hash"]} - feat: implement new feature (Phase: execute)
"""
    )


def test_what_is_not_committed_counts_too(git, repository):
    write(repository, "a.txt", "a\nand more\n")
    (repository / "src/c.txt").unlink()
    git("mv", "src/b.txt", "b.txt")
    write(repository, "new.txt", "new\n")
    write(repository, "CHANGES.md", "ours\n")
    before = (repository / ".git/index").read_bytes()
    assert listed(repository) == [
        "- a.txt",
        "- b.txt (from src/b.txt)",
        "- src/c.txt",
        "- new.txt (not tracked by git)",
    ]
    assert summed(repository) == ["3 files changed, 1 insertion(+), 1 deletion(-)"]
    assert (repository / ".git/index").read_bytes() == before


def test_a_touched_file_has_not_changed(repository):
    os.utime(repository / "a.txt", (1, 1))
    assert (listed(repository), summed(repository)) == (["None."], ["0 files changed"])


def test_a_change_within_the_clocks_tick_is_seen(git, repository):
    racy(git, repository)
    assert listed(repository) == ["- a.txt"]


def test_between_two_commits_the_work_tree_does_not_matter(git, repository):
    git("tag", "one")
    write(repository, "a.txt", b"\0binary")
    git("commit", "-q", "-am", "binary")
    write(repository, "src/c.txt", "x\n")
    assert listed(repository, "one", "HEAD") == ["- a.txt"]
    assert summed(repository, "one", "HEAD") == ["1 file changed, 0 insertions(+), 0 deletions(-)"]
    assert section(collect(repository, "one", "HEAD").text, "Related Commits") == [
        f"- {git('rev-parse', '--short=7', 'HEAD')} - binary"
    ]


def test_a_submodule_is_one_path(git, repository, tmp_path):
    git("clone", "-q", str(repository), str(tmp_path / "lib"))
    git("submodule", "--quiet", "add", str(tmp_path / "lib"), "sub")
    git("commit", "-q", "-m", "sub")
    write(repository / "sub", "a.txt", "changed\n")
    git("commit", "-q", "-am", "in sub", cwd=repository / "sub")
    assert listed(repository) == ["- sub"]
    assert listed(repository, "HEAD~1") == ["- .gitmodules", "- sub"]


def test_the_base_is_what_was_kept_first_when_execute_began(git, repository):
    commits = []
    for phase in ("plan", "execute", "execute"):
        write(repository, "a.txt", phase + str(len(commits)))
        git("commit", "-q", "-am", phase)
        commits.append(git_capture.capture(str(repository), phase))
    made = collect(repository, metadata={"commits": commits})
    assert made.base == (commits[1]["hash"], "kept when execute began")
    assert section(made.text, "Related Commits") == [
        f"- {commits[0]['short_hash']} - plan (Phase: plan)",
        f"- {commits[2]['short_hash']} - execute (Phase: execute)",
    ]


def test_a_commit_is_of_the_phase_that_it_was_made_in(git, repository):
    """It is HEAD when review and close end too, and kept for each of them."""
    write(repository, "a.txt", "made\n")
    began = git_capture.capture(str(repository), "execute")
    git("commit", "-q", "-am", "made")
    kept = [began, *(git_capture.capture(str(repository), phase) for phase in ("execute", "review", "close"))]
    made = collect(repository, metadata={"commits": kept})
    assert section(made.text, "Related Commits") == [f"- {kept[1]['short_hash']} - made (Phase: execute)"]


def test_without_one_it_is_where_the_branch_left_its_own(git, repository):
    left = git("rev-parse", "HEAD")
    git("switch", "-q", "-c", "feature")
    write(repository, "a.txt", "feature\n")
    git("commit", "-q", "-am", "feature")
    git("switch", "-q", "main")
    write(repository, "src/c.txt", "main\n")
    git("commit", "-q", "-am", "main")
    git("switch", "-q", "feature")
    kept_elsewhere = {"hash": "0" * 40, "phase": "execute", "short_hash": "0" * 7, "message": "x"}
    made = collect(repository, metadata={"commits": [kept_elsewhere]})
    assert (made.base, section(made.text, "Modified Files")) == ((left, "where it left main"), ["- a.txt"])
    git("branch", "-q", "--set-upstream-to=main")
    assert collect(repository).base == (left, "where it left @{upstream}")


def test_a_base_that_is_no_ancestor_is_taken_back_to_where_they_part(git, repository):
    left = git("rev-parse", "HEAD")
    git("switch", "-q", "-c", "feature")
    write(repository, "a.txt", "feature\n")
    git("commit", "-q", "-am", "before the rebase")
    kept = git_capture.capture(str(repository), "execute")
    git("commit", "-q", "--amend", "-m", "after it")
    assert collect(repository, metadata={"commits": [kept]}).base.hash == left


def test_a_repository_with_one_branch_has_what_is_not_committed(repository, git):
    write(repository, "a.txt", "x\n")
    git("branch", "-q", "-m", "trunk")
    made = collect(repository)
    assert made.base == (git("rev-parse", "HEAD"), "the last commit, for want of an earlier one that is known")
    assert section(made.text, "Modified Files") == ["- a.txt"]


def test_without_a_commit_everything_is_new(git, empty):
    write(empty, "a.txt", "a\n")
    write(empty, "b.txt", "b\n")
    git("add", "a.txt")
    made = collect(empty)
    assert made.base == (git("hash-object", "-t", "tree", "--stdin"), "an empty tree: there is no commit yet")
    assert section(made.text, "Modified Files") == ["- a.txt", "- b.txt (not tracked by git)"]
    assert section(made.text, "Diff Summary") == ["1 file changed, 1 insertion(+)"]
    assert section(made.text, "Related Commits") == ["None."]


def test_the_first_commits_of_a_repository_are_the_tasks(git, empty):
    """Nothing could be kept when execute began: the commit kept when it ended is no beginning."""
    for name in ("a", "b"):
        write(empty, name, f"{name}\n")
        git("add", name)
        git("commit", "-q", "-m", name)
    final = git_capture.capture(str(empty), "execute")
    session = {"started_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))}
    made = collect(empty, metadata={"commits": [final], "session": session})
    assert made.base.why == "an empty tree: no commit is older than the session"
    assert section(made.text, "Modified Files") == ["- a", "- b"]
    assert [line.split(" - ")[1] for line in section(made.text, "Related Commits")] == ["a", "b (Phase: execute)"]
    later = {"started_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60))}
    assert collect(empty, metadata={"commits": [final], "session": later}).base.hash == final["hash"]


def test_a_bare_repository_without_a_commit_is_told(git, tmp_path):
    git("init", "-q", "--bare", str(tmp_path / "bare"))
    with pytest.raises(UserError, match="has no commit yet: make one first"):
        collect(tmp_path / "bare")


HEADING = "# no\n## Related Commits\n- x\n===\n---\n* * *\n```\n<script>\n![x](http://e)\n\x1b[31m\r\nlast \\ *fine*\n"


def test_nothing_in_a_task_can_pass_for_the_template(git, repository):
    git("commit", "-q", "--allow-empty", "-m", "- [x](http://e) <b> `c` **d** &amp;")
    made = collect(repository, "HEAD~1", title="# <b>T</b>\n## Overview", description=HEADING, code="TSK-1")
    assert "**Task**: \\# \\<b>T\\</b>\\\\n## Overview (TSK-1)\n" in made.text
    assert section(made.text, "Overview") == [
        "\\# no",
        "\\## Related Commits",
        "- x",
        "\\===",
        "\\---",
        "\\* * *",
        "\\```",
        "\\<script>",
        "\\![x](http://e)",
        "\\x1b[31m",
        "last \\ *fine*",
    ]
    assert section(made.text, "Related Commits")[0].partition(" - ")[2] == (
        "\\- \\[x\\](http://e) \\<b> \\`c\\` \\*\\*d\\*\\* \\&amp;"
    )


@pytest.mark.parametrize(
    ("name", "line"),
    some(
        [
            (b"snake_case_name.py", "- snake_case_name.py"),
            (b"__init__.py", "- \\_\\_init\\_\\_.py"),
            (b"a*b[c].txt", "- a\\*b\\[c\\].txt"),
            (b"1. first", "- &#49;. first"),
            (b"# x", "- \\# x"),
            (b"line\n## Overview", "- line\\\\n## Overview"),
            (b"\xff.txt", "- \\\\xff.txt"),
        ],
        3,
    ),
)
def test_a_path_is_read_as_it_stands(git, repository, name, line):
    write(repository, os.fsdecode(name), "x\n")
    git("add", "--all")
    assert listed(repository) == [line]


def test_a_secret_is_not_written_down(repository):
    made = collect(repository, description="with ghp_" + "a" * 36)
    assert section(made.text, "Overview") == ["with [redacted:github-token]"]


def test_many_files_are_cut(git, repository):
    for number in range(600):
        write(repository, f"many/{number}", "x\n")
    git("add", "--all")
    text = collect(repository).text
    lines = section(text, "Modified Files")
    assert (len(lines), lines[-1]) == (501, "- and 100 more")
    assert section(text, "Diff Summary") == ["600 files changed, 600 insertions(+)"]


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(git_diff, "_MOST_BYTES", 40)


def test_more_than_can_be_counted_is_still_told(small, git, repository):
    for name in ("first.txt", "second.txt", "third.txt", "fourth.txt"):
        write(repository, name, "x\n")
    git("add", "--all")
    assert summed(repository) == ["more than 3 files changed, lines not counted"]


def test_a_count_that_takes_too_long_gives_way_to_names(git, repository, monkeypatch):
    real = git_diff.call

    def late(folder, *words, **more):
        if "--numstat" in words:
            raise UserError("git diff-index: took longer than 60 s, and was stopped")
        return real(folder, *words, **more)

    monkeypatch.setattr(git_diff, "call", late)
    write(repository, "a.txt", "x\n")
    assert summed(repository) == ["1 file changed, lines not counted"]


def test_the_file_is_written_and_kept_up_to_date(git, repository):
    path = str(repository / "CHANGES.md")
    assert git_changes.write(path, collect(repository).text) is True
    assert git_changes.write(path, collect(repository).text) is False
    write(repository, "a.txt", "x\n")
    text = collect(repository).text
    assert git_changes.write(path, text) is True
    assert (repository / "CHANGES.md").read_text().startswith(text)
    assert (repository / "CHANGES.md").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("edit", ["By hand\n", "", None])
def test_a_file_of_somebodys_own_stays(repository, edit):
    path = repository / "CHANGES.md"
    if edit is None:
        git_changes.write(str(path), "ours\n")
        path.write_text(path.read_text().replace("ours", "ours, and a line by hand"))
    else:
        path.write_text(edit)
    before = path.read_bytes()
    with pytest.raises(UserError, match="somebody wrote or changed it by hand") as caught:
        git_changes.write(str(path), "new\n")
    assert (caught.value.code, path.read_bytes()) == (REFUSED, before)


def test_a_link_is_not_followed(repository, tmp_path):
    target = write(tmp_path, "target", "theirs")
    (repository / "CHANGES.md").symlink_to(target)
    with pytest.raises(UserError, match="is a link: remove it"):
        git_changes.write(str(repository / "CHANGES.md"), "ours")
    assert target.read_text() == "theirs"


def test_a_diff_names_no_more_than_git_can_tell(repository):
    found = git_diff.of_commits(git_repository.find(str(repository)), "HEAD", "HEAD")
    assert (found, git_diff.summary(found)) == (git_diff.Difference(()), "0 files changed")
    assert git_call.shown("a\u2028b\x7f") == "a\\u2028b\\x7f"
