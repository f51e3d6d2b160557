"""The door of routing: a prompt and what is known around it -> which tier does the work, and whether to hand it over.

Pure and deterministic; the only input beside the arguments is weights.bin next to this file.
"""

from routing import rules
from routing.facts import says_nothing
from routing.features import Text
from routing.score import HAIKU, OPUS, SONNET, TIERS, Verdict, Weights, judge, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from routing.correction import Correction

FOLLOW_AGE_S = 3600.0  # an answer given later than this may belong to something else
RULE_CONFIDENCE = 0.6  # not measured: of a floor, where no labelled data speaks
FOLLOWED_CONFIDENCE = 0.75  # measured: follow-ups of the corpus that inherit a tier (docs/routing-model.md)
UNKNOWN_CONFIDENCE = 0.33  # the text says nothing about the work: one tier of three
OVERRIDE_CONFIDENCE = 1.0
REPEATED_FAILURES = 2
WORDLESS = 3  # so few words, none of which is known to say anything about work, tell nothing
LARGE_BYTES = 200_000  # more than a glance can check; not measured
MAX_FEATURES = 6
LEAST_SPOKE = 0.005  # log-odds: less is 0.00

_loaded: list[Weights] = []


class Situation:
    """What the text does not say. Everything may be unknown."""

    __slots__ = (
        "failures",
        "last_age_s",
        "last_failed",
        "last_tier",
        "main_tier",
        "named_bytes",
        "permission_mode",
        "plan_mode",
        "turn",
    )

    def __init__(
        self,
        main_tier: str | None = None,
        last_tier: str | None = None,
        last_age_s: float | None = None,
        plan_mode: bool = False,
        failures: int = 0,
        turn: int | None = None,
        last_failed: bool = False,
        named_bytes: int | None = None,
        permission_mode: str | None = None,
    ) -> None:
        self.main_tier = tier_of(main_tier)
        self.last_tier = tier_of(last_tier)
        self.last_age_s = last_age_s
        self.last_failed = last_failed
        self.named_bytes = named_bytes  # of the files that the prompt names and that there are
        self.permission_mode = permission_mode
        self.plan_mode = plan_mode or permission_mode == "plan"
        self.failures = failures
        self.turn = turn


class Decision:
    """`features` name what spoke, positive for a dearer tier. No text of the prompt is in it.

    The user's own rules leave the names of those that took effect (`rules`, None where he has none), the tier that
    nothing may go below (`floor`), and agents of his own, by tier.
    """

    __slots__ = (
        "abstained",
        "action",
        "agent",
        "agents",
        "confidence",
        "decision",
        "features",
        "floor",
        "override",
        "reason",
        "rules",
        "tier",
    )

    def __init__(
        self,
        tier: str,
        reason: str,
        confidence: float,
        action: str = "delegate",
        features: tuple[tuple[str, float], ...] = (),
        abstained: bool = False,
        override: bool = False,
    ) -> None:
        self.decision = "escalate" if abstained else "direct"
        self.action = action
        self.agent = f"{tier}-general"
        self.tier = tier
        self.confidence = confidence
        self.reason = reason
        self.features = features
        self.abstained = abstained
        self.override = override
        self.rules: list[str] | None = None
        self.floor = ""
        self.agents: dict[str, str] = {}

    def as_dict(self) -> dict[str, str | float | bool | list[list[str | float]]]:
        return {
            "decision": self.decision,
            "action": self.action,
            "agent": self.agent,
            "tier": self.tier,
            "confidence": self.confidence,
            "reason": self.reason,
            "features": [[name, weight] for name, weight in self.features],
            "abstained": self.abstained,
            "override": self.override,
        }


def decide(prompt: str, situation: Situation | None = None, correction: "Correction | None" = None) -> Decision:
    """`correction`: the user's own, of the scores alone."""
    situation = situation or Situation()
    text = Text(prompt)
    chosen = rules.chosen_tier(text)
    if chosen:
        action = "stay" if situation.main_tier == chosen else "delegate"
        return Decision(chosen, f"the user asked for {chosen}", OVERRIDE_CONFIDENCE, action, override=True)
    leaning = rules.leans(text, situation.turn == 0)
    followed = _followed(text, situation, leaning) if leaning else None
    if followed:
        return Decision(followed, f"{leaning}; follows the {followed} decision before", FOLLOWED_CONFIDENCE, "stay")
    return _scored(text, situation, leaning, correction)


def fallback(error: str) -> Decision:
    """The decision when deciding failed."""
    line = " ".join(error.split())[:200]
    return Decision(SONNET, f"routing failed: {line}", 0.5, abstained=True)


def tier_of(model: str | None) -> str | None:
    """The tier of a model's name or id; a model above opus counts as opus."""
    if not model:
        return None
    name = model.lower()
    if "fable" in name:
        return OPUS
    return next((tier for tier in TIERS if tier in name), None)


