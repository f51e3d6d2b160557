"""What the attempts of a run have used, all together."""

from typing import NamedTuple

from orchestrate.agents.stream import Tally, Usage, add

Figures = dict[str, int | float | None]


class Spent(NamedTuple):
    models: dict[str, Usage]
    is_paid: bool  # by an API key
    turns: int
    theirs_s: float  # the time that was not ours: the client's, the check's, and what was waited for

    def and_of(self, tally: Tally) -> "Spent":
        models = dict(self.models)
        for model, usage in tally.spent.items():
            models[model] = add(models.get(model, Usage()), usage)
        is_paid = self.is_paid or tally.api_key_source not in (None, "none")
        return Spent(models, is_paid, self.turns + tally.turns, self.theirs_s)

    def and_time(self, seconds: float) -> "Spent":
        return self._replace(theirs_s=self.theirs_s + seconds)

    @property
    def cost_usd(self) -> float | None:
        """Unknown as soon as one of its parts is."""
        costs = [usage.cost_usd for usage in self.models.values()]
        known = [cost for cost in costs if cost is not None]
        return round(sum(known), 9) if self.is_paid and len(known) == len(costs) else None

    def figures(self) -> dict[str, Figures]:
        """Per model; the client prices everything, but money is only what an API key pays."""
        return {
            model: {**usage._asdict(), "cost_usd": usage.cost_usd if self.is_paid else None}
            for model, usage in self.models.items()
        }
