"""The two plugins as files: the second is the first without the mod."""

import json
import re

import pytest

from orchestrate import __version__
from orchestrate.install import shipped
from orchestrate.request import live

FOLDER = shipped.folder(shipped.here().home)
CLASSIC = FOLDER / "classic"
MOD = (FOLDER / "register.ts").read_text()
SHARED = [
    ".claude-plugin/plugin.json",
    "hook.sh",
    *(f"agents/{tier}-general.md" for tier in ("haiku", "opus", "sonnet")),
]


def test_the_mod_tells_the_version_of_the_package():
    assert re.findall(r"^const VERSION = '(.*)'$", MOD, re.M) == [__version__]


def test_the_mod_goes_by_the_names_that_the_hooks_give_their_files():
    paths = {part for path in re.findall(r"/([a-z./]+)[`/$]", MOD) for part in path.split("/")}
    assert {live.HEARTBEAT, live.ROUTE, live.SPAWNS, live.STEPS, live.POINTERS} <= paths


def test_the_plugin_without_the_mod_has_the_same_hooks_and_no_modules():
    hooks = json.loads((FOLDER / "hooks.json").read_bytes())
    assert hooks.pop("modules") == ["./register.ts"]
    assert json.loads((CLASSIC / "hooks.json").read_bytes()) == hooks


def test_the_plugin_without_the_mod_is_whole():
    """The client copies a plugin's own folder alone, and a wheel holds no links."""
    files = [path for path in CLASSIC.rglob("*") if path.is_file()]
    assert sorted(str(path.relative_to(CLASSIC)) for path in files) == sorted([*SHARED, "hooks.json"])
    assert not any(path.is_symlink() for path in files)


@pytest.mark.parametrize("name", SHARED)
def test_what_both_plugins_have_is_the_same(name):
    """The name in the manifest too: it is the first half of the agents' names, which the directive tells."""
    one, other = FOLDER / name, CLASSIC / name
    assert (one.read_bytes(), one.stat().st_mode) == (other.read_bytes(), other.stat().st_mode)