def _weights() -> Weights:
    if not _loaded:
        folder = __file__.replace("\\", "/").rpartition("/")[0]
        _loaded.append(load(folder + "/weights.bin"))
    return _loaded[0]


def _followed(text: Text, situation: Situation, leaning: str) -> str | None:
    """The tier that an answer, or a few words about what was there before, inherits from the decision before."""
    recent = situation.last_age_s is None or situation.last_age_s <= FOLLOW_AGE_S
    if not situation.last_tier or not recent:
        return None
    if not rules.inherits(text) and not _is_about_before(text, situation, leaning):
        return None
    return rules.raised(situation.last_tier) if situation.failures >= REPEATED_FAILURES else situation.last_tier


def _is_about_before(text: Text, situation: Situation, leaning: str) -> bool:
    """Where no floor has anything to say."""
    return rules.is_about_before(text) and not _floored(HAIKU, text, situation, leaning)[1]


def _scored(text: Text, situation: Situation, leaning: str | None, correction: "Correction | None") -> Decision:
    weights = _weights()
    verdict = judge(text, weights, correction)
    silent = rules.inherits(text) or (text.size <= WORDLESS and says_nothing(verdict.facts))
    tier, floors = _floored(SONNET if silent else verdict.tier, text, situation, leaning)
    confidence = UNKNOWN_CONFIDENCE if silent else _confidence(verdict, tier, floors)
    unsure = silent or confidence < weights.line
    if unsure and tier == HAIKU:
        tier = SONNET
        confidence = UNKNOWN_CONFIDENCE if silent else verdict.confidence_in(tier)
    action, why = _action(tier, unsure, situation, leaning)
    spoke = () if silent else _strongest(verdict)
    reason = "; ".join([_story(tier, unsure, spoke, floors), *why])
    return Decision(tier, reason, round(confidence, 3), action, spoke, abstained=unsure)


def _confidence(verdict: Verdict, tier: str, floors: list[str]) -> float:
    measured = verdict.confidence_in(tier)
    return max(measured, RULE_CONFIDENCE) if floors else measured


def _floored(tier: str, text: Text, situation: Situation, leaning: str | None) -> tuple[str, list[str]]:
    floors = []
    lowest = rules.floor(text)
    if lowest:
        floors.append(lowest)
    if situation.plan_mode:
        floors.append((SONNET, "plan mode asks for judgement"))
    if situation.failures >= REPEATED_FAILURES and situation.last_tier:
        floors.append((rules.raised(situation.last_tier), f"{situation.failures} failures before"))
    if leaning and situation.last_failed and situation.last_tier:
        floors.append((situation.last_tier, "the last attempt failed"))
    if situation.named_bytes and situation.named_bytes > LARGE_BYTES and not rules.reads_only(text):
        floors.append((SONNET, "large files are named"))
    if not floors:
        return tier, []
    reasons = [why for floor, why in floors if TIERS.index(floor) > TIERS.index(tier)]
    for floor, _ in floors:
        tier = rules.at_least(tier, floor)
    return tier, reasons


def _action(tier: str, unsure: bool, situation: Situation, leaning: str | None) -> tuple[str, list[str]]:
    """Hand the work over, or stay: a fresh agent starts without the conversation and costs thousands of tokens."""
    if leaning:
        return "stay", [leaning]
    if situation.main_tier == tier:
        return "stay", [f"the main thread already runs {tier}"]
    if unsure and situation.main_tier and abs(TIERS.index(situation.main_tier) - TIERS.index(tier)) == 1:
        return "stay", [f"the gain over {situation.main_tier} is within the error"]
    return "delegate", []


def _strongest(verdict: Verdict) -> tuple[tuple[str, float], ...]:
    spoke = [(weight if weight < 0 else -weight, name, weight) for weight, name in verdict.spoke]
    spoke.sort()
    # The hundredths are what round(weight, 2) gives, ties aside, in a third of its time.
    return tuple(
        [
            (name, int(weight * 100 + (0.5 if weight > 0 else -0.5)) / 100)
            for force, name, weight in spoke[:MAX_FEATURES]
            if force <= -LEAST_SPOKE
        ]
    )


def _story(tier: str, unsure: bool, spoke: tuple[tuple[str, float], ...], floors: list[str]) -> str:
    """What led here: only what spoke for this tier, where it lies at one end."""
    if tier == SONNET:
        names = floors or [name for name, weight in spoke if weight][:3]
    else:
        names = floors or [name for name, weight in spoke if (weight > 0 if tier == OPUS else weight < 0)][:3]
    story = ", ".join(names) or "nothing stood out"
    return f"unsure, {tier} to be safe: {story}" if unsure else f"{tier}: {story}"
