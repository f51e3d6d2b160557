import os

import pytest

from state import settings, sinks_file, trust
from state.errors import UserError
from state.paths import locate
from state.sinks_file import parse

WHOLE = """\
sinks:
  - name: chat
    events: [orchestration.phase.*, "*.logged"]
    url: https://hooks.example/x
    headers: {Authorization: HOOK_TOKEN}
    template: slack
    timeout: 2.5
    retries: 3
  - name: local
    events: "*"
    command: [notify, "a b"]
"""


def complaint(text):
    with pytest.raises(UserError) as caught:
        parse("s.yaml", text.encode())
    return str(caught.value)


def one(line):
    return f"sinks:\n  - name: a\n    events: x\n{line}"


def test_a_whole_file_is_read():
    chat, local = parse("s.yaml", WHOLE.encode())
    assert chat._asdict() == {
        "name": "chat",
        "events": ("orchestration.phase.*", "*.logged"),
        "url": "https://hooks.example/x",
        "command": None,
        "headers": {"Authorization": "HOOK_TOKEN"},
        "template": "slack",
        "timeout_s": 2.5,
        "retries": 3,
        "path": "s.yaml",
        "line": 2,
    }
    assert (local.events, local.command, local.url) == (("*",), ("notify", "a b"), None)
    assert (local.template, local.timeout_s, local.retries, local.headers) == ("json", 10.0, 5, {})


@pytest.mark.parametrize("text", ["", "# nothing\n", "sinks:\n", "sinks: []\n"])
def test_an_empty_file_names_no_sink(text):
    assert parse("s.yaml", text.encode()) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sink: []\n", "s.yaml:1: sink: no such key (did you mean sinks?)"),
        ("sinks: a\n", "s.yaml:1: sinks: expected a list"),
        ("sinks:\n  - a\n", "s.yaml:2: sinks[0]: expected a group of keys"),
        ("sinks:\n  - events: x\n    url: http://a/\n", "s.yaml:2: sinks[0]: name is missing"),
        ("sinks:\n  - name: a\n    url: http://a/\n", "s.yaml:2: sinks[0]: events is missing"),
        (one("    url: http://a/\n    command: [x]\n"), "s.yaml:2: sinks[0]: give either url or command"),
        (one(""), "s.yaml:2: sinks[0]: give either url or command"),
        (one("    urk: http://a/\n"), "s.yaml:4: sinks[0].urk: no such key (did you mean url?)"),
        (one("    name: b\n"), "s.yaml:4: sinks[0].name: is given twice"),
        (one("    url: ftp://a/\n"), "s.yaml:4: sinks[0].url: expected an http:// or https:// URL, or env:NAME"),
        (
            one("    url: http://u:p@a/\n"),
            "s.yaml:4: sinks[0].url: a user or password in a URL ends up in logs: use headers",
        ),
        (one("    url: http://a:99999/\n"), "s.yaml:4: sinks[0].url: no valid URL"),
        (one("    url: http:///x\n"), "s.yaml:4: sinks[0].url: expected an http:// or https:// URL, or env:NAME"),
        (
            one('    url: "http://a/\\r\\nX: 1"\n'),
            "s.yaml:4: sinks[0].url: expected an http:// or https:// URL, or env:NAME",
        ),
        (one("    url: env:A B\n"), "s.yaml:4: sinks[0].url: expected env:NAME, the name of an environment variable"),
        (one("    command: rm -rf /\n"), "s.yaml:4: sinks[0].command: expected a list"),
        (one("    command: []\n"), "s.yaml:4: sinks[0].command: expected a list: a program and its arguments"),
        (one("    command: [x]\n    headers: {A: B}\n"), "s.yaml:2: sinks[0].headers: a command has none"),
        (
            one("    url: http://a/\n    headers: {A: 'Bearer x'}\n"),
            "s.yaml:5: sinks[0].headers: expected the name of the e",
        ),
        (
            one("    url: http://a/\n    headers: {Host: X}\n"),
            "s.yaml:5: sinks[0].headers: Host is set by the sender itself",
        ),
        (
            one("    url: http://a/\n    headers: {'A B': X}\n"),
            "s.yaml:5: sinks[0].headers: expected the name of a header",
        ),
        (
            one("    url: http://a/\n    template: xml\n"),
            "s.yaml:5: sinks[0].template: expected one of json, slack, discord",
        ),
        (one("    url: http://a/\n    timeout: 0\n"), "s.yaml:5: sinks[0].timeout: expected a number from 0.1 to 60"),
        (one("    url: http://a/\n    timeout: nan\n"), "s.yaml:5: sinks[0].timeout: expected a number from 0.1 to 60"),
        (
            one("    url: http://a/\n    retries: 21\n"),
            "s.yaml:5: sinks[0].retries: expected a whole number from 0 to 20",
        ),
        (
            one("    url: http://a/\n    retries: 1.5\n"),
            "s.yaml:5: sinks[0].retries: expected a whole number from 0 to 20",
        ),
        ("sinks:\n  - name: a b\n", "s.yaml:2: sinks[0].name: expected 1 to 64 letters"),
        ("sinks:\n  - events: []\n", "s.yaml:2: sinks[0].events: expected 1 to 50 entries"),
        ("sinks:\n  - events: [a b]\n", "s.yaml:2: sinks[0].events: expected a pattern of event types"),
        ("sinks: [*x]\n", "s.yaml:1: not valid YAML"),
        ("- a\n", "s.yaml:1: expected `key: value` lines"),
    ],
)
def test_a_mistake_is_named_with_file_line_and_key(text, told):
    assert complaint(text).startswith(told)


