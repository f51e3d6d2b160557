import pytest

from orchestrate.memory.git_links import Link, parse
from state.errors import USAGE, UserError

GITHUB = "https://github.com/org/repo/pull/123"
GITLAB = "https://gitlab.com/group/sub/project/-/merge_requests/7"
TOKEN = "ghp_" + "a" * 36


@pytest.mark.parametrize(
    ("text", "link"),
    [
        (GITHUB, Link(GITHUB, 123)),
        (f" {GITHUB}\n", Link(GITHUB, 123)),
        (f"{GITHUB}/files?w=1#diff-0", Link(GITHUB, 123)),
        (f"{GITHUB}/", Link(GITHUB, 123)),
        (f"{GITHUB}?token={TOKEN}", Link(GITHUB, 123)),
        ("https://GitHub.com/Org/Repo/pull/123", Link("https://github.com/Org/Repo/pull/123", 123)),
        ("https://github.com/org/.github/pull/4", Link("https://github.com/org/.github/pull/4", 4)),
        ("http://git.corp:8443/org/repo/pull/1", Link("http://git.corp:8443/org/repo/pull/1", 1)),
        ("http://[::1]:3000/org/repo/pull/1", Link("http://[::1]:3000/org/repo/pull/1", 1)),
        (GITLAB, Link(GITLAB, 7)),
        (f"{GITLAB}/diffs", Link(GITLAB, 7)),
        ("https://gitlab.com/g/project/merge_requests/7", Link("https://gitlab.com/g/project/merge_requests/7", 7)),
        ("https://a.example/gitlab/g/p/-/merge_requests/2", Link("https://a.example/gitlab/g/p/-/merge_requests/2", 2)),
    ],
)
def test_both_forges_give_a_number_and_a_plain_url(text, link):
    assert parse(text) == link


@pytest.mark.parametrize(
    "text",
    [
        "",
        "TSK-001",
        "github.com/org/repo/pull/1",
        "ssh://git@github.com/org/repo/pull/1",
        "javascript:alert(1)//github.com/org/repo/pull/1",
        "file:///org/repo/pull/1",
        "https://github.com/org/repo",
        "https://github.com/org/repo/issues/1",
        "https://github.com/org/repo/pull/",
        "https://github.com/org/repo/pull/0",
        "https://github.com/org/repo/pull/1x",
        "https://github.com/org/repo/pull/12345678901",
        "https://github.com/org/../pull/1",
        "https://github.com/org/./pull/1",
        "https://github.com/a/b/c/pull/1",
        "https:///org/repo/pull/1",
        "https://github.com:x/org/repo/pull/1",
        "https://github.com:99999/org/repo/pull/1",
        "https://[::1/org/repo/pull/1",
        "https://github .com/org/repo/pull/1",
        "https://github.com/org/re\npo/pull/1",
        "https://github.com\\@evil/org/repo/pull/1",
        "https://github.com/org/r\u00e9po/pull/1",
        "https://github.com/org/repo/pull/1?" + "x" * 3000,
        "https://gitlab.com/project/-/merge_requests/1",
    ],
)
def test_what_is_no_request_is_told_what_would_be(text):
    with pytest.raises(UserError, match="expected https://HOST/OWNER/REPOSITORY/pull/N or ") as caught:
        parse(text)
    assert caught.value.code == USAGE


@pytest.mark.parametrize("user", [TOKEN, f"me:{TOKEN}", f"{TOKEN}%40x", "@"])
def test_a_token_in_the_url_is_refused_and_not_repeated(user):
    with pytest.raises(UserError, match="holds a user or a token") as caught:
        parse(f"https://{user}@github.com/org/repo/pull/1")
    assert TOKEN not in str(caught.value)
