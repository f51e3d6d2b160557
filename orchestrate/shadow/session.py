"""What `route shadow` does: try pairs out while there is something to spare, and let classes step down or not."""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from orchestrate import worktrees
from orchestrate.agents import ask, check
from orchestrate.agents.ask import Asker
from orchestrate.request import memory, stepped
from orchestrate.shadow import candidates, classes, evidence, pairs, spare, steps, trial
from orchestrate.shadow.candidates import Subject
from orchestrate.shadow.classes import Group
from orchestrate.shadow.compare import CHEAPER, DEARER
from orchestrate.shadow.evidence import Standing
from orchestrate.shadow.pairs import Line
from routing.correction import Correction
from state import files, journal, locks
from state.errors import REFUSED, USAGE, UserError
from state.paths import Place
from state.snapshot import Value


class Row(NamedTuple):
    """A class as it stands."""

    group: Group
    standing: Standing
    left: int  # prompts that may still be tried out
    void: int
    is_down: bool


class Ran(NamedTuple):
    group: Group | None
    lines: list[Line]
    why: str  # it ended


def rows(place: Place) -> list[Row]:
    """Every class of which there is anything to say, the largest first."""
    learned = memory.correction(place)
    lines, known, down = pairs.read(place), candidates.found(place, learned), steps.read(place, learned)
    named = {str(line.get("class")) for line in lines} | {*known} | {*down}
    found = [_row(group, lines, known, [*down], learned) for group in classes.ALL if group.name in named]
    return sorted(found, key=lambda row: -(row.standing.pairs * 1000 + row.left))


def run(
    place: Place,
    env: Mapping[str, str],
    settings: Mapping[str, Value],
    name: str | None,
    most: int,
    seed: int | None,
    tell: Callable[[str], None],
) -> Ran:
    """`most` pairs of one class: the one named, else that with the most to try out."""
    words = _allowed(place, env, settings)
    with _alone(place) as folder:
        learned = memory.correction(place)
        lab = trial.Lab(place, env, settings, words, folder, stepped.basis(learned), tell)
        group = classes.named(name) if name else _largest(place)
        if group is None:
            return Ran(None, [], "no class has prompts left to try out")
        subjects = candidates.found(place, learned).get(group.name, [])
        return _pairs(lab, group, subjects, most, random.Random(seed))  # noqa: S311  a sample that can be drawn again


def apply(place: Place, name: str, now: float) -> Row:
    """Let a class step down that has passed."""
    group, learned = classes.named(name), memory.correction(place)
    row = _row(group, pairs.read(place), {}, [], learned)
    if row.standing.outcome != evidence.PASSED:
        raise UserError(f"{name} may not step down: {row.standing.why}", REFUSED)
    figures: steps.Figures = {**row.standing._asdict()}
    steps.write(place, {**steps.read(place, learned), name: figures}, learned, journal.stamp(now))
    return row._replace(is_down=True)


def forget(place: Place, name: str | None, with_pairs: bool, now: float) -> tuple[list[str], int]:
    """Take back the step of a class, or of all: the classes that went back up, and the pairs that were removed."""
    if name:
        classes.named(name)
    learned = memory.correction(place)
    down = steps.read(place, learned)
    back = [each for each in down if name in (None, each)]
    if back or name is None:
        kept = {each: figures for each, figures in down.items() if each not in back}
        steps.write(place, kept, learned, journal.stamp(now))
    return back, pairs.forget(place, name) if with_pairs else 0


def _allowed(place: Place, env: Mapping[str, str], settings: Mapping[str, Value]) -> list[str]:
    """The words of the check; or why nothing is tried out here."""
    why = ask.switched_off(Asker(place, env, settings))
    if why:
        raise UserError(f"nothing is tried out: {why}", REFUSED)
    if not str(settings["shadow.check"]).strip():
        raise UserError("shadow.check: name the command that tests this project (`orchestrate config set`)", USAGE)
    if not place.user:
        raise UserError("no folder of the user's own can be written: set HOME to one, the agents work there")
    if why := spare.lacking(place, settings, 0.0, time.time()):
        raise UserError(f"nothing to spare: {why}", REFUSED)
    return check.words(str(settings["shadow.check"]))


def _pairs(lab: trial.Lab, group: Group, subjects: list[Subject], most: int, chance: random.Random) -> Ran:
    made: list[Line] = []
    subjects = sorted(subjects)
    chance.shuffle(subjects)
    while len(made) < most:
        tried = [line for line in pairs.read(lab.place) if line.get("class") == group.name]
        counted = pairs.of(tried, group.name, lab.basis)
        standing = evidence.standing(pairs.evidence(counted))
        if standing.outcome != evidence.OPEN:
            return Ran(group, made, f"{standing.outcome}: {standing.why}")
        if why := spare.lacking(lab.place, lab.settings, _spent(made), time.time()):
            return Ran(group, made, f"nothing to spare: {why}")
        left = candidates.left(subjects, [*counted, *made])
        if not left:
            return Ran(group, made, "no prompts of this class are left to try out")
        line = trial.run(lab, group, left[0], len(counted), chance.getrandbits(32))
        pairs.keep(lab.place, line)
        made.append(line)
        lab.tell(_told(line))
    return Ran(group, made, f"{most} pairs, as asked for")


@contextmanager
def _alone(place: Place) -> Iterator[str]:
    """A folder of our own, without what an earlier call that was killed has left in it."""
    base = f"{place.user}/shadow"
    with locks.hold(f"{base}/{place.project}.lock", 0.0):
        folder = f"{base}/{place.project}"
        try:
            worktrees.remove(folder)
            files.folder(folder)
            yield folder
        finally:
            worktrees.remove(folder)


def _largest(place: Place) -> Group | None:
    found = [row for row in rows(place) if row.left and row.standing.outcome == evidence.OPEN and not row.is_down]
    return found[0].group if found else None


def _row(
    group: Group, lines: list[Line], known: Mapping[str, list[Subject]], down: list[str], learned: Correction | None
) -> Row:
    mine = [line for line in lines if line.get("class") == group.name]
    counted = pairs.of(mine, group.name, stepped.basis(learned))
    left = candidates.left(known.get(group.name, []), counted)
    standing = evidence.standing(pairs.evidence(counted))
    return Row(group, standing, len(left), sum(bool(line.get("void")) for line in mine), group.name in down)


def _spent(lines: Iterable[Line]) -> float:
    total = 0.0
    for line in lines:
        for name in (CHEAPER, DEARER):
            work = line.get(name)
            cost = work.get("cost_usd") if isinstance(work, dict) else None
            total += cost if isinstance(cost, int | float) else 0.0
    return total


def _told(line: Line) -> str:
    if line.get("void"):
        return f"void: {line['void']}"
    return "as good" if line.get("as_good") else "the tests broke" if line.get("regression") else "not as good"
