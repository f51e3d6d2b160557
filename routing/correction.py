"""One user's own correction of the scores: a shift of each boundary and a few changed weights of named facts.

It is fitted to the weights that were shipped with it, and counts for no others. What a file says is bounded here, so
that no file can do more than lean on a decision.
"""

VERSION = 1
SHIFT_MOST = 2.0  # log-odds
DELTA_MOST = 1.0
DELTAS_MOST = 8


class Correction:
    __slots__ = ("deltas", "id", "shifts")

    def __init__(
        self, name: str, shifts: tuple[float, float], deltas: dict[str, tuple[float, float]] | None = None
    ) -> None:
        self.id = name
        self.shifts = shifts
        self.deltas = deltas or {}

    def of(self, names: tuple[str, ...], values: list[float]) -> tuple[float, float]:
        """What is added to the two scores of a prompt with these facts. Those that share a name, as the steps of a
        length do, count together."""
        low, high = self.shifts
        if self.deltas:
            for name, value in zip(names, values, strict=True):
                if value and name in self.deltas:
                    lower, higher = self.deltas[name]
                    low += value * lower
                    high += value * higher
        return low, high


def parse(record: dict[str, object], weights: str) -> Correction | None:
    """None where it is none, says more than it may, or was made for other weights than these."""
    name, deltas = record.get("id"), record.get("deltas")
    shifts = _pair(record.get("shifts"), SHIFT_MOST)
    if record.get("v") != VERSION or record.get("weights") != weights or shifts is None or not isinstance(name, str):
        return None
    if not isinstance(deltas, dict) or len(deltas) > DELTAS_MOST:
        return None
    pairs = {fact: _pair(delta, DELTA_MOST) for fact, delta in deltas.items()}
    known = {fact: pair for fact, pair in pairs.items() if pair is not None}
    return Correction(name, shifts, known) if len(known) == len(pairs) else None


def weights_digest() -> str:
    """Which weights lie beside this file."""
    import _blake2

    folder = __file__.replace("\\", "/").rpartition("/")[0]
    with open(f"{folder}/weights.bin", "rb", 0) as file:
        return _blake2.blake2b(file.read(), digest_size=8).hexdigest()


def _pair(value: object, most: float) -> tuple[float, float] | None:
    if not isinstance(value, list) or len(value) != 2:
        return None
    low, high = (_bounded(number, most) for number in value)
    return None if low is None or high is None else (low, high)


def _bounded(number: object, most: float) -> float | None:
    """No number is None; NaN is beyond every bound."""
    if isinstance(number, bool) or not isinstance(number, int | float) or not -most <= number <= most:
        return None
    return float(number)
