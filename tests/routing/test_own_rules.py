"""What a user's own rules make of a decision. The decisions are given, so that no training changes what is asserted."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from routing import own_rules
from routing.routing_core import Decision, Situation
from state import routing_file, routing_rules

ROOT = "/home/me/shop"
REPO = Path(own_rules.__file__).resolve().parent.parent
RULES = """
words:
  opus: [raft, tokio pin, c++ templates, 竞态]
  sonnet: {any: [größe, schema], why: data}
  haiku: {any: [changelog], lowers: true}
paths:
  - {match: "payments/**", at_least: sonnet, why: money}
  - {match: docs/**, at_most: haiku}
  - {match: "*.sql", at_least: opus, name: databases}
  - {match: legacy/**, tier: sonnet}
  - {match: legacy/vault/**, at_least: opus}
domains:
  billing:
    words: [iban]
    paths: [src/billing]
    at_least: sonnet
    agents: {sonnet: billing-hand, opus: billing-head}
  wording:
    words: [tooltip]
    at_most: sonnet
"""


def own(text=RULES, bases=(ROOT,), origin="global"):
    rules = routing_file.parse("routing.yaml", text.encode(), origin)
    if origin == "guest":
        rules = [routing_rules.guest(rule) for rule in rules]
    tables = json.loads(json.dumps(routing_rules.compiled(routing_rules.Loaded(rules, []))))
    return own_rules.Own(tables, bases)


def ruled(prompt, tier="haiku", rules=None, situation=None, scope=own_rules.ALL, **how):
    decision = Decision(tier, "the router's reason", 0.9, **how)
    return own_rules.over(decision, prompt, situation or Situation(), rules or own(), scope)


@pytest.mark.parametrize(
    ("prompt", "before", "after", "names"),
    [
        ("fix the typo in README.md", "haiku", "haiku", []),
        ("fix the raft log", "haiku", "opus", ["words.opus"]),
        ("fix the raft log", "opus", "opus", []),
        ("Fix the RAFT, please", "haiku", "opus", ["words.opus"]),
        ("fix the rafting page", "haiku", "haiku", []),
        ("why does `tokio::pin!` complain", "haiku", "opus", ["words.opus"]),
        ("pin tokio to 1.2", "haiku", "haiku", []),
        ("rename the C++ templates", "haiku", "opus", ["words.opus"]),
        ("rename the C templates", "haiku", "haiku", []),
        ("修复支付模块的竞态问题", "haiku", "opus", ["words.opus"]),
        ("修复raft的问题", "haiku", "opus", ["words.opus"]),
        ("ändere die GRÖSSE", "haiku", "haiku", []),
        ("ändere die GRÖßE", "haiku", "sonnet", ["words.sonnet"]),
        ("raft schema", "haiku", "opus", ["words.opus"]),
        ("sort the changelog", "sonnet", "haiku", ["words.haiku"]),
        ("sort the changelog", "haiku", "haiku", []),
        ("sort the raft changelog", "sonnet", "opus", ["words.opus"]),
        ("see what it says:\n```\nraft\n```", "haiku", "haiku", []),
        ("fix payments/card.py", "haiku", "sonnet", ["payments/**"]),
        ("fix payments/card.py", "opus", "opus", []),
        ("reword docs/a/b.md", "opus", "haiku", ["docs/**"]),
        ("reword docs/a.md after src/pool.py", "opus", "opus", []),
        ("add an index in src/x/up.sql", "haiku", "opus", ["databases"]),
        ("reword docs/a.md and src/b.sql", "sonnet", "opus", ["databases"]),
        ("reword docs/b.sql", "sonnet", "opus", ["docs/**", "databases"]),
        ("rewrite legacy/a.c", "opus", "sonnet", ["legacy/**"]),
        ("rewrite legacy/a.c", "haiku", "sonnet", ["legacy/**"]),
        ("rewrite the raft in legacy/a.c", "haiku", "sonnet", ["words.opus", "legacy/**"]),
        ("rewrite legacy/vault/a.c", "haiku", "opus", ["legacy/**", "legacy/vault/**"]),
        ("sort the changelog in payments/", "sonnet", "sonnet", ["words.haiku", "payments/**"]),
        ("check the IBAN", "haiku", "sonnet", ["billing"]),
        ("check the IBAN", "opus", "opus", ["billing"]),
        ("fix the tooltip", "opus", "sonnet", ["wording"]),
    ],
)
def test_floors_hold_over_ceilings_and_these_over_words_and_these_over_the_router(prompt, before, after, names):
    found = ruled(prompt, before)
    assert (found.tier, found.rules) == (after, names)


def test_each_rule_is_named_with_its_reason():
    found = ruled("sort the changelog in payments/", "sonnet")
    assert found.reason == "the router's reason; words.haiku: haiku; payments/**: at least sonnet (money)"
    found = ruled("iban and size: größe")
    assert found.reason == "the router's reason; words.sonnet: sonnet (data); billing: billing-hand"


@pytest.mark.parametrize("prompt", ["fix payments/card.py", "rewrite legacy/a.c", "raft", "sort the changelog"])
def test_what_the_user_asks_for_in_the_prompt_stays(prompt):
    found = ruled(f"use opus to {prompt}", "opus", override=True)
    assert (found.tier, found.rules, found.override) == ("opus", [], True)
    found = ruled(f"use haiku to {prompt}", "haiku", override=True)
    assert (found.tier, found.rules, found.reason) == ("haiku", [], "the router's reason")


@pytest.mark.parametrize(("tier", "agent"), [("sonnet", "billing-hand"), ("opus", "billing-head")])
def test_an_agent_of_ones_own_is_named_for_its_tier(tier, agent):
    found = ruled("iban", tier)
    assert (found.agents[found.tier], found.rules) == (agent, ["billing"])


def test_the_first_domain_that_matches_names_the_agent():
    text = (
        "domains:\n  a: {words: [iban], agents: {opus: one}}\n  b: {words: [iban], agents: {opus: two, haiku: three}}"
    )
    assert ruled("iban", "opus", own(text)).agents == {"opus": "one", "haiku": "three"}


def test_a_spawn_has_its_agent_already():
    assert (ruled("iban", scope=own_rules.TIER).rules, ruled("iban", scope=own_rules.TIER).agents) == (["billing"], {})


def test_of_a_decision_that_stands_only_floors_are_asked():
    assert ruled("rewrite legacy/a.c, raft", "opus", scope=own_rules.FLOORS).tier == "opus"
    assert ruled("payments/a.py, changelog", "haiku", scope=own_rules.FLOORS).tier == "sonnet"


@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        ("floors: {default: sonnet}", "haiku", "sonnet"),
        ("floors: {default: sonnet}", "opus", "opus"),
        ("ceilings: {default: sonnet}", "opus", "sonnet"),
        ("floors: {default: sonnet}\nceilings: {default: sonnet}", "opus", "sonnet"),
        ("floors: {default: opus}\nceilings: {default: haiku}", "sonnet", "opus"),
        ("tiers: {deep: opus}\nfloors: {default: deep}", "haiku", "opus"),
    ],
)
def test_floors_and_ceilings_of_everything(text, before, after):
    assert ruled("do it well", before, own(text)).tier == after


@pytest.mark.parametrize(
    ("prompt", "before", "after"),
    [
        ("fix payments/a.py", "haiku", "opus"),
        ("use the changelog in payments/a.py", "sonnet", "opus"),
    ],
)
def test_a_guests_floor_raises(prompt, before, after):
    guest = own('paths: [{match: "payments/**", at_least: opus, why: read me}]', origin="guest")
    found = ruled(prompt, before, guest)
    assert (found.tier, found.rules) == (after, ["routing.yaml:1"])
    assert found.reason == "the router's reason; routing.yaml:1: at least opus"


def test_a_guests_floor_stays_below_the_users_ceilings():
    guests = routing_file.parse("routing.yaml", b'paths: [{match: "**", at_least: opus}]', "repo")
    users = routing_file.parse("routing.yaml", b"ceilings: {default: sonnet}", "global")
    rules = [*(routing_rules.guest(rule) for rule in guests), *users]
    kept = routing_rules.compiled(routing_rules.Loaded(rules, []))
    assert ruled("fix a/b.py", "haiku", own_rules.Own(kept)).tier == "sonnet"


@pytest.mark.parametrize(
    ("prompt", "situation", "after", "why"),
    [
        ("drop the users table, see the changelog", Situation(), "sonnet", "at least sonnet (hard to undo)"),
        (
            "drop the users table in production, see the changelog",
            Situation(),
            "opus",
            "at least opus (hard to undo, high stakes)",
        ),
        ("changelog", Situation(plan_mode=True), "sonnet", "at least sonnet (plan mode asks for judgement)"),
        ("changelog", Situation(last_tier="sonnet", failures=2), "opus", "at least opus (2 failures before)"),
    ],
)
def test_no_rule_makes_it_cheaper_than_the_routers_own_floors(prompt, situation, after, why):
    found = ruled(prompt, "opus", situation=situation)
    assert (found.tier, found.rules) == (after, ["words.haiku"])
    assert found.reason.endswith(f"; words.haiku: haiku; {why}")


@pytest.mark.parametrize(
    "prompt",
    [
        'it says "update the changelog": prove the theorem',
        "prove the theorem, see `changelog`",
        "prove the theorem\n> update the changelog",
        "prove the theorem\n<note>tooltip</note>",
        "prove the theorem\n> a tooltip",
        "prove the theorem\n[note] changelog",
    ],
)
def test_words_of_others_make_nothing_cheaper(prompt):
    assert ruled(prompt, "opus").tier == "opus"


def test_a_quoted_word_raises():
    assert ruled("why does `raft` stall").tier == "opus"


@pytest.mark.parametrize(
    ("pattern", "path", "is_met"),
    [
        ("payments/**", "payments/a.py", True),
        ("payments/**", "payments/deep/er/a.py", True),
        ("payments/**", "payments/", True),
        ("payments/**", "src/payments/a.py", False),
        ("payments/**", "payments2/a.py", False),
        ("payments/**", "@payments/a.py", True),
        ("payments/**", "./payments/a.py", True),
        ("payments/**", "src/../payments/a.py", True),
        ("payments/**", "payments/../src/a.py", False),
        ("payments/**", f"{ROOT}/payments/a.py", True),
        ("payments/**", f"{ROOT.upper()}/Payments/A.py", True),
        ("payments/**", "/etc/payments/a.py", False),
        ("payments/**", "~/payments/a.py", False),
        ("payments/**", "/payments/a.py", False),
        ("payments/**", "https://host/payments/a.py", False),
        ("payments/**", "payments\\a.py", True),
        ("payments/**", "payments/a.py:12", True),
        ("payments/**", "payments/a.py#L7", True),
        ("payments/**", "(payments/a.py).", True),
        ("payments/**", "`payments/a.py`", True),
        ("payments/**", "「payments/a.py」", False),
        ("payments/**", "--- b/payments/a.py", True),
        ("payments/**", "payments", False),
        ("payments", "https://host/payments/a.py", False),
        ("src/main.rs", "src/main.rs#L7", True),
        ("/payments", "payments/a.py", True),
        ("/payments", "src/payments/a.py", False),
        ("payments", "src/payments/a.py", True),
        ("payments/", "src/payments/a.py", True),
        ("payments", "/etc/payments/a.py", True),
        ("**/payments/**", "src/payments/a.py", True),
        ("src/billing", "src/billing/deep/a.py", True),
        ("src/billing", "src/billing2/a.py", False),
        ("Dockerfile", "dockerfile", True),
        ("Dockerfile", "deploy/Dockerfile", True),
        ("src/main.rs", "src/main.rs", True),
        ("src/main.rs", "main.rs", False),
        ("*.sql", "a.sql", True),
        ("*.sql", "x/y/a.b.sql", True),
        ("*.sql", "a.sql.bak", False),
        ("**/*.sql", "x/a.sql", True),
        ("*.test.ts", "src/a.test.ts", True),
        ("*.test.ts", "src/a.ts", False),
        ("docs/*.md", "docs/a.md", True),
        ("docs/*.md", "docs/a/b.md", False),
        ("docs/**/*.md", "docs/b.md", True),
        ("docs/**/*.md", "docs/a/c/b.md", True),
        ("docs/**/*.md", "docs/a/c/b.txt", False),
        ("src/*/gen", "src/a/gen/x.py", True),
        ("src/*/gen", "src/a/b/gen/x.py", False),
        ("src/*", "src/a.py", True),
        ("src/*", "src/a/b.py", False),
        ("src/*/**", "src/a/b.py", True),
        ("test_*.py", "src/test_a.py", True),
        ("test_*.py", "src/a_test_a.py", False),
        ("*a*b*", "x/1a2b3.py", True),
        ("*a*b*", "x/1b2a3.py", False),
        ("a*a", "x/a/", False),
        ("a*a", "x/aba/", True),
        ("**", "a/b.py", True),
        ("app/über/**", "app/ÜBER/x.py", True),
        ("app/über/**", "app/u\u0308ber/x.py", True),
        ("支付/**", "支付/main.py", True),
    ],
)
def test_patterns(pattern, path, is_met):
    rules = own(f'paths: [{{match: "{pattern}", at_least: opus, name: rule}}]')
    assert ruled(f"look at {path} now", "haiku", rules).rules == (["rule"] if is_met else [])


