"""A comparison of arms as text, at most 100 columns wide, or as a value for JSON."""

from collections.abc import Callable

from metrics.ab import BASE, WIDEST, Arm, Comparison, Found
from metrics.ab_measures import COMPLIANCE, GOALS, MEASURES, MILLISECONDS, NUMBER, PER_100, SHARE, UTILISATION, Goal
from metrics.ab_statistics import Estimate
from metrics.render import aligned
from metrics.tables import NO_VALUE, Table

_MARGIN = {SHARE: 100.0, PER_100: 100.0, MILLISECONDS: 1.0, NUMBER: 1.0}  # what a difference is multiplied with
_NOT_ASKED = (
    "no session of this period is in an arm: "
    "`orchestrate config set ab.enabled true` assigns those that begin from then on"
)


def text(found: Comparison) -> str:
    title = f"Arms compared for {found.window.title} ({found.window.zone})"
    if not found.arms:
        return "\n\n".join([f"no data for {found.window.title} ({found.window.zone})", _NOT_ASKED, *_left_out(found)])
    tables = [_sizes(found), *(_measure(name, found) for name in MEASURES if _is_shown(name, found))]
    return "\n\n".join([title, *map(aligned, tables), _utilisation(found), *_notes(found)])


def as_json(found: Comparison) -> dict[str, object]:
    """Every key is always there; null is what nothing tells."""
    return {
        "since": str(found.window.first),
        "until": str(found.window.last),
        "time_zone": found.window.zone,
        "data": bool(found.arms),
        "base": BASE,
        "goals": {name: _goal(goal) for name, goal in GOALS.items()},
        "arms": {name: _arm(arm) for name, arm in found.arms.items()},
        "sessions_left_out": found.left_out,
        UTILISATION: found.utilisation,
    }


def _goal(goal: Goal) -> dict[str, object]:
    low, high = goal.baseline or (None, None)
    return {
        "relation": goal.relation,
        "target": goal.limit,
        "against": BASE if goal.is_against_base else None,
        "baseline": None if low is None else [low, high],
        "source": goal.source,
    }


def _arm(arm: Arm) -> dict[str, object]:
    return {
        "sessions": arm.sessions,
        "prompts": arm.prompts,
        "rungs": arm.rungs,
        "enough": arm.is_enough,
        **{name: _found(one) for name, one in arm.found.items()},
    }


def _found(one: Found) -> dict[str, object]:
    against = _numbers(one.against)
    return {**_numbers(one.estimate), "against": against if one.against else None, "met": one.met}


def _numbers(estimate: Estimate | None) -> dict[str, object]:
    if estimate is None:
        return dict.fromkeys(("value", "low", "high")) | {"sessions": 0, "size": 0}
    return {name: round(value, 6) if isinstance(value, float) else value for name, value in estimate._asdict().items()}


def _sizes(found: Comparison) -> Table:
    rows = [
        [name, str(arm.sessions), str(arm.prompts), ", ".join(f"{rung} {count}" for rung, count in arm.rungs.items())]
        for name, arm in found.arms.items()
    ]
    return Table("lrrl", ["arm", "sessions", "prompts", "by rung"], rows)


def _is_shown(name: str, found: Comparison) -> bool:
    """Not what nobody measured, nor what never happened and has no goal."""
    estimates = [one.estimate for arm in found.arms.values() if (one := arm.found[name])]
    return name in GOALS or any(estimate and estimate.value for estimate in estimates)


def _measure(name: str, found: Comparison) -> Table:
    measure, goal = MEASURES[name], GOALS.get(name)
    head = [measure.title, "value", "95% interval", f"against {BASE}", *([_target(goal)] if goal else [])]
    rows = [
        [arm, *_cells(told.found[name], measure.form), *([_outcome(arm, goal, told.found[name])] if goal else [])]
        for arm, told in found.arms.items()
    ]
    return Table("lrll" + "l" * bool(goal), head, rows)


def _target(goal: Goal) -> str:
    limit = f"+{goal.limit:g} ms" if goal.relation == "<" else BASE if goal.is_against_base else f"{goal.limit:.0%}"
    return f"target {goal.relation} {limit}" + (f", was {_baseline(goal)}" if goal.baseline else "")


def _baseline(goal: Goal) -> str:
    low, high = goal.baseline or (0.0, 0.0)
    return f"{low:.0%}" if low == high else f"{low * 100:.0f}-{high:.0%}"


def _outcome(name: str, goal: Goal, one: Found) -> str:
    if one.estimate is None:
        return "no data"
    if goal.is_against_base and name == BASE:
        return "the baseline"
    return {True: "met", False: "MISSED", None: "open"}[one.met]


def _cells(one: Found, form: str) -> list[str]:
    shown = _FORMS[form]
    value = NO_VALUE if one.estimate is None else shown(one.estimate.value)
    against = ""
    if one.against:
        margins = [None if end is None else end * _MARGIN[form] for end in one.against[:3]]
        value_of, *ends = ("?" if margin is None else _signed(margin) for margin in margins)
        against = value_of if one.against.width is None else f"{value_of} ({' to '.join(ends)})"
    return [value, _interval(one.estimate, shown), against]


def _interval(estimate: Estimate | None, shown: Callable[[float], str]) -> str:
    if estimate is None or (estimate.low is None and estimate.high is None):
        return NO_VALUE
    return " to ".join("?" if end is None else shown(end) for end in (estimate.low, estimate.high))


def _signed(value: float) -> str:
    return f"{value:+,.0f}" if abs(value) >= 100 else f"{value:+.1f}" if abs(value) >= 1 else f"{value:+.2g}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


_FORMS: dict[str, Callable[[float], str]] = {
    SHARE: lambda value: f"{value:.1%}",
    PER_100: lambda value: f"{value * 100:.1f}",
    MILLISECONDS: lambda value: f"{value:,.1f} ms",
    NUMBER: _number,
}


def _utilisation(found: Comparison) -> str:
    known = [
        f"{used:.1%} of the {name.replace('_', '-')} limit"
        for name, used in found.utilisation.items()
        if used is not None
    ]
    told = ", ".join(known) or "no data"
    return f"quota utilisation, whatever the arm: {told}\n{_target(GOALS[UTILISATION])}; see `orchestrate quota report`"


def _notes(found: Comparison) -> list[str]:
    few = [_too_few(name, arm) for name, arm in found.arms.items() if not arm.is_enough]
    return (["\n".join(few)] if few else []) + _left_out(found)


def _too_few(name: str, arm: Arm) -> str:
    compliance = arm.found[COMPLIANCE].estimate
    if compliance is None:
        why = "compliance is not known"
    elif compliance.width is None:
        why = "one alone has no interval"
    else:
        why = f"compliance is known to {compliance.width * 100:.0f} points, not {WIDEST * 100:.0f}"
    sessions = "1 session is" if arm.sessions == 1 else f"{arm.sessions} sessions are"
    return f"{name}: {sessions} too few to say anything: {why}"


def _left_out(found: Comparison) -> list[str]:
    if not found.left_out:
        return []
    return [f"sessions left out, as they were in more than one arm: {found.left_out}"]
