"""What a task has to do with git: its commits, its pull request, and what it changed."""

import os
import time
from pathlib import Path
from typing import Any, NamedTuple

import click

from orchestrate.commands import here
from orchestrate.commands.typed import Code
from orchestrate.memory import git_capture, git_changes, git_commit, git_links, git_repository, git_status
from orchestrate.memory.git_call import shown
from state.errors import REFUSED, UserError
from state.paths import Place
from state.snapshot import Value
from state.store import Store, open_store
from state.store.records import Event
from state.store.task_records import Task


@click.group()
def command() -> None:
    """Keep commits and a pull request with a task, and say what it changed. Uses git's plumbing, and no hooks.

    \b
    Examples:
      $ orchestrate git capture TSK-001
      $ orchestrate git link-pr TSK-001 https://github.com/org/repo/pull/123
      $ orchestrate git changes TSK-001 --write
      $ orchestrate git status --json
    """


class Setting(NamedTuple):
    place: Place
    folder: str
    values: dict[str, Value]


def _setting(project_root: str | None) -> Setting:
    place = here.place(project_root)
    values = here.settled(place).values
    if not values["git.enabled"]:
        raise UserError("git.enabled is false: `orchestrate config set git.enabled true`", REFUSED)
    home = os.environ.get("HOME", "")
    return Setting(place, git_repository.where(place, here.working_directory(), home), values)


@command.command()
@click.argument("task", type=Code())
@click.option("--commit", "revision", help="A commit, branch or tag, if not HEAD.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--project-root", help="The project, if not that of the working directory.")
def capture(task: str, revision: str | None, as_json: bool, project_root: str | None) -> None:
    """Keep a commit with a task, with its phase. One that is kept of this phase already stays as it is.

    \b
    Examples:
      $ orchestrate git capture TSK-001
      $ orchestrate git capture TSK-001 --commit HEAD~2
    """
    place, folder, _ = _setting(project_root)
    with open_store(place) as store:
        found = store.tasks.one(task)
        repository = git_repository.find(folder)
        wanted = git_repository.verify(repository, revision) if revision else git_repository.require_head(repository)
        kept = git_capture.record(repository, wanted, phase_of(found))
        is_new = _keep(store, place, found, kept)
        known = next(one for one in store.tasks.one(task).metadata["commits"] if _is_same(one, kept))
    if as_json:
        here.emit(known)
    else:
        click.echo(f"{kept['short_hash']}  {kept['message']}{'' if is_new else '  (kept already)'}")


@command.command("link-pr")
@click.argument("task", type=Code())
@click.argument("url")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--project-root", help="The project, if not that of the working directory.")
def link_pr(task: str, url: str, as_json: bool, project_root: str | None) -> None:
    """Link a pull request of GitHub, or a merge request of GitLab, to a task: of any host, by the form of its path.

    \b
    Examples:
      $ orchestrate git link-pr TSK-001 https://github.com/org/repo/pull/123
      $ orchestrate git link-pr TSK-001 https://git.example.com/group/project/-/merge_requests/7
    """
    place, _, _ = _setting(project_root)
    link = git_links.parse(url)
    with open_store(place) as store:
        found = store.tasks.one(task)
        linked = found.metadata.get("pull_request")
        if not linked or linked["url"] != link.url:
            before = linked and linked["url"]
            linked = {**link._asdict(), "linked_at": git_capture.stamp(time.time())}
            told = [_event(place, found, "pr_linked", {**linked, "replaces": before})]
            store.tasks.link_pull_request(found.code, linked, told)
    if as_json:
        here.emit(linked)
    else:
        click.echo(f"{task}: {linked['url']}")