def test_a_path_may_be_told_from_the_sessions_folder():
    rules = own('paths: [{match: "shop/cart/**", at_least: opus}]', (ROOT, f"{ROOT}/shop"))
    assert ruled("fix cart/a.py", "haiku", rules).tier == "opus"
    elsewhere = own('paths: [{match: "cart/**", at_least: opus}]', (ROOT, "/srv/tree"))
    assert ruled("fix /srv/tree/cart/a.py", "haiku", elsewhere).tier == "opus"
    assert ruled("fix /srv/tree2/cart/a.py", "haiku", elsewhere).tier == "haiku"


@pytest.mark.parametrize(
    ("prompt", "main", "before", "action", "after", "tail"),
    [
        ("fix payments/a.py", "haiku", "stay", "delegate", "sonnet", "payments/**: at least sonnet (money)"),
        ("fix payments/a.py", "sonnet", "delegate", "stay", "sonnet", "payments/**: at least sonnet (money)"),
        ("and now do the same in payments/", "haiku", "stay", "stay", "sonnet", "at least sonnet (money)"),
    ],
)
def test_with_another_tier_delegating_is_weighed_anew(prompt, main, before, action, after, tail):
    found = ruled(prompt, "haiku", situation=Situation(main_tier=main, turn=1), action=before)
    assert (found.action, found.tier) == (action, after)
    assert found.reason.endswith(tail)
    assert "already runs haiku" not in found.reason


