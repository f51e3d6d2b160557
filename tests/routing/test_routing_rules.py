import pytest

from routing.features import Text
from routing.routing_core import decide
from routing.rules import floor


@pytest.mark.parametrize(
    ("prompt", "tier"),
    [
        ("use opus for this", "opus"),
        ("Use Haiku to fix the typo in README.md", "haiku"),
        ("with haiku: sort the imports in main.py", "haiku"),
        ("fix the login form using sonnet", "sonnet"),
        ("haiku-general should rename the variable", "haiku"),
        ("please use the sonnet-general agent here", "sonnet"),
        ("delegate this to opus please", "opus"),
        ("let opus do it", "opus"),
        ("can you use sonnet for the next one", "sonnet"),
        ("nimm opus dafür", "opus"),
    ],
)
def test_the_users_own_choice_wins(prompt, tier):
    decision = decide(prompt)
    assert (decision.override, decision.decision, decision.tier, decision.confidence) == (True, "direct", tier, 1.0)
    assert decision.reason == f"the user asked for {tier}"


@pytest.mark.parametrize(
    "prompt",
    [
        "[route: haiku] write the importer",
        "ultrathink, most powerful model",
        "write a haiku about autumn",
        "reply with haiku poems only",
        "don't use opus for this",
        "use opus or sonnet, whatever",
        "compare the results with sonnet",
        "why are we using opus here?",
        "edit agents/opus-general.md",
        'replace "use opus" by "use the best model" in prompts.md',
        "```\nuse opus\n```\nwhat does this do",
        "the opusculum with haikus",
        "change the default model to opus in config.ts",
    ],
)
def test_a_mention_is_not_a_choice(prompt):
    assert not decide(prompt).override


@pytest.mark.parametrize(
    ("prompt", "lowest"),
    [
        ("just drop that column", "sonnet"),
        ("drop the orders table in production", "opus"),
        ("truncate the events table", "sonnet"),
        ("delete every row of users and the backups", "opus"),
        ("force push to main", "sonnet"),
        ("wipe the staging bucket", "sonnet"),
        ("purge the prod queue", "opus"),
        ("add a dropdown for all users", None),
        ("install numpy and remove the old wheel", None),
        ("renew the certificate", None),
        ("delete the table of contents from README.md", None),
        ("list the migrations that drop a column", None),
        ("which jobs delete rows?", None),
        ("rename drop_column.py", None),
        ("drag and drop for the kanban cards", None),
        ("", None),
    ],
)
def test_what_is_hard_to_undo_has_a_floor(prompt, lowest):
    found = floor(Text(prompt))
    assert (found[0] if found else None) == lowest
    order = ["haiku", "sonnet", "opus"]
    assert order.index(decide(prompt).tier) >= order.index(lowest or "haiku")


@pytest.mark.parametrize(
    ("prompt", "words", "paths", "quoted"),
    [
        ("Fix src/app.py, then node.js!", [b"fix", b"_path", b"then", b"node", b"js"], 1, 0),
        ("don\u2019t touch `a b` and/or ./run", [b"dont", b"touch", b"_quoted", b"and", b"or", b"_path"], 1, 1),
        ("tcp/ip vs my_var 3.12 e.g. docs/", b"tcp ip vs _ident _number _number e g _path".split(), 1, 0),
        ("naïve Straße", ["naïve".encode(), "straße".encode()], 0, 0),
    ],
)
def test_words_paths_and_quotes_are_told_apart(prompt, words, paths, quoted):
    text = Text(prompt)
    assert (text.words, text.paths, text.quoted) == (words, paths, quoted)


def test_fenced_and_code_like_lines_are_pasted():
    text = Text("look here\n```py\nx = 1\n```\n    at main (a.js:3:1)\nif (a) { return b; }\nthanks")
    assert (text.words, text.pasted) == ([b"look", b"here", b"thanks"], 5)
