"""The cache through the command and the hook, with an agent that counts how often it was started."""

import json
import os
import subprocess

import pytest
from tiers import some

from orchestrate.agents import hooked
from orchestrate.hookline import here
from state import codec

ANSWER = "the answer"
FAKE = """#!/bin/sh
cat > /dev/null
echo started >> {count}
echo '{{"type":"system","subtype":"init","apiKeySource":"none"}}'
echo '{{"type":"assistant","message":{{"id":"m","model":"claude-haiku-5-5","usage":{{}},'\\
'"content":[{{"type":"text","text":"{answer}"}}]}}}}'
echo '{{"type":"result","subtype":"success","is_error":false,'\\
'"result":"{answer}","modelUsage":{{"claude-haiku-5-5":{{}}}}}}'
"""


@pytest.fixture
def agent(tmp_path, monkeypatch):
    """Starts of the agent so far."""
    count, folder = tmp_path / "count", tmp_path / "bin"
    folder.mkdir()
    (folder / "claude").write_text(FAKE.format(count=count, answer=ANSWER))
    (folder / "claude").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return lambda: len(count.read_text().splitlines()) if count.exists() else 0


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "tree"
    root.mkdir()
    (root / "a.txt").write_text("one\n")
    for words in (["init", "-q"], ["add", "a.txt"], ["-c", "user.name=n", "-c", "user.email=e", "commit", "-qm", "m"]):
        subprocess.run(["git", "-C", str(root), *words], check=True)
    return root


def ask(root, *words, **env):
    python, home = here()
    code = f"import sys; sys.path.insert(0, {home!r}); from orchestrate.cli import request; request()"
    done = subprocess.run(
        [python, "-c", code, "Fix typo in README.md", "--session", "s", *words],
        cwd=root,
        env={**os.environ, "ORCHESTRATOR_RUN__CACHE": "1", **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_second_time_the_answer_is_the_one_kept(agent, tree):
    assert [ask(tree), ask(tree)] == [ANSWER + "\n"] * 2
    assert agent() == 1


@pytest.mark.slow
def test_it_is_off_by_default(agent, tree):
    for _ in range(2):
        ask(tree, ORCHESTRATOR_RUN__CACHE="0")
    assert agent() == 2


@pytest.mark.slow
def test_json_says_that_it_was_kept(agent, tree):
    ask(tree)
    told = json.loads(ask(tree, "--json"))
    assert (told["answer"], told["cached"], told["rung"]) == (ANSWER, True, "none")


@pytest.mark.parametrize(
    "change",
    some(
        [
            lambda root: (root / "a.txt").write_text("two\n"),
            lambda root: (root / "new.txt").write_text("new\n"),
            lambda root: subprocess.run(
                [
                    "git",
                    "-C",
                    str(root),
                    "-c",
                    "user.name=n",
                    "-c",
                    "user.email=e",
                    "commit",
                    "-q",
                    "--allow-empty",
                    "-mx",
                ],
                check=True,
            ),
        ],
        1,
    ),
    ids=["a changed file", "a new file", "a commit"],
)
def test_another_tree_is_another_question(agent, tree, change):
    ask(tree)
    change(tree)
    ask(tree)
    assert agent() == 2


@pytest.mark.slow
def test_the_content_of_an_untracked_file_counts(agent, tree):
    (tree / "new.txt").write_text("one\n")
    ask(tree)
    (tree / "new.txt").write_text("two\n")
    ask(tree)
    assert agent() == 2


@pytest.mark.slow
def test_another_agent_is_another_question(agent, tree):
    ask(tree)
    ask(tree, "--agent", "opus-general")
    assert agent() == 2


@pytest.mark.slow
def test_an_answer_that_has_to_pass_a_check_is_neither_taken_nor_kept(agent, tree):
    ask(tree)
    ask(tree, "--check", "true")
    assert agent() == 2


@pytest.mark.slow
def test_without_git_nothing_is_kept(agent, tmp_path):
    for _ in range(2):
        ask(tmp_path)
    assert agent() == 2


def test_the_hook_gives_what_was_kept(agent, tree):
    payload = {"hook_event_name": "UserPromptSubmit", "session_id": "s", "prompt_id": "p", "cwd": str(tree)}
    env = {**os.environ, "ORCHESTRATOR_RUN__CACHE": "1", "BATCH_MODE": "1"}
    raw = codec.dumps({**payload, "prompt": "Fix typo in README.md"})
    answers = [json.loads(hooked.respond(raw, env)) for _ in range(2)]
    block = {
        "decision": "block",
        "reason": ANSWER,
        "hookSpecificOutput": {"hookEventName": "UserPromptSubmit", "suppressOriginalPrompt": True},
    }
    assert answers == [block, block]
    assert agent() == 1
