import json
import stat
from pathlib import Path

import pytest

from orchestrate.learning import kept
from routing.correction import Correction, weights_digest
from state.errors import UserError
from state.paths import Place

AT = "2026-11-21T12:00:00.000Z"
FIRST = kept.record_of(Correction("draft", (0.5, 0.25), {"stack trace": (0.1, 0.2)}), AT, {})
SECOND = kept.record_of(Correction("draft", (1.0, 0.0)), AT, {})


def in_force(place):
    found = kept.read(place)
    return found and found.record["id"]


def test_what_is_kept_is_what_was_learned(place):
    kept.write(place, FIRST)
    found = kept.read(place)
    assert (found.record, found.why) == (FIRST, "")
    assert (found.correction.shifts, found.correction.deltas) == ((0.5, 0.25), {"stack trace": (0.1, 0.2)})
    path = Path(place.user, "routing", "correction.json")
    assert [stat.S_IMODE(each.stat().st_mode) for each in (path, path.parent)] == [0o600, 0o700]


def test_the_name_tells_corrections_apart():
    assert FIRST["id"] != SECOND["id"]
    assert kept.record_of(Correction("other", (1.0, 0.0)), "later", {"texts": 3})["id"] == SECOND["id"]


def test_undo_goes_back_and_forth(place):
    kept.write(place, FIRST)
    kept.write(place, SECOND)
    assert in_force(place) == SECOND["id"]
    assert [kept.undo(place).record["id"] for _ in range(3)] == [FIRST["id"], SECOND["id"], FIRST["id"]]


def test_undo_of_the_first_lesson_is_the_shipped_weights(place):
    kept.write(place, FIRST)
    assert kept.undo(place) is None
    assert in_force(place) is None
    assert kept.undo(place).record == FIRST


def test_what_is_withdrawn_can_be_brought_back(place):
    kept.write(place, FIRST)
    kept.withdraw(place)
    assert in_force(place) is None
    kept.undo(place)
    assert in_force(place) == FIRST["id"]


def test_nothing_to_undo(place):
    with pytest.raises(UserError, match="nothing was learned yet") as raised:
        kept.undo(place)
    assert raised.value.code == 3


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"weights": "of another version"}, "made for other weights"),
        ({"shifts": [9.0, 0.0]}, "no correction that can be read"),
        ({"v": 2}, "no correction that can be read"),
    ],
)
def test_a_correction_that_does_not_count_says_why(place, change, why):
    kept.write(place, {**FIRST, **change})
    found = kept.read(place)
    assert found.correction is None
    assert why in found.why


def test_it_names_the_weights_that_it_was_made_for(place):
    kept.write(place, FIRST)
    assert json.loads(Path(kept.path(place)).read_bytes())["weights"] == weights_digest()


def test_without_a_home_nothing_can_be_kept():
    with pytest.raises(UserError, match="set HOME"):
        kept.path(Place("/", "p", "/s", None, False))
