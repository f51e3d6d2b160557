"""Whether there is anything to spare: the account's limits, and what the user allows with an API key."""

from collections.abc import Mapping

from state import quota
from state.paths import Place
from state.snapshot import Value


def lacking(place: Place, settings: Mapping[str, Value], spent_usd: float, now: float) -> str:
    """Why nothing may be run now, else nothing."""
    budget, most = float(settings["shadow.max_budget_usd"]), float(settings["shadow.spare"])
    if spent_usd > 0 and spent_usd >= budget:
        return f"{spent_usd:.2f} USD are spent, shadow.max_budget_usd is {budget:g}"
    known = quota.read(place.user) if place.user else {}
    fresh = {name: reading for name, reading in known.items() if reading.resets_at is not None}
    if "five_hour" not in fresh:
        if budget > 0:
            return ""
        return "nothing is known of your limits (`orchestrate quota status`), and shadow.max_budget_usd is 0"
    for name, reading in fresh.items():
        if not reading.is_over(now) and reading.used / 100 >= most:
            return f"{reading.used:.0f}% of the {quota.TITLES[name]} limit is used, shadow.spare is {most:.0%}"
    return ""
