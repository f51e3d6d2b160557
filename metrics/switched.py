"""What setting the main thread's model saved, net of the caches that it lost."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from metrics.facts import Facts
from metrics.savings import Call, Rate, Saved, saved
from metrics.turns import Switch
from state.store import Served


def net(facts: Facts, rate: Rate) -> dict[str, int | float | None]:
    """None where nothing was weighed, or nothing tells what it cost. A session without a switch saved nothing."""
    sessions = [_saved(messages, facts, rate) for messages in _main_threads(facts)]
    found = [one for one in sessions if one is not None]
    return {
        "net_savings_usd": round(sum(one.net_usd for one in found), 6) if found else None,
        "cache_loss_usd": round(sum(one.cache_loss_usd for one in found), 6) if found else None,
    }


def _main_threads(facts: Facts) -> Iterable[list[Served]]:
    """What served each session's main thread, in order."""
    threads: defaultdict[str, list[Served]] = defaultdict(list)
    for message in sorted(facts.served, key=lambda message: (message.ts, message.message_id)):
        if message.served and not (message.agent_id or message.is_sidechain or message.is_copy):
            threads[message.session].append(message)
    return threads.values()


def _saved(messages: list[Served], facts: Facts, rate: Rate) -> Saved | None:
    switches = _switches(messages, facts)
    base = next((switch.base for switch in switches if switch.base), None)
    if base is None:
        return None
    if not any(switch.is_switch for switch in switches):
        return Saved(0, 0, 0.0, 0.0, 0.0)
    found = saved([_call(message) for message in messages], base, rate)
    return found if found.calls else None


def _switches(messages: Iterable[Served], facts: Facts) -> list[Switch]:
    """In the order of the prompts."""
    prompts = dict.fromkeys((message.session, message.prompt_id or "") for message in messages)
    turns = [facts.turns[key] for key in prompts if key in facts.turns]
    return [decision.switch for turn in turns for decision in turn.decisions if decision.switch]


def _call(message: Served) -> Call:
    return Call(
        datetime.fromisoformat(message.ts).timestamp(),
        str(message.served),
        message.input_tokens,
        message.output_tokens,
        message.cache_read_tokens,
        message.cache_write_tokens,
    )
