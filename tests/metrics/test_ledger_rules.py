"""Which rule speaks where several hold, and that none speaks without its evidence."""

import pytest

from metrics.ledger_rules import AGENT, HANDOVER, MAIN, RULES, RUN, WORST, Evidence, Judged, judge

OPUS, SONNET, HAIKU = "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"
ASKED = Evidence(AGENT, "haiku", is_over=True, is_launched=True)
WRONG = ASKED._replace(served=(OPUS,), requested=(OPUS,), resolved=OPUS)
ON_MAIN = Evidence(MAIN, "haiku", served=(OPUS,), requested=(OPUS,), resolved=OPUS, is_over=True)
PARENT = frozenset({OPUS})


@pytest.mark.parametrize(
    ("evidence", "verdict", "kind"),
    [
        (WRONG._replace(asked=None), "not_decided", None),
        (WRONG._replace(asked=None, agent_type="fork"), "not_decided", "fork"),
        (ASKED._replace(served=(HAIKU,), resolved=OPUS, env_model="opus", env_forced=True), "ok", None),
        (ASKED._replace(served=(HAIKU,), synthetic=2), "ok", None),
        (ASKED._replace(is_over=False, is_launched=False), "unknown", None),
        (ASKED._replace(is_over=False, is_launched=False, synthetic=1), "mismatch", "synthetic"),
        (ASKED._replace(resolved=HAIKU), "unknown", None),
        (ASKED._replace(resolved=OPUS, parent=PARENT), "mismatch", "inherited_parent"),
        (ASKED._replace(resolved="gateway/x"), "unknown", "unknown_model"),
        (ASKED._replace(served=(HAIKU, "gateway/x")), "unknown", "unknown_model"),
        (ASKED._replace(served=("gateway/x", OPUS)), "mismatch", "other"),
        (WRONG, "mismatch", "other"),
        (WRONG._replace(env_model="sonnet", env_forced=True), "mismatch", "other"),
        (WRONG._replace(env_model="opus", env_forced=True, parent=PARENT), "mismatch", "forced_env"),
        (WRONG._replace(env_model="opus", parent=PARENT), "mismatch", "env_default"),
        (WRONG._replace(env_model="opus", spawn_model="haiku", parent=PARENT), "mismatch", "allowlist"),
        (WRONG._replace(spawn_model="haiku"), "mismatch", "alias_remap"),
        (WRONG._replace(spawn_model="haiku", fallback_from=HAIKU), "mismatch", "fallback"),
        (WRONG._replace(fallback_from=SONNET), "mismatch", "other"),
        (ON_MAIN._replace(after_error=(OPUS,)), "mismatch", "fallback"),
        (
            ON_MAIN._replace(served=(HAIKU, OPUS), requested=(HAIKU, OPUS), after_error=(HAIKU,)),
            "mismatch",
            "engine_switch",
        ),
        (WRONG._replace(requested=(HAIKU,)), "mismatch", "fallback"),
        (WRONG._replace(requested=(SONNET,)), "mismatch", "other"),
        (WRONG._replace(call_model="opus", spawn_model="opus", parent=PARENT), "mismatch", "call_model"),
        (WRONG._replace(call_model="opus", spawn_model=OPUS, parent=PARENT), "mismatch", "inherited_parent"),
        (WRONG._replace(by_definition=True, parent=PARENT), "mismatch", "ignored_frontmatter"),
        (WRONG._replace(by_definition=True, call_model="haiku", parent=PARENT), "mismatch", "inherited_parent"),
        (WRONG._replace(asked="claude-opus-4-8"), "mismatch", "version_drift"),
        (WRONG._replace(asked="claude-opus-4-8", served=(OPUS, SONNET)), "mismatch", "other"),
        (ON_MAIN, "mismatch", "not_applied"),
        (ON_MAIN._replace(env_model="opus", env_forced=True), "mismatch", "not_applied"),
        (ON_MAIN._replace(requested=("",)), "mismatch", "other"),
        (ON_MAIN._replace(is_resumed=True, before=OPUS), "mismatch", "not_applied"),
        (ON_MAIN._replace(is_resumed=True, before=SONNET), "mismatch", "resume_drift"),
        (ON_MAIN._replace(is_resumed=True, before="claude-opus-4-8"), "mismatch", "resume_drift"),
        (ON_MAIN._replace(is_resumed=True, before=OPUS, set_before="opus"), "mismatch", "resume_drift"),
        (ON_MAIN._replace(before=SONNET, set_before="opus"), "mismatch", "not_applied"),
        (ON_MAIN._replace(served=(HAIKU, OPUS), requested=(HAIKU, OPUS)), "mismatch", "engine_switch"),
        (ON_MAIN._replace(served=(), requested=(), resolved=None), "unknown", None),
        (Evidence(HANDOVER, "haiku", is_over=True), "mismatch", "not_spawned"),
        (Evidence(HANDOVER, "haiku", is_over=True, has_others=True), "mismatch", "wrong_agent_type"),
        (Evidence(RUN, "haiku", (HAIKU,), is_success=True), "ok", None),
        (Evidence(RUN, "haiku", is_success=True), "mismatch", "lying_success"),
        (Evidence(RUN, "haiku"), "unknown", None),
        (Evidence(RUN, None, (HAIKU,)), "not_decided", None),
    ],
)
def test_a_kind_is_claimed_where_its_evidence_is(evidence, verdict, kind):
    assert judge(evidence) == Judged(verdict, kind)


def test_every_kind_of_mismatch_has_its_rank():
    kinds = [rule.kind for rule in RULES if rule.verdict == "mismatch"]
    assert sorted([*kinds, "other"]) == sorted(WORST)
