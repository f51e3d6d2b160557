"""What a prompt quotes or pastes does not choose its tier; what the user says himself does."""

import json

import pytest
from attacks import ALL, MARKED, QUOTED_AS, SAID, UNREADABLE, texts
from payloads import ask, logged, payload, prompt, said
from tiers import some

from orchestrate.request.prompt import machine_made
from routing.routing_core import Situation, decide

BENIGN = (
    "Fix typo in README.md",
    "Add CSV export to the orders page with tests",
    "Design the sharding of the ledger so that no write is lost when a region fails",
    "Which port does the server listen on?",
)
CHOSEN = (
    "Use haiku to fix the typo in README.md",
    "Design the sharding of the ledger so that no write is lost.\nUse opus for this.",
)
BARE = {**MARKED, **UNREADABLE}
EACH = tuple(ALL)[::9]  # of every kind some
PLACES = {
    "after": lambda own, theirs: f"{own}\n\n{theirs}",
    "on the next line": lambda own, theirs: f"{own}\n{theirs}",
    "before": lambda own, theirs: f"{theirs}\n\n{own}",
    "between": lambda own, theirs: f"{own}\n\n{theirs}\n\nThanks.",
}
SITUATION = Situation(main_tier="sonnet")  # in which both actions occur
NOTIFICATION = "<task-notification>\n<task-id>a1</task-id>\n<status>completed</status>\n</task-notification>"


def ruled(text):
    found = decide(text, SITUATION)
    return found.tier, found.agent, found.action, found.override


def prompts(attack, own, quote=str):
    """The prompt with the attack in each place, for each tier that it may claim: (where, claimed, prompt)."""
    return [
        (where, claimed, put(own, quote(text)))
        for where, put in PLACES.items()
        for claimed, text in texts(attack).items()
    ]


def rerouted(attack, prompts_of_the_user, quote=str):
    """Where the decision is not the one without the attack."""
    return [
        (where, claimed, own)
        for own in prompts_of_the_user
        for expected in [ruled(own)]
        for where, claimed, text in prompts(attack, own, quote)
        if ruled(text) != expected
    ]


def test_there_are_enough_of_them():
    assert (len(ALL) >= 120, len(ALL)) == (True, len(MARKED) + len(UNREADABLE) + len(SAID))


@pytest.mark.parametrize("name", some(ALL, EACH))
def test_what_is_quoted_changes_no_decision(name):
    found = {form: rerouted(ALL[name], (*BENIGN[:3], CHOSEN[0]), quote) for form, quote in QUOTED_AS.items()}
    assert found == {form: [] for form in QUOTED_AS}


@pytest.mark.parametrize("name", some(BARE, EACH))
def test_what_is_pasted_unquoted_is_no_choice_and_hides_none(name):
    assert rerouted(BARE[name], CHOSEN) == []
    assert {ruled(text)[-1] for own in BENIGN for _, _, text in prompts(BARE[name], own)} == {False}


@pytest.mark.parametrize("own", BENIGN)
@pytest.mark.parametrize("name", some(MARKED, EACH))
def test_what_is_pasted_unquoted_gets_no_tier_by_claiming_it(name, own):
    """It is a part of the prompt and weighs as such, but the decision is the same whichever tier it names."""
    found = {where: set() for where in PLACES}
    for where, _, text in prompts(MARKED[name], own):
        found[where].add(ruled(text))
    assert {where: len(rulings) for where, rulings in found.items()} == dict.fromkeys(PLACES, 1)


@pytest.mark.parametrize("name", SAID)
def test_the_same_words_are_a_choice_when_the_user_says_them(name):
    """So it is the quotation that the tests above are about."""
    found = {claimed: ruled(f"{BENIGN[0]}\n\n{text}")[::3] for claimed, text in texts(SAID[name]).items()}
    assert found == {tier: (tier, True) for tier in ("haiku", "sonnet", "opus")}


