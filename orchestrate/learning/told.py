"""An explanation and a lesson as a person reads them."""

from collections.abc import Iterable, Mapping
from typing import Any

from orchestrate.learning.kept import Kept
from orchestrate.learning.lesson import LEARNED, WITHDRAWN, Lesson
from orchestrate.learning.trial import Gain, Trial


def explanation(found: Mapping[str, Any]) -> list[str]:  # Any: as JSON has it
    decided, rung = found["decided"], found["rung"]
    lines = [
        f"prompt {found['prompt_id']} of session {found['session']}, {found['at']}",
        f"decided: {decided['agent']} ({decided['decision']}, {decided['action']}, {_number(decided['confidence'])})",
        f"because: {decided['reason']}",
        f"main thread: {found['main_tier'] or 'not known'}",
        *(f"  {weight:+.2f}  {name}" for name, weight in found["features"]),
        f"rung: {rung['rung']} ({rung['rung_reason']})",
        f"spawns: {rung['subagents_rung']} ({rung['subagents_reason']})",
        *_changes(found["changed"]),
        *([_judged(found["judged"])] if found["judged"] else []),
        f"correction in force: {found['correction'] or 'none'}",
        *(_served(row) for row in found["served"]),
        *([] if found["served"] else ["served: nothing is known"]),
        *(_said(line) for line in found["feedback"]),
        *(_signal(signal) for signal in found["signals"]),
    ]
    return [*lines, "", found["text"]] if "text" in found else lines


def lesson(found: Lesson, place: str, is_saved: bool) -> list[str]:
    return [_outcome(found, place, is_saved), *_ground(found), *(_figures(found.trial) if found.trial else [])]


def standing(found: Kept | None) -> list[str]:
    """What `--show` says."""
    if found is None:
        return ["nothing was learned: the shipped weights decide"]
    record = found.record
    if found.correction is None:
        return [f"{record.get('id', 'the correction')}: ignored: {found.why}"]
    return [f"{record['id']}, {record.get('made_at', 'undated')}", *_parts(record)]


def _outcome(found: Lesson, place: str, is_saved: bool) -> str:
    name = found.record.get("id") if found.record else None
    if found.outcome == LEARNED:
        return f"learned {name}: {'kept in ' + place if is_saved else 'not kept, as this is a dry run'}"
    if found.outcome == WITHDRAWN:
        return f"back to the shipped weights: {found.why}"
    return f"kept {f'the correction {name}' if name else 'the shipped weights'}: {found.why}"


def _ground(found: Lesson) -> Iterable[str]:
    ground = found.found
    named = ", ".join(f"{count} {source}" for source, count in ground.signals.items()) or "none"
    yield f"signals: {named}; {ground.contradicting} prompts contradict themselves, {ground.without_text} have no text"
    if found.outcome == LEARNED and found.record:
        yield from _parts(found.record)


def _figures(tried: Trial) -> list[str]:
    return [
        f"of {tried.signals} prompts, each held out from the fit that decides it:",
        f"  cost   {_change(tried.cost_shipped, tried.cost_corrected, tried.cheaper)}",
        f"  right  {_change(tried.right_shipped, tried.right_corrected, tried.righter)}",
    ]


def _change(shipped: float, corrected: float, gain: Gain) -> str:
    return f"{shipped:.3f} shipped, {corrected:.3f} corrected, gain {_gain(gain)}"


def _gain(gain: Gain) -> str:
    return f"{gain.mean:+.3f} (standard error {gain.error:.3f}{'' if gain.is_sure else ', within chance'})"


def _parts(record: Mapping[str, Any]) -> list[str]:  # Any: as JSON has it
    low, high = record["shifts"]
    return [
        f"  {low:+.2f} to sonnet, {high:+.2f} to opus: every prompt",
        *(f"  {low:+.2f} to sonnet, {high:+.2f} to opus: {name}" for name, (low, high) in record["deltas"].items()),
    ]


def _changes(changed: Mapping[str, Any]) -> list[str]:  # Any: as JSON has it
    moved = [(name, changed[name]) for name in ("stepped_down", "stood_in") if changed[name]]
    lines = [f"{name.replace('_', ' ')}: from {change['from']}: {change['why']}" for name, change in moved]
    return [*lines, *(f"{name}: {changed[name]}" for name in ("degraded", "arm") if changed[name])]


def _judged(verdict: Mapping[str, Any]) -> str:  # Any: as JSON has it
    if verdict.get("failed"):
        return f"judge: failed: {verdict['failed']}"
    return f"judge: {verdict.get('tier')} ({'kept from before' if verdict.get('cached') else verdict.get('model')})"


def _served(row: Mapping[str, Any]) -> str:  # Any: as JSON has it
    who = row["agent"] or row["part"]
    return f"served: {who}: {', '.join(row['served']) or 'not known'} (asked {row['asked'] or '-'}, {row['verdict']})"


def _said(line: Mapping[str, Any]) -> str:  # Any: as JSON has it
    note = f": {line['note']}" if line.get("note") else ""
    return f"feedback: {line.get('verdict')} ({line.get('source')}, {line.get('ts')}){note}"


def _signal(signal: Mapping[str, Any]) -> str:  # Any: as JSON has it
    return (
        f"signal: {signal['source']}: {signal['verdict']} of {signal['tier']}, right is {' or '.join(signal['accept'])}"
    )


def _number(value: object) -> str:
    return f"confidence {value:.2f}" if isinstance(value, int | float) else "confidence not told"
