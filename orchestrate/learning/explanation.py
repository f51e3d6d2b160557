"""One recorded decision, with what led to it, what changed it, who served and what was said of it."""

from datetime import datetime

from metrics.days import window
from metrics.ledger import build
from metrics.ledger_join import Row
from metrics.metrics_collector import read as read_everything
from orchestrate.learning import events, records, signals, texts
from orchestrate.learning.events import Told
from routing.score import TIERS
from state.errors import NOT_FOUND, UserError
from state.paths import Place
from state.store import open_store

_DECISION = ("tier", "agent", "decision", "action", "confidence", "reason", "override", "mode", "context")
_RUNG = ("rung", "rung_reason", "subagents_rung", "subagents_reason", "main_model")
_CHANGED = ("stepped_down", "stood_in", "degraded", "arm")
Explanation = dict[str, object]


def of(place: Place, prompt: str, with_text: bool) -> Explanation:
    told = events.read([place])
    decided = events.find(told, prompt)
    text = {"text": _text(decided, told)} if with_text else {}
    return {
        "prompt_id": decided.prompt_id,
        "session": decided.session,
        "at": decided.ts,
        "hash": decided.payload.get("hash"),
        "length": decided.payload.get("length"),
        **text,
        "decided": _some(decided, _DECISION),
        "features": decided.payload.get("features") or [],
        "main_tier": decided.payload.get("main_tier"),
        "rung": _some(decided, _RUNG),
        "changed": _some(decided, _CHANGED),
        "judged": decided.payload.get("judged"),
        "correction": decided.payload.get("correction"),
        "served": [_served(row) for row in _rows(place, decided)],
        "feedback": records.of_prompt(place, decided),
        "signals": [_signal(signal) for signal in signals.signals(told) if _is_of(signal, decided)],
    }


def _some(decided: Told, names: tuple[str, ...]) -> Explanation:
    return {name: decided.payload.get(name) for name in names}


def _text(decided: Told, told: list[Told]) -> str:
    found = texts.of([decided], told)
    if not found:
        raise UserError(
            f"prompt {decided.prompt_id}: its text is in no transcript: leave out --text for the rest", NOT_FOUND
        )
    return next(iter(found.values()))


def _rows(place: Place, decided: Told) -> list[Row]:
    """By the ledger, so that nothing here says otherwise."""
    day = datetime.fromisoformat(decided.ts).astimezone().date()
    with open_store(place) as store:
        read_everything(place, store)
        return [row for row in build(store, window(day, day)) if row.prompt_id == decided.prompt_id]


def _served(row: Row) -> Explanation:
    return {
        "part": row.part,
        "agent": row.agent_type,
        "asked": row.requested,
        "resolved": row.resolved,
        "served": [*row.served],
        "verdict": row.kind or row.verdict,
    }


def _signal(signal: signals.Signal) -> Explanation:
    accept = [tier for tier in TIERS if tier in signal.accept]
    return {"source": signal.source, "verdict": signal.verdict, "tier": signal.tier, "accept": accept}


def _is_of(signal: signals.Signal, decided: Told) -> bool:
    return (signal.session, signal.prompt_id) == (decided.session, decided.prompt_id)
