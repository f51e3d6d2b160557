from itertools import product

import pytest

from orchestrate.doctor import rungs
from orchestrate.doctor.rungs import Facts
from orchestrate.request import rung

NEW, OLD = (2, 1, 329), (2, 1, 197)
PLUGGED = Facts(form=rungs.PLUGIN, has_mod=True, version=NEW, permission_mode="default")
IN_SETTINGS = Facts(version=NEW, permission_mode="default")


def states(facts):
    return {step.rung: step.state for step in rungs.ladder(facts).steps}


def why(facts, name):
    return next(step.why for step in rungs.ladder(facts).steps if step.rung == name)


@pytest.mark.parametrize(
    ("facts", "live", "main_thread", "subagents"),
    [
        (PLUGGED, "mod", "directive", "mod"),
        (PLUGGED._replace(ceiling="session"), "mod", "mod", "mod"),
        (PLUGGED._replace(ceiling="advise"), "directive", "directive", "none"),
        (PLUGGED._replace(ceiling="off"), "none", "none", "none"),
        (PLUGGED._replace(version=OLD), "rewrite", "directive", "rewrite"),
        (PLUGGED._replace(version=(2, 1, 286)), "rewrite", "directive", "rewrite"),
        (PLUGGED._replace(version=(2, 1, 287)), "mod", "directive", "mod"),
        (PLUGGED._replace(version=(3, 0, 0)), "mod", "directive", "mod"),
        (PLUGGED._replace(version=None), "rewrite", "directive", "rewrite"),
        (PLUGGED._replace(has_mod=False), "rewrite", "directive", "rewrite"),
        (PLUGGED._replace(barred="a policy"), "rewrite", "directive", "rewrite"),
        (PLUGGED._replace(permission_mode="auto"), "mod", "directive", "mod"),
        (PLUGGED._replace(blown=frozenset({"mod"})), "rewrite", "directive", "rewrite"),
        (PLUGGED._replace(blown=frozenset({"mod", "rewrite"})), "directive", "directive", "none"),
        (PLUGGED._replace(forced="a variable"), "directive", "directive", "none"),
        (PLUGGED._replace(forced="a variable", ceiling="session"), "mod", "mod", "none"),
        (IN_SETTINGS, "rewrite", "directive", "rewrite"),
        (IN_SETTINGS._replace(forced="a variable"), "directive", "directive", "none"),
        (IN_SETTINGS._replace(ceiling="session"), "rewrite", "directive", "rewrite"),
        (IN_SETTINGS._replace(version=None), "rewrite", "directive", "rewrite"),
        (IN_SETTINGS._replace(version=OLD), "rewrite", "directive", "rewrite"),
        (IN_SETTINGS._replace(permission_mode=""), "rewrite", "directive", "rewrite"),
        (IN_SETTINGS._replace(permission_mode="auto"), "directive", "directive", "none"),
        (IN_SETTINGS._replace(blown=frozenset({"rewrite"})), "directive", "directive", "none"),
        (IN_SETTINGS._replace(hears_spawns=False), "directive", "directive", "none"),
        (IN_SETTINGS._replace(hears_prompts=False), "rewrite", "none", "rewrite"),
        (IN_SETTINGS._replace(silent="a switch"), "none", "none", "none"),
    ],
)
def test_what_is_live(facts, live, main_thread, subagents):
    found = rungs.ladder(facts)
    assert (found.live, found.main_thread, found.subagents) == (live, main_thread, subagents)


@pytest.mark.parametrize(
    ("facts", "name", "reason"),
    [
        (IN_SETTINGS, "mod", "the hooks are in the settings, and the mod comes with the plugin"),
        (PLUGGED._replace(has_mod=False), "mod", "the plugin that is installed brings no mod"),
        (PLUGGED._replace(version=OLD), "mod", "the client is 2.1.197, and mods came with 2.1.287"),
        (PLUGGED._replace(version=None), "mod", "the version of the client is not known"),
        (PLUGGED._replace(barred="allowManagedModsOnly in /m"), "mod", "allowManagedModsOnly in /m"),
        (PLUGGED._replace(ceiling="advise"), "mod", "enforcement is advise"),
        (PLUGGED._replace(blown=frozenset({"mod"})), "mod", "it failed too often in this session"),
        (PLUGGED, "mod", "sets the model of subagents"),
        (PLUGGED._replace(ceiling="session"), "mod", "sets the model of subagents and of the main thread"),
        (PLUGGED._replace(forced="a variable"), "mod", "a variable"),
        (PLUGGED._replace(forced="a variable", ceiling="session"), "mod", "sets the model of the main thread"),
        (IN_SETTINGS._replace(forced="a variable"), "rewrite", "a variable"),
        (IN_SETTINGS._replace(ceiling="advise"), "rewrite", "enforcement is advise"),
        (
            IN_SETTINGS._replace(permission_mode="auto"),
            "rewrite",
            "in permission mode auto a rewritten call may be refused",
        ),
        (
            IN_SETTINGS._replace(permission_mode=""),
            "rewrite",
            "sets the model of subagents, but not in permission modes auto and plan, and sessions may begin in auto",
        ),
        (IN_SETTINGS._replace(hears_spawns=False), "rewrite", "the hook for PreToolUse is not installed"),
        (IN_SETTINGS._replace(hears_prompts=False), "directive", "the hook for UserPromptSubmit is not installed"),
        (IN_SETTINGS._replace(ceiling="off"), "directive", "enforcement is off"),
        (PLUGGED._replace(silent="a switch", version=OLD), "mod", "a switch"),
    ],
)
def test_the_weightiest_reason_is_told(facts, name, reason):
    assert why(facts, name) == reason


def test_what_is_not_known_is_neither_available_nor_off():
    assert states(PLUGGED._replace(version=None)) == {
        "mod": "unknown",
        "rewrite": "available",
        "directive": "available",
    }


@pytest.mark.parametrize(
    ("ceiling", "permission_mode", "blown", "has_mod"),
    [
        *product(
            (rung.OFF, rung.ADVISE, rung.SUBAGENTS, rung.SESSION),
            ("default", "plan", "acceptEdits", "auto"),
            (frozenset(), frozenset({"mod"}), frozenset({"rewrite"}), frozenset({"mod", "rewrite"})),
            (True, False),
        )
    ],
)
def test_the_hooks_choose_what_is_told_here(ceiling, permission_mode, blown, has_mod):
    facts = PLUGGED._replace(ceiling=ceiling, permission_mode=permission_mode, blown=blown, has_mod=has_mod)
    standing = rung.Standing(ceiling, permission_mode, has_mod, blown)
    found = rungs.ladder(facts)
    assert found.subagents == rung.for_spawns(standing)[0]
    main = rung.for_main(standing)[0]
    assert found.main_thread == (rung.for_prompt("delegate", ceiling)[0] if main == rung.NONE else main)
