"""A gate: a figure that must not exceed its limit, measured anew with more rounds before it counts as exceeded."""

import time

from orchestrate.measure import cases
from orchestrate.measure.runner import interleaved

ROUNDS = 25
MORE_ROUNDS = 75
TRIES = 3  # what is slow is so each time; what disturbs the machine comes and goes
# About two thirds of the floor: more than any gate leaves, on a machine of any speed.
BURN = "sum(range(400_000))"
figures: dict[str, tuple[float, float]] = {}  # of this run: gate to (figure, limit)


def figure(measure, limit):
    """`measure` takes a number of rounds."""
    value = measure(ROUNDS)
    for _ in range(TRIES - 1):
        if value <= limit:
            break
        value = min(value, measure(MORE_ROUNDS))
    return value


def awake_s(*others):
    """A clock that stands still while this thread could run and others run in its place; or a process that it waits
    for, one of the `others`."""
    return time.perf_counter() - sum(map(_waited_s, ("thread-self", *others)))


def _waited_s(process):
    try:
        with open(f"/proc/{process}/schedstat") as file:
            return int(file.read().split()[1]) / 1e9
    except OSError:
        return 0.0


def cpu_ratio(case, other):
    """A measure: the ratio of the cpu medians of two cases in one interleaved run."""
    case, other = case._replace(name="case"), other._replace(name="other")

    def measure(rounds):
        series = interleaved([case, other], rounds)
        return series["case"].cpu_ms / series["other"].cpu_ms

    return measure


def over_floor(case, box):
    return cpu_ratio(case, cases.floor(box))


def held(benchmark, measure, limit, once):
    """Whether the gate holds; the times of a few calls of `once` stand beside it in the report."""
    holds = kept(benchmark, figure(measure, limit), limit)
    benchmark.pedantic(once, rounds=5, warmup_rounds=1)
    return holds


def kept(benchmark, value, limit):
    figures[benchmark.name] = (value, limit)
    benchmark.group = "gates"
    benchmark.extra_info.update(figure=round(value, 3), limit=limit)
    return value <= limit