def test_a_rule_that_changes_the_tier_ends_the_doubt():
    raised = ruled("raft", "sonnet", abstained=True)
    assert (raised.abstained, raised.decision, raised.confidence) == (False, "direct", 0.6)
    left = ruled("payments/a.py", "sonnet", abstained=True)
    assert (left.abstained, left.decision, left.confidence, left.floor) == (True, "escalate", 0.9, "sonnet")


def test_a_prompt_is_read_up_to_the_cap_and_no_pattern_takes_long():
    text = "paths:\n" + "".join(f'  - {{match: "**/a*a*a*a*{n}/**/b", at_least: opus}}\n' for n in range(80))
    rules = own(text)
    started = time.thread_time()
    ruled("a/" * 4000, "haiku", rules)
    ruled(" ".join(f"a{n}/{'a' * 50}/c.py" for n in range(4_000)), "haiku", rules)
    assert time.thread_time() - started < 2.0


def test_as_many_rules_as_a_team_has_cost_little():
    text = "paths:\n" + "".join(f'  - {{match: "src/m{n}/**", at_least: sonnet}}\n' for n in range(100))
    text += "domains:\n" + "".join(f"  d{n}: {{words: [word{n} x, beta{n}], at_least: opus}}\n" for n in range(100))
    rules, times = own(text), []
    decision = Decision("haiku", "why", 0.9)
    for _ in range(50):
        started = time.thread_time()
        own_rules.over(decision, "Add a retry in src/m7/up.py and test beta4", Situation(), rules)
        times.append(time.thread_time() - started)
    assert min(times) < 0.001  # 0.03 ms where nothing else runs


@pytest.mark.parametrize("text", ["tokio::pin!", "C++ templates", "don't", "Größe_2", "a.b-c/d", "  x1  y2 "])
def test_the_compiler_reads_words_as_the_hook_does(text):
    rules = own(json.dumps({"domains": {"d": {"words": [text], "at_least": "opus"}}}))
    assert ruled(f"look: {text} (now)", "haiku", rules).tier == "opus"


def test_it_needs_nothing_but_its_own_package():
    code = (
        "import sys;sys.path.insert(0,sys.argv[1]);before=set(sys.modules);import routing.own_rules;"
        "print(sorted(name for name in set(sys.modules)-before if not name.startswith('routing')))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(REPO)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
