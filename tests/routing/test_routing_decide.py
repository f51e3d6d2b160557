from pathlib import Path

import pytest

from routing import score
from routing.features import Text
from routing.routing_core import Decision, Situation, decide, fallback, tier_of

LINE = score.load(str(Path(score.__file__).with_name("weights.bin"))).line
ORDINARY = [
    ("fix the typo in ARCHITECTURE.md", "haiku"),
    ("rename `cfg` to `settings` in loader.py", "haiku"),
    ("bump pydantic to 2.11.3", "haiku"),
    ("which file defines the retry policy", "haiku"),
    ("run the linter", "haiku"),
    ("what port does the dev server use", "haiku"),
    ("remove the unused imports in api/views.py", "haiku"),
    ("sort the entries of words.txt alphabetically", "haiku"),
    ("install numpy and remove the old wheel", "haiku"),
    ("implement a CSV export endpoint with tests", "sonnet"),
    ("add dark mode to the settings page", "sonnet"),
    ("add a dropdown for all users", "sonnet"),
    ("write tests for the invoice service", "sonnet"),
    ("upgrade django from 4.2 to 5.1", "sonnet"),
    ("review the diff of feature/search and list what you would change", "sonnet"),
    ("refactor the billing module to use dataclasses", "sonnet"),
    ("prove that the merge algorithm is linearizable", "opus"),
    ("design an active-active ledger over two regions with failure modes, trade-offs and a rollback plan", "opus"),
    ("threat model our plugin sandbox: untrusted code, tenant isolation, key management", "opus"),
    ("two replicas disagree after the failover and some payments are lost, reconstruct what happened", "opus"),
]
UNSURE = [
    "xyzzy plugh",
    "hm",
    "qwert asdf yxcv",
    "the thing with the stuff",
]


@pytest.mark.parametrize(("prompt", "tier"), ORDINARY)
def test_the_tier_fits_the_work(prompt, tier):
    assert decide(prompt).tier == tier


def test_the_first_promise_of_the_readme():
    decision = decide("Fix typo in README.md")
    assert (decision.decision, decision.action, decision.tier, decision.agent) == (
        "direct",
        "delegate",
        "haiku",
        "haiku-general",
    )
    assert decision.confidence > 0.8
    assert not decision.abstained
    assert not decision.override


@pytest.mark.parametrize("tier", ["haiku", "sonnet", "opus"])
def test_each_tier_is_reached_directly(tier):
    assert tier in {decision.tier for decision in map(decide, dict(ORDINARY)) if decision.decision == "direct"}


def test_most_ordinary_prompts_are_direct():
    direct = [prompt for prompt, _ in ORDINARY if decide(prompt).decision == "direct"]
    assert len(direct) >= 0.6 * len(ORDINARY)


@pytest.mark.parametrize("prompt", UNSURE)
def test_an_unsure_decision_says_so_and_is_never_haiku(prompt):
    decision = decide(prompt)
    assert (decision.decision, decision.abstained) == ("escalate", True)
    assert decision.tier != "haiku"
    assert decision.confidence < 0.6
    assert decision.reason.startswith("unsure, ")


def test_what_is_unsure_between_sonnet_and_opus_goes_to_opus():
    decision = decide("there is a race between the queue's lease and its fencing token")
    assert (decision.decision, decision.tier) == ("escalate", "opus")


@pytest.mark.parametrize("prompt", [prompt for prompt, _ in ORDINARY] + UNSURE)
def test_escalate_means_abstained_and_below_every_direct_confidence(prompt):
    decision = decide(prompt)
    assert (decision.decision == "escalate") == decision.abstained == (decision.confidence < LINE)


@pytest.mark.parametrize(
    ("cheap", "dear"),
    [
        ("fix the typo in threat_model.md", "write a threat model for our file uploads by untrusted tenants"),
        (
            "rename race_condition_test.py to test_queue.py",
            "there is a race between the queue's lease and its fencing token",
        ),
        ('commit with message "fix deadlock in the consensus layer"', "explain the deadlock in the consensus layer"),
        ("list the files in docs/architecture/", "list architecture options for a sharded ledger with trade-offs"),
    ],
)
def test_the_work_counts_not_its_vocabulary(cheap, dear):
    assert decide(cheap).tier == "haiku"
    assert decide(dear).tier in {"sonnet", "opus"}


def test_pasted_lines_are_counted_not_read():
    pasted = "\n".join(f'  {{"risk": "extreme", "consensus": "raft", "threat": "split brain {i}"}},' for i in range(30))
    assert decide(f"rename the key `risk` to `level` in this json\n{pasted}").tier == "haiku"


def test_claims_about_the_work_do_not_count():
    plain = decide("write the importer for bank statements with tests")
    assert (
        decide("[route: haiku] [effort: none] write the importer for bank statements with tests").as_dict()
        == plain.as_dict()
    )
    assert decide("[route: opus] fix the typo in README.md").tier == "haiku"
    assert decide("ultrathink, most powerful model, which file has the routes").tier != "opus"


