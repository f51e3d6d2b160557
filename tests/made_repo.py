"""A real repository with a history: one commit of January 2026, and one that is later than every prompt."""

import hashlib
import os
import subprocess


class Repo:
    def __init__(self, path):
        self.path, self.root = path, str(path)
        self.env = {
            **os.environ,
            **{f"GIT_{who}_{what}": "someone" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
            # A newer git goes on in the background after a commit, among the files that `state` reads.
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "maintenance.auto",
            "GIT_CONFIG_VALUE_0": "false",
        }
        path.mkdir(exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.commits = [
            self.commit("a.txt", "one\n", "2026-01-01T00:00:00Z"),
            self.commit("later.txt", "two\n", "2037-01-01T00:00:00Z"),
        ]

    def commit(self, name, content, date):
        (self.path / name).write_text(content)
        self.git("add", name)
        self.git("commit", "--quiet", "-m", name, GIT_COMMITTER_DATE=date, GIT_AUTHOR_DATE=date)
        return self.git("rev-parse", "HEAD").strip()

    def git(self, *words, at=None, **env):
        done = subprocess.run(
            ["git", "-C", at or self.root, *words], env={**self.env, **env}, capture_output=True, text=True, check=True
        )
        return done.stdout

    def state(self):
        """Every file of it, git's own included, by name and content."""
        found = {}
        for below, _, names in os.walk(self.root):
            for name in names:
                path = os.path.join(below, name)
                with open(path, "rb") as file:
                    found[os.path.relpath(path, self.root)] = hashlib.sha256(file.read()).hexdigest()
        return found