def test_a_name_is_taken_once():
    text = one("    url: http://a/\n  - name: a\n    events: y\n    url: http://b/\n")
    assert complaint(text) == "s.yaml:5: a second sink named 'a' (first on line 2)"


def test_the_value_of_a_url_is_not_quoted_back():
    assert "S3CR3T" not in complaint(one("    url: http://u:S3CR3T@a/\n"))


def names(place):
    loaded = sinks_file.load(place, settings.digest(place))
    return [sink.name for sink in loaded.sinks], [sink.name for sink in loaded.waiting]


def test_a_repository_s_own_sinks_wait_for_trust(ours, project, home):
    theirs, mine = project / ".orchestrator/sinks.yaml", home / ".orchestrator/sinks.yaml"
    mine.write_text(one("    url: http://a/\n"))
    theirs.write_text(one("    url: http://evil/\n") + "  - name: b\n    events: x\n    command: [rm]\n")
    assert names(ours) == (["a"], ["a", "b"])
    assert settings.load(ours, {}).ignored == {"sinks.yaml": "sinks (a, b)"}
    trust.grant(ours, settings.digest(ours), 5)
    assert names(ours) == (["a", "b"], [])
    assert sinks_file.load(ours, settings.digest(ours)).sinks[0].url == "http://evil/"
    assert settings.load(ours, {}).ignored == {}
    theirs.write_text(one("    url: http://changed/\n"))
    assert names(ours) == (["a"], ["a"])


def test_the_files_of_a_project_without_init_are_the_user_s(project, home):
    place = locate(str(project), dict(os.environ))
    os.makedirs(place.state)
    with open(f"{place.state}/sinks.yaml", "w") as file:
        file.write(one("    url: http://a/\n"))
    assert names(place) == (["a"], [])


def test_a_broken_file_of_a_repository_breaks_no_settings(ours, project):
    (project / ".orchestrator/sinks.yaml").write_text("sinks: {")
    assert settings.load(ours, {}).ignored == {}


def test_a_repository_may_not_list_hosts_or_switch_the_offer_on(ours, project):
    (project / ".orchestrator/config.yaml").write_text("sinks: {hosts: evil.example}\nbugs: {offer: true}\n")
    loaded = settings.load(ours, {})
    assert (loaded.settings.sinks.hosts, loaded.settings.bugs.offer) == ("", False)
    assert sorted(loaded.ignored) == ["bugs.offer", "sinks.hosts"]