@command.command()
@click.argument("task", type=Code())
@click.option("--base", help="Where the work began, if not at the commit kept when execute began.")
@click.option("--head", help="Where it ends, if not with the files as they stand.")
@click.option("--write", is_flag=True, help="Write CHANGES.md; never over one that somebody wrote.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--project-root", help="The project, if not that of the working directory.")
def changes(
    task: str, base: str | None, head: str | None, write: bool, as_json: bool, project_root: str | None
) -> None:
    """Print or write CHANGES.md: the files a task changed, how much, and its commits.

    \b
    Examples:
      $ orchestrate git changes TSK-001
      $ orchestrate git changes TSK-001 --base main --head feature
      $ orchestrate git changes TSK-001 --write
    """
    place, folder, _ = _setting(project_root)
    with open_store(place) as store:
        found = store.tasks.one(task)
        made = git_changes.collect(folder, found, base, head)
        path = str(Path(_home_of_files(place, folder), git_changes.NAME))
        written = write and git_changes.write(path, made.text)
        if written:
            told = {"path": git_changes.NAME, "base": made.base.hash, "files": made.files}
            store.emit([_event(place, found, "changes_written", told)])
    if as_json:
        here.emit({"text": made.text, "base": made.base._asdict(), "files": made.files, "written": written})
    elif write:
        click.echo(f"{shown(path)}: {'written' if written else 'is up to date'}")
    else:
        click.echo(made.text, nl=False)
    here.tell(f"compared with {made.base.hash[:7]} ({made.base.why})", "git")


@command.command()
@click.argument("task", type=Code())
@click.option("-m", "--message", help="The message, if not by git.commit_message_template.")
@click.option("--path", "paths", multiple=True, help="A file, also a new one, or a folder for what is tracked in it.")
@click.option("--no-verify", is_flag=True, help="Pass over the hooks that check a commit.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--project-root", help="The project, if not that of the working directory.")
def commit(
    task: str, message: str | None, paths: tuple[str, ...], no_verify: bool, as_json: bool, project_root: str | None
) -> None:
    """Commit the changed files that git tracks, or those named, and keep the commit with the task.

    What else is staged stays staged. No hook is run: where one checks commits, it takes --no-verify to pass over it.

    \b
    Examples:
      $ orchestrate git commit TSK-001
      $ orchestrate git commit TSK-001 -m "fix: close the file" --path src/reader.py
    """
    place, folder, values = _setting(project_root)
    with open_store(place) as store:
        found = store.tasks.one(task)
        phase = phase_of(found)
        text = git_commit.message(found, phase, values) if message is None else message
        made = git_commit.commit(folder, text, paths, phase, no_verify)
        store.emit([_event(place, found, "committed", git_commit.as_told(made))])
        if values["git.track_commits"]:
            _keep(store, place, found, made.commit)
    if as_json:
        here.emit({**made.commit, "paths": [shown(path) for path in made.paths]})
        return
    click.echo(f"{made.commit['short_hash']}  {made.commit['message']}")
    for path in made.paths:
        click.echo(f"  {shown(path)}")


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--project-root", help="The project, if not that of the working directory.")
def status(as_json: bool, project_root: str | None) -> None:
    """Show the branch, and what differs from its last commit.

    \b
    Examples:
      $ orchestrate git status
      $ orchestrate git status --json
    """
    found = git_status.read(git_repository.find(_setting(project_root).folder))
    lists = {
        "modified": found.modified,
        "added": found.added,
        "deleted": found.deleted,
        "untracked": list(found.untracked),
    }
    told: dict[str, Any] = {name: [shown(path) for path in paths] for name, paths in lists.items()}  # Any: as JSON is
    branch = found.branch and shown(found.branch)
    if as_json:
        here.emit({"branch": branch, **told})
        return
    at = f" at {found.head[:7]}" if found.head else ", no commit yet"
    click.echo(f"{branch or 'detached HEAD'}{at}")
    for name, paths in told.items():
        for path in paths:
            click.echo(f"{name:<9}  {path}")


def phase_of(task: Task) -> str | None:
    """The phase that its session is in."""
    session = task.metadata.get("session") or {}
    return session.get("current_phase") if session.get("active") else None


def _keep(store: Store, place: Place, task: Task, kept: git_capture.Record) -> bool:
    """False where the task has it of this phase already."""
    return store.tasks.add_commit(task.code, kept, [_event(place, task, "commit_captured", dict(kept))])


def _is_same(one: git_capture.Record, other: git_capture.Record) -> bool:
    return (one["hash"], one["phase"]) == (other["hash"], other["phase"])


def _event(place: Place, task: Task, verb: str, payload: dict[str, Any]) -> Event:  # Any: as JSON is
    session = (task.metadata.get("session") or {}).get("session_key")
    return here.teller(place).event(f"orchestration.git.{verb}", ("task", task.code), payload, task.code, session)


def _home_of_files(place: Place, folder: str) -> str:
    """Where the files of a task lie: in the project, and in the work tree that is worked in."""
    if Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(place.root)):
        return place.root
    return git_repository.find(folder).top or place.root
