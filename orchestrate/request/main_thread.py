"""The main thread's model for one user turn, where the user allows it and the mod is there to set it.

Only asked at user turns: within a turn, between a tool's call and its result, the model stays.
"""

from orchestrate.request import fuse, live, memory, rung, usage
from orchestrate.request.call import Call
from routing.main_thread import Wish, decide
from routing.score import TIERS
from state import codec, journal

STEPS_TAIL = 16 << 10


class Main:
    """`model`: what the mod is to set, as an alias or a concrete id; None: the main thread is the client's own."""

    __slots__ = ("figures", "model", "tier", "why")

    def __init__(self, why: str, tier: str | None = None, model: str | None = None) -> None:
        self.tier = tier
        self.model = model
        self.why = why
        self.figures: dict[str, object] | None = None


def settle(call: Call, wish: Wish, standing: rung.Standing, last: dict[str, object]) -> Main:
    """Stay or switch, by what the session's last step says of its cache."""
    ready, why = rung.for_main(standing)
    if ready != rung.MOD:
        return Main(why)
    step = usage.last_step(call.text("transcript_path"))
    served = step.model if step else call.env.get("ANTHROPIC_MODEL")
    before = last.get("switch")
    move = decide(wish, served, step, call.now - step.at if step else None, before if isinstance(before, dict) else {})
    tier = move.choice.tier
    main = Main(move.choice.why, tier)
    if tier in TIERS:
        main.model = str(call.settings.values[f"models.{tier}"]) or tier
    main.figures = move.as_dict()
    return main


def review(call: Call, last: dict[str, object], at: float) -> bool:
    """Whether the mod's fuse has blown just now: in three prompts it did not do what the decision said."""
    asked = last.get("main_model")
    if not isinstance(asked, str):
        return False
    steps = [
        step
        for line in journal.tail(f"{live.folder(call)}/{live.STEPS}", STEPS_TAIL)
        for step in _steps(line)
        if step.get("asked") == asked and _at(step) >= at * 1000
    ]
    wrong = [step for step in steps if not _is_well(step)]
    if wrong:
        live.alarm(call, asked, str(wrong[-1].get("served") or "nothing"))
    return bool(steps) and fuse.note(call, rung.MOD, not wrong)


def _is_well(step: dict[str, object]) -> bool:
    """A model whose id does not tell its tier, as behind a gateway, is no failure."""
    asked, served = str(step.get("asked")), str(step.get("served"))
    return not step.get("error") and (served == asked or memory.tier_of(served) in (None, memory.tier_of(asked)))


def _steps(line: bytes) -> list[dict[str, object]]:
    try:
        step = codec.loads(line)
    except ValueError:
        return []
    return [step] if isinstance(step, dict) and step.get("agent") is None else []


def _at(step: dict[str, object]) -> float:
    at = step.get("at")
    return at if isinstance(at, int | float) else 0.0
