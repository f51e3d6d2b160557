"""Other routers on the same rows, where the user has them: their own code decides."""

import importlib
import importlib.util
import os
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from orchestrate.measure.routing_answers import Answer
from orchestrate.measure.routing_rows import Asked
from routing.score import TIERS
from state.errors import UserError

HAIKU, SONNET, OPUS = TIERS
LITELLM_MODULE = "litellm.router_strategy.complexity_router.complexity_router"
LITELLM = {"SIMPLE": HAIKU, "MEDIUM": SONNET, "COMPLEX": OPUS, "REASONING": OPUS}
RULES = {"fast": HAIKU, "standard": SONNET, "deep": OPUS}
RULES_FILE = Path("hooks", "classify-prompt.py")  # in a checkout of 0xrdan/claude-router

Decide = Callable[[str], Answer]


class Peer(NamedTuple):
    """Without `decide` it is not here, and `note` says so."""

    name: str
    note: str
    decide: Decide | None

    def answers(self, asked: Sequence[Asked]) -> list[Answer]:
        return [self.decide(one.prompt) for one in asked] if self.decide else []


def peers(checkout: Path | None) -> list[Peer]:
    return [litellm(), claude_router(checkout)]


def litellm() -> Peer:
    """LiteLLM's complexity router with its own defaults."""
    name = "litellm complexity"
    try:
        number = version("litellm")
        os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # else its import fetches a price list
        module = importlib.import_module(LITELLM_MODULE)
    except PackageNotFoundError:
        return Peer(name, "not installed", None)
    except ImportError as error:
        return Peer(name, f"not importable: no {error.name}", None)
    router = module.ComplexityRouter(model_name="bench", litellm_router_instance=None)

    def decide(prompt: str) -> Answer:
        tier, score, _ = router.classify(prompt)
        return Answer(LITELLM[tier.value], float(score))

    return Peer(name, f"version {number}", decide)


def claude_router(checkout: Path | None) -> Peer:
    """The word rules of 0xrdan/claude-router, without its call to a model; from a checkout, as it is in no registry."""
    name = "0xrdan rules"
    if checkout is None:
        return Peer(name, "not given: --peer PATH of a checkout", None)
    rules = _loaded(checkout / RULES_FILE)

    def decide(prompt: str) -> Answer:
        route = rules.classify_by_rules(prompt)["route"]
        return Answer(RULES[route], float(TIERS.index(RULES[route])))

    return Peer(name, "rules only, no model", decide)


def _loaded(path: Path) -> Any:  # noqa: ANN401  a module of another project
    """The file runs: --peer is the user's word that it may."""
    if not path.is_file():
        raise UserError(f"{path}: no such file: --peer takes a checkout of 0xrdan/claude-router")
    spec = importlib.util.spec_from_file_location("routing_bench_peer", path)
    if spec is None or spec.loader is None:
        raise UserError(f"{path}: no Python file: --peer takes a checkout of 0xrdan/claude-router")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