@pytest.mark.parametrize(
    ("prompt", "tier"),
    [
        ("benenne die Variable cnt in zähler.py um, nur umbenennen", "haiku"),
        ("renombra la variable cnt a contador en suma.py", "haiku"),
        ("把 README.md 里的错别字改一下", "haiku"),
        ("请对签名网关做安全评审、重放攻击、密钥轮换、分布式一致性、并给出架构方案", "opus"),
    ],
)
def test_other_languages_are_read(prompt, tier):
    assert decide(prompt).tier == tier


def test_the_explanation_names_what_spoke_and_quotes_nothing():
    decision = decide("fix the typo in zanzibar_secret.md, password hunter2")
    told = str(decision.as_dict())
    assert 1 <= len(decision.features) <= 6
    weights = [abs(weight) for _, weight in decision.features]
    assert weights == sorted(weights, reverse=True)
    assert not [word for word in ("zanzibar", "hunter2", "typo") if word in told]
    assert "\n" not in decision.reason


def test_a_question_as_an_exam_puts_it_is_scored_by_how_hard_such_questions_are():
    weights = score.load(str(Path(score.__file__).with_name("weights.bin")))
    easy = "Tom has 3 apples and buys 4 more. How many apples does he have?"
    hard = (
        "A tank is filled by three pipes that alone need 6, 8 and 12 hours, while a leak that opens after 2 hours "
        "would empty it in 10 hours, and the first pipe is shut for 40 minutes in every hour. After how many hours "
        "and minutes is the tank full for the first time, and how much water was lost by then?"
    )
    needs = [shares[1] + 2 * shares[2] for shares in (score.judge(Text(one), weights).shares for one in (easy, hard))]
    assert needs[0] + 0.1 < needs[1]


def test_as_dict_is_plain_data():
    decision = Decision("opus", "why", 0.5, "stay", (("length", 1.0),), abstained=True, override=True)
    assert decision.as_dict() == {
        "decision": "escalate",
        "action": "stay",
        "agent": "opus-general",
        "tier": "opus",
        "confidence": 0.5,
        "reason": "why",
        "features": [["length", 1.0]],
        "abstained": True,
        "override": True,
    }


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        " \n\t",
        "\x00",
        "a\x00b",
        "\ud800",
        "fix \udfff typo in a.md",
        "é" * 9000,
        "🦊",
        "`" * 50,
        '"' * 51,
        "[" * 5000,
        "/" * 9000,
        "." * 9000,
        "[a]" * 3000,
        "```\n" * 3000,
        "\n" * 10000,
        "a " * 5000,
        "\u0627" * 5000,
        "\uff1f",
        "x" * 1_000_000,
        "a.b/" * 3000,
    ],
    ids=range(21),
)
def test_any_text_gets_the_same_whole_answer_every_time(prompt):
    answers = [decide(prompt).as_dict() for _ in range(10)]
    assert answers == [answers[0]] * 10
    assert answers[0]["tier"] in {"haiku", "sonnet", "opus"}
    assert answers[0]["agent"] == f"{answers[0]['tier']}-general"
    assert 0.0 <= answers[0]["confidence"] <= 1.0


def test_only_head_and_tail_of_a_long_prompt_are_read():
    filler = "lorem ipsum dolor sit amet " * 4000
    assert decide("use haiku for this. " + filler).tier == "haiku"
    assert decide(filler + " please use opus").tier == "opus"
    assert not decide(filler + " please use opus " + filler).override


def test_a_failure_falls_back_to_sonnet_and_names_it():
    assert fallback("ValueError: bad\n weights").as_dict() == {
        "decision": "escalate",
        "action": "delegate",
        "agent": "sonnet-general",
        "tier": "sonnet",
        "confidence": 0.5,
        "reason": "routing failed: ValueError: bad weights",
        "features": [],
        "abstained": True,
        "override": False,
    }


@pytest.mark.parametrize(
    ("model", "tier"),
    [
        ("claude-opus-4-8", "opus"),
        ("claude-sonnet-4-5[1m]", "sonnet"),
        ("Haiku", "haiku"),
        ("claude-fable-1", "opus"),
        ("gpt", None),
        ("", None),
        (None, None),
    ],
)
def test_tier_of_a_model(model, tier):
    assert tier_of(model) == tier
    assert Situation(main_tier=model, last_tier=model).main_tier == tier


def test_plan_mode_asks_for_judgement():
    decision = decide("rename `cfg` to `settings` in loader.py", Situation(plan_mode=True))
    assert (decision.tier, decision.reason) == ("sonnet", "sonnet: plan mode asks for judgement")


@pytest.mark.parametrize(("last", "tier"), [("haiku", "sonnet"), ("sonnet", "opus"), ("opus", "opus")])
def test_repeated_failure_goes_one_tier_up(last, tier):
    assert decide("rename `cfg` to `settings` in loader.py", Situation(last_tier=last, failures=2)).tier == tier
    assert decide("rename `cfg` to `settings` in loader.py", Situation(last_tier=last, failures=1)).tier == "haiku"
    assert decide("yes", Situation(last_tier=last, failures=2)).tier == tier
