import pytest
import yaml

from orchestrate.install import shipped
from orchestrate.install.receipts import digest

NAMES = ["haiku-general", "opus-general", "sonnet-general"]
SOURCE = shipped.folder(shipped.here().home) / "agents"


def test_the_three_agents_are_shipped():
    assert sorted(path.stem for path in SOURCE.iterdir()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_an_agent_says_its_name_its_model_and_when_to_use_it(name):
    _, front, body = (SOURCE / f"{name}.md").read_text().split("---\n", 2)
    fields = yaml.safe_load(front)
    assert sorted(fields) == ["description", "model", "name"]
    assert (fields["name"], fields["model"]) == (name, name.removesuffix("-general"))
    assert 80 < len(fields["description"]) < 300  # it is in the context of every session
    assert 600 < len(body) < 2500


@pytest.fixture
def agents(home):
    return home / ".claude/agents"


def test_agents_are_copied_and_removed(orchestrate, agents):
    orchestrate("install")
    assert {path.name: path.read_bytes() for path in agents.iterdir()} == {
        path.name: path.read_bytes() for path in SOURCE.iterdir()
    }
    orchestrate("uninstall")
    assert not agents.exists()


def test_a_foreign_agent_of_the_same_name_stays_and_is_named(orchestrate, agents):
    agents.mkdir(parents=True)
    mine = agents / "haiku-general.md"
    mine.write_text("mine")
    code, _, err = orchestrate("install")
    assert code == 0
    assert f"note: {mine}: another agent of that name is there and stays; directives to it will use it\n" in err
    orchestrate("uninstall")
    assert [(path.name, path.read_text()) for path in agents.iterdir()] == [("haiku-general.md", "mine")]


def test_an_equal_file_that_was_there_before_us_is_not_ours_to_remove(orchestrate, agents):
    agents.mkdir(parents=True)
    (agents / "opus-general.md").write_bytes((SOURCE / "opus-general.md").read_bytes())
    orchestrate("install")
    orchestrate("uninstall")
    assert [path.name for path in agents.iterdir()] == ["opus-general.md"]


def test_an_agent_that_was_changed_since_stays_and_is_named(orchestrate, agents):
    orchestrate("install")
    (agents / "opus-general.md").write_text("changed")
    _, _, err = orchestrate("uninstall")
    assert err == f"note: {agents}/opus-general.md: was changed since the install and stays\n"
    assert [path.name for path in agents.iterdir()] == ["opus-general.md"]


def test_our_own_older_agent_is_brought_up_to_date(orchestrate, agents, home):
    orchestrate("install")
    older = agents / "opus-general.md"
    receipt = next((home / ".orchestrator/install").glob("*/receipt.json"))
    receipt.write_text(receipt.read_text().replace(digest(older.read_bytes()), digest(b"older")))
    older.write_bytes(b"older")
    orchestrate("install")
    assert older.read_bytes() == (SOURCE / "opus-general.md").read_bytes()
    orchestrate("uninstall")
    assert not agents.exists()


@pytest.mark.parametrize("first", ["user", "local"])
def test_two_scopes_share_the_agents_and_the_last_one_takes_them_along(first, orchestrate, agents, project):
    last = {"user": "local", "local": "user"}[first]
    orchestrate("install", "--scope", "user")
    orchestrate("install", "--scope", "local")
    orchestrate("uninstall", "--scope", first)
    assert sorted(path.stem for path in agents.iterdir()) == NAMES
    orchestrate("uninstall", "--scope", last)
    assert not agents.parent.exists()
    assert not (project / ".claude").exists()


def test_the_project_scope_brings_its_own(orchestrate, agents, project):
    orchestrate("install", "--scope", "project")
    assert not agents.exists()
    assert sorted(path.stem for path in (project / ".claude/agents").iterdir()) == NAMES
