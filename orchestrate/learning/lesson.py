"""One lesson: from the signals of a user to a correction, or to the reason why there is none."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from orchestrate.learning import events, examples, kept, signals, trial
from orchestrate.learning.examples import Example
from orchestrate.learning.fit import fit
from orchestrate.learning.kept import Kept, Record
from orchestrate.learning.trial import Trial
from routing.correction import Correction
from routing.score import Weights
from state import journal
from state.paths import Place

LEARNED, KEPT, WITHDRAWN = "learned", "kept", "withdrawn"


class Found(NamedTuple):
    """What there is to learn from."""

    examples: list[Example]  # the newest last
    signals: dict[str, int]  # by source
    contradicting: int  # prompts
    without_text: int  # prompts whose text is nowhere, or says nothing of the work

    @property
    def texts(self) -> int:
        return len({example.group for example in self.examples})


class Lesson(NamedTuple):
    outcome: str
    why: str
    found: Found
    trial: Trial | None
    record: Record | None  # in force from now on


def gather(place: Place, weights: Weights) -> Found:
    told = events.read(events.places(place))
    labels, contradicting = signals.labels(told)
    made, without = examples.made(labels[-trial.MOST :], told, weights)
    by_source = Counter(source for label in labels for source in label.sources)
    return Found(made, dict(sorted(by_source.items())), contradicting, without)


def learn(place: Place, now: float, dry_run: bool) -> Lesson:
    weights = examples.weights()
    found = gather(place, weights)
    before = kept.read(place)
    lesson = taught(found, weights, before, journal.stamp(now))
    if not dry_run and lesson.outcome == LEARNED and lesson.record:
        kept.write(place, lesson.record)
    elif not dry_run and lesson.outcome == WITHDRAWN:
        kept.withdraw(place)
    return lesson


def taught(found: Found, weights: Weights, before: Kept | None, made_at: str) -> Lesson:
    """Pure: nothing is read or written."""
    found = agreeing(found)
    standing = before.record if before and before.correction else None
    if found.texts < trial.LEAST:
        why = f"{found.texts} prompts with a signal and a text, {trial.LEAST} are needed"
        return Lesson(KEPT, why, found, None, standing)
    tried = trial.cross_validated(found.examples, weights)
    if tried.is_better:
        correction = fit(found.examples)
        return Lesson(LEARNED, "", found, tried, kept.record_of(correction, made_at, figures(found, tried)))
    if before and before.correction and _is_worse(found.examples, weights, before.correction):
        return Lesson(WITHDRAWN, "the correction in force does worse than the shipped weights", found, tried, None)
    return Lesson(KEPT, "what could be learned is not better beyond chance", found, tried, standing)


def agreeing(found: Found) -> Found:
    """Without the texts that are said to need now this tier and now that one: whoever learns of them learns a bet."""
    accepted: dict[str, frozenset[int]] = {}
    for example in found.examples:
        accepted[example.group] = accepted.get(example.group, example.accept) & example.accept
    kept_ones = [example for example in found.examples if accepted[example.group]]
    return found._replace(examples=kept_ones, contradicting=found.contradicting + len(found.examples) - len(kept_ones))


def _is_worse(found: Sequence[Example], weights: Weights, correction: Correction) -> bool:
    return trial.of(found, weights, correction).cheaper.mean < 0


def figures(found: Found, tried: Trial | None) -> Record:
    told: Record = {
        "signals": found.signals,
        "contradicting": found.contradicting,
        "without_text": found.without_text,
        "texts": found.texts,
    }
    if tried is None:
        return told
    return {
        **told,
        "cost_shipped": round(tried.cost_shipped, 4),
        "cost_corrected": round(tried.cost_corrected, 4),
        "cheaper": [round(tried.cheaper.mean, 4), round(tried.cheaper.error, 4)],
        "right_shipped": round(tried.right_shipped, 4),
        "right_corrected": round(tried.right_corrected, 4),
        "righter": [round(tried.righter.mean, 4), round(tried.righter.error, 4)],
    }
