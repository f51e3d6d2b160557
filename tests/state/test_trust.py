import pytest

from state import settings, trust
from state.errors import UserError
from state.paths import locate
from state.snapshot import DEFAULTS

GREEDY = "claude_binary: /tmp/evil\nagents:\n  opus: evil\nmode: orchestration\nenforcement: session\nlog.level: info\n"
WANTED = {
    "claude_binary": "/tmp/evil",
    "agents.opus": "evil",
    "mode": "orchestration",
    "enforcement": "session",
}


@pytest.fixture
def repo_file(project):
    (project / ".orchestrator").mkdir()
    return project / ".orchestrator" / "config.yaml"


@pytest.fixture
def ours(repo_file, project, home):
    return locate(str(project), {"HOME": str(home)})


def test_guarded_keys_wait_for_trust_and_each_is_told(ours, repo_file):
    repo_file.write_text(GREEDY)
    loaded = settings.load(ours, {})
    assert loaded.settings.flat() == DEFAULTS | {"log.level": "info"}
    assert loaded.ignored == WANTED
    assert loaded.warnings == [
        f"{ours.state}: {key}: {value} is ignored until you trust this repository (`orchestrate trust`)"
        for key, value in WANTED.items()
    ]


def test_trust_holds_until_the_content_changes(ours, repo_file):
    repo_file.write_text(GREEDY)
    trust.grant(ours, settings.load(ours, {}).digest, 1)
    trusted = settings.load(ours, {})
    assert (trusted.settings.flat(), trusted.warnings) == (DEFAULTS | WANTED | {"log.level": "info"}, [])
    repo_file.write_text(GREEDY + "# changed\n")
    assert settings.load(ours, {}).ignored == WANTED


def test_revoked_trust_is_gone(ours, repo_file):
    repo_file.write_text(GREEDY)
    trust.grant(ours, settings.load(ours, {}).digest, 1)
    assert [trust.revoke(ours, 1), trust.revoke(ours, 1)] == [True, False]
    assert (trust.trusted(ours), settings.load(ours, {}).ignored) == ([], WANTED)


def test_trust_of_one_root_is_not_trust_of_another(ours, repo_file, tmp_path, home):
    repo_file.write_text(GREEDY)
    trust.grant(ours, settings.load(ours, {}).digest, 1)
    copy = tmp_path / "copy" / ".orchestrator"
    copy.mkdir(parents=True)
    (copy / "config.yaml").write_text(GREEDY)
    assert settings.load(locate(str(copy.parent), {"HOME": str(home)}), {}).ignored == WANTED


def test_before_init_the_file_is_the_users_own(project, home):
    place = locate(str(project), {"HOME": str(home)})
    own = home / ".orchestrator" / "projects" / place.project
    own.mkdir(parents=True)
    (own / "config.yaml").write_text(GREEDY)
    assert settings.load(place, {}).settings.flat() == DEFAULTS | WANTED | {"log.level": "info"}


@pytest.mark.parametrize(
    ("repo", "beneath", "guarded"),
    [
        ({"enforcement": "session"}, {}, ["enforcement"]),
        ({"enforcement": "subagents"}, {}, []),
        ({"enforcement": "off"}, {}, []),
        ({"enforcement": "subagents"}, {"enforcement": "advise"}, ["enforcement"]),
        ({"enforcement": ""}, {"enforcement": "off"}, ["enforcement"]),
        ({"enforcement": "session"}, {"rollout.stage": "full"}, []),
        ({"rollout.stage": "full"}, {}, ["rollout.stage"]),
        ({"rollout.stage": "full"}, {"enforcement": "advise"}, []),
        ({"rollout.stage": "full", "enforcement": "session"}, {}, ["enforcement", "rollout.stage"]),
        ({"rollout.stage": "full", "enforcement": "off"}, {}, []),
        ({"mode": "orchestration"}, {}, ["mode"]),
        ({"mode": "orchestration"}, {"mode": "orchestration"}, []),
        ({"mode": "directive"}, {}, []),
        ({"agents.haiku": "haiku-general", "claude_binary": "claude"}, {}, []),
        ({"agents.haiku": "haiku-general"}, {"agents.haiku": "mine"}, ["agents.haiku"]),
        ({"enabled": True, "rollout.enabled": True}, {}, []),
        (
            {"enabled": True, "rollout.enabled": True},
            {"enabled": False, "rollout.enabled": False},
            ["enabled", "rollout.enabled"],
        ),
        ({"record_prompts": "text"}, {}, ["record_prompts"]),
    ],
)
def test_what_needs_trust(repo, beneath, guarded):
    assert trust.guarded(repo, beneath) == guarded


@pytest.mark.parametrize("content", ["", "nonsense", "[]", '{"roots": {"a": 1}}', '{"roots": []}'])
def test_a_damaged_trust_file_trusts_nobody(ours, repo_file, home, content):
    repo_file.write_text(GREEDY)
    (home / ".orchestrator").mkdir()
    (home / ".orchestrator" / "trust.json").write_text(content)
    assert settings.load(ours, {}).ignored == WANTED


def test_without_a_home_there_is_no_trust_to_give(repo_file, project):
    repo_file.write_text(GREEDY)
    place = locate(str(project), {})
    assert settings.load(place, {}).ignored == WANTED
    with pytest.raises(UserError, match="no writable home folder to keep trust in"):
        trust.grant(place, "", 1)
