import json
import os
import time

import bench_client
import pytest
from made_history import NAME, TEXTS
from made_repo import Repo
from made_talk import Talk

from orchestrate.shadow import session
from state import quota, snapshot


class Bench:
    """A user with a history of prompts, a repository, spare quota, and a client that does as it is told."""

    def __init__(self, project, place, home, folder):
        self.repo, self.place = Repo(project), place
        self.talk = Talk(project, home)
        self.calls_file = folder / "calls"
        program = bench_client.install(folder / "bin")
        self.env = {**os.environ, "CALLS": str(self.calls_file)}
        self.settings = {**snapshot.DEFAULTS, "claude_binary": str(program), "shadow.check": "test ! -e broken"}
        self.told = []
        self.used(10.0)

    def used(self, percent):
        now = time.time()
        quota.note(self.place.user, {"five_hour": {"used": percent, "resets_at": now + 9000}}, "test", now)

    def ask(self, count):
        for number, text in enumerate(TEXTS[:count]):
            self.talk.ask(f"p-{number:03d}", text)

    def run(self, most=1, name=NAME, seed=1, settings=None, **env):
        settings = {**self.settings, **(settings or {})}
        return session.run(self.place, {**self.env, **env}, settings, name, most, seed, self.told.append)

    def calls(self, judges=None):
        if not self.calls_file.exists():
            return []
        whole = [line for line in self.calls_file.read_text().splitlines(keepends=True) if line.endswith("\n")]
        found = [json.loads(line) for line in whole]
        return [call for call in found if judges in (None, call["judges"])]


@pytest.fixture
def bench(project, place, home, tmp_path):
    (tmp_path / "bench").mkdir()
    return Bench(project, place, home, tmp_path / "bench")