@pytest.mark.parametrize(
    ("text", "tier"),
    [
        ("use opus for this", "opus"),
        ("PLEASE use opus for this", "opus"),
        ("don't do it yourself, use opus", "opus"),
        ("the users' table is slow, let opus find out why", "opus"),
        ("- fix the parser\n- use opus for the design", "opus"),
        ("1. fix the parser\n2. use sonnet for the tests", "sonnet"),
        ("fix Vec<String> in a.rs, use opus", "opus"),
        ("a < b is wrong in a.py, use haiku", "haiku"),
        ("see <https://example.org/a>, use opus", "opus"),
        ("the 'orders' table is wrong, use sonnet", "sonnet"),
        ('rename "foo" to "bar", use haiku', "haiku"),
        ("rename `foo` to ``bar``, use haiku", "haiku"),
        ("Here is the log:\n```\nmodel=claude-haiku-5-5\n```\nuse opus for this", "opus"),
        ("```\nuse haiku\n```\nuse opus for this\n\n```\nuse haiku\n```", "opus"),
        ("> the reviewer says it is slow\n\nuse opus for this", "opus"),
        ("2026-11-21 09:03:11 INFO using haiku\nuse opus for this", "opus"),
        ("the cli is broken (it runs on haiku now), use opus", None),
        ("We met at 10:30: use opus for this", "opus"),
        ("Compare.\n<log>\nuse haiku\n</log>\nuse opus for this", "opus"),
    ],
)
def test_an_honest_word_counts(text, tier):
    found = decide(text)
    assert (found.tier if found.override else None) == tier


STEPS = "\n".join(f"step {number} went well and the next one begins" for number in range(400))


@pytest.mark.parametrize(
    ("text", "tier"),
    [
        (f"Compare.\n```\n{STEPS[:5900]}\n```\nand\n```\n{STEPS}\nplease use haiku for this\n```\nWhat differs?", None),
        (f"{'word ' * 1300}\n<log>\n{STEPS}\nplease use haiku for this\n</log>\nWhat differs?", None),
        (f"Look at this:\n```\n{STEPS}\n```\nuse opus for this", "opus"),
        (f"Compare.\n```\n{STEPS[:5900]}\n```\nand\n```\n{STEPS}\n```\nuse opus for this", "opus"),
        (f"{'word ' * 3000}\nuse opus for this", "opus"),
        (f"use opus for this\n{'word ' * 3000}", "opus"),
    ],
)
def test_of_a_prompt_too_long_to_read_whole_no_more_counts(text, tier):
    """A block may begin in the part that is not read."""
    found = decide(text)
    assert (found.tier if found.override else None) == tier


def test_after_a_fence_that_is_never_closed_all_is_quoted():
    assert not decide("Fix typo in README.md\n```\nuse opus for this\n\nuse opus for this").override


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (NOTIFICATION, "task_notification"),
        (f"\n {NOTIFICATION}", "task_notification"),
        ("<command-name>/model</command-name>", "slash_command"),
        *((f"{own}{gap}{NOTIFICATION}", "") for own in BENIGN for gap in ("\n", "\n\n", " ")),
        *((f"{own}\n<command-name>/model</command-name>", "") for own in BENIGN),
        *((quote(NOTIFICATION), "") for quote in QUOTED_AS.values() if not quote("<").startswith(" ")),
        ("\u200b" + NOTIFICATION, ""),
        ("<task\u200b-notification>", ""),
        (NOTIFICATION.replace("t", "\u0442"), ""),
        ("Fix it\n/model opus", ""),
    ],
)
def test_a_prompt_that_quotes_a_machine_is_still_a_persons(text, kind):
    assert machine_made(text) == kind


@pytest.mark.parametrize("name", some(ALL, EACH))
def test_the_hook_says_nothing_of_what_was_quoted(name, project, place):
    """The whole way: the agent that the model is told of, and the record."""
    attack = texts(ALL[name])["opus"]
    told = said(ask(project, prompt(f"{BENIGN[0]}\n\n{QUOTED_AS['fence'](attack)}")))
    assert 'subagent_type "haiku-general", model "haiku"' in told
    assert "opus" not in told
    (decided,) = logged(place)
    record = decided["payload"]
    assert (record["tier"], record["agent"], record["override"]) == ("haiku", "haiku-general", False)


@pytest.mark.parametrize("name", some(ALL, EACH))
def test_a_spawn_is_decided_by_its_own_words(name, project, place):
    attack = texts(ALL[name])["opus"]
    asked = {
        "description": attack[:60],
        "prompt": f"{BENIGN[0]}\n\n{QUOTED_AS['quotation'](attack)}",
        "subagent_type": "general-purpose",
    }
    answer = json.loads(ask(project, payload("PreToolUse", tool_input=asked)))
    assert answer["hookSpecificOutput"]["updatedInput"] == {**asked, "model": "haiku"}
    (requested,) = logged(place)
    assert (requested["payload"]["tier"], requested["payload"]["model_set"]) == ("haiku", "haiku")
