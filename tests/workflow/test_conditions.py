"""Conditions: what they say, and that nothing hostile gets as far as being evaluated."""

import subprocess
import sys
import time

import pytest

from orchestrate.workflow import conditions
from state.errors import UserError

VALUES = {"verdict": "Yes", "report": "2 errors", "n": "4", "count": 4, "list": ["a", "b"], "dry": False}
STATUSES = {"tests": "failed", "lint": "finished"}


@pytest.mark.parametrize(
    ("condition", "held"),
    [
        ("true", True),
        ("False", False),
        ("dry", False),
        ("not dry", True),
        ("lower(verdict) == 'yes'", True),
        ("verdict == 'yes'", False),
        ("contains(report, 'error') and not contains(report, '0')", True),
        ("'error' in report", True),
        ("verdict not in ['Yes', 'No']", False),
        ("contains(list, 'a') or len(list) == 0", True),
        ("number(n) >= 3", True),
        ("2 < count <= 4", True),
        ("count > -1", True),
        ("len(report) == 8", True),
        ("status('tests') == 'failed'", True),
        ("status('other') == ''", True),
        ("1 == 2 or (dry == false and n == '4')", True),
        ("  count == 4  ", True),
        ("report == 'C:\\d'", False),
    ],
)
def test_a_condition_holds_or_not(condition, held):
    assert conditions.holds(condition, VALUES, STATUSES) is held


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("verdict", "verdict: is str, not true or false: compare it, as verdict == 'yes'"),
        ("len(report)", "len(report): is int, not true or false: compare it, as len(report) == 'yes'"),
        ("nope == 1", "nope == 1: no value named 'nope' (have: count, dry, list, n, report, verdict)"),
        ("number(report) > 1", "number(report) > 1: no number: '2 errors': number(x) makes a number of a text"),
    ],
)
def test_what_is_no_condition_when_it_runs_is_told(condition, message):
    with pytest.raises(UserError) as caught:
        conditions.holds(condition, VALUES)
    assert str(caught.value) == message


def test_a_text_is_not_compared_with_a_number():
    with pytest.raises(UserError, match="number\\(x\\) makes a number of a text"):
        conditions.holds("n > 3", VALUES)


HOSTILE = {
    "powers": ("9**9**9", "a condition has no arithmetic"),
    "long texts by times": ("'a' * 999999999 == 'b'", "a condition has no arithmetic"),
    "formatting": ("'%999999999d' % 1 == ''", "a condition has no arithmetic"),
    "shifts": ("1 << 999999 > 1", "a condition has no arithmetic"),
    "attributes": ("().__class__.__bases__ == 1", "a condition has no attributes (a dot)"),
    "an attribute of a value": (
        "verdict.upper() == 'YES'",
        "a condition calls len, lower, number, contains, status alone",
    ),
    "another call": ("open('/etc/passwd') == 1", "a condition calls len, lower, number, contains, status alone"),
    "import": ("__import__('os') == 1", "a condition calls len, lower, number, contains, status alone"),
    "a call of a call": ("len(eval('1')) == 1", "a condition calls len, lower, number, contains, status alone"),
    "a call by key": ("len(obj='x') == 1", "a condition calls len, lower, number, contains, status alone"),
    "a key beside": ("len(n, key=n) == 1", "a condition calls len, lower, number, contains, status alone"),
    "too many values of a call": ("len(n, n) == 1", "a condition calls len, lower, number, contains, status alone"),
    "a star": ("len(*list) == 1", "a condition has no star"),
    "lambda": ("(lambda: 1)() == 1", "a condition calls len, lower, number, contains, status alone"),
    "a loop": ("[c for c in list] == 1", "a condition has no loops"),
    "brackets": ("list[0] == 'a'", "a condition has no brackets"),
    "is": ("n is n", "a condition has no such signs"),
    "a tilde": ("~count == 1", "a condition has no such signs"),
    "a set": ("n in {1, 2}", "a condition has no such signs"),
    "an f-string": ("f'{n!r:>999999999}' == ''", "a condition has no f-strings"),
    "assignment": ("(n := 5) == 5", "a condition has no assignment"),
    "a statement": ("import os", "no condition: 'import os'"),
    "two lines": ("n == 1\nn == 2", "no condition: 'n == 1\\nn == 2'"),
    "nothing": (" ", "no condition: ' '"),
    "bytes": ("b'x' == n", "a condition has texts, numbers, true and false, not b'x'"),
    "an ellipsis": ("... == n", "a condition has texts, numbers, true and false, not Ellipsis"),
    "a NUL": ("n == '\0'", "no condition: \"n == '"),
    "open brackets": ("(" * 900, "no condition: "),
    "deep brackets": ("[" * 150 + "]" * 150 + " == 1", "too much for one condition"),
    "deep signs": ("-" * 900 + "1 == 1", "too much for one condition"),
    "deep nots": ("not " * 200 + "dry", "too much for one condition"),
    "many terms": ("1==1" + " or 1==1" * 122, "too much for one condition"),
    "a long one": ("n == '" + "x" * 2000 + "'", "longer than 1000 characters"),
    "a status that is computed": ("status(n) == 'failed'", "status() takes a step's id in quotes"),
    "a huge one": ("n" * 1_000_000, "longer than 1000 characters"),
}


@pytest.mark.parametrize(("condition", "message"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_condition_is_refused_at_once(condition, message):
    began = time.process_time()
    with pytest.raises(UserError) as caught:
        conditions.holds(condition, VALUES)
    assert str(caught.value).startswith(message)
    assert time.process_time() - began < 1


def test_what_a_condition_asks_for_is_known_before_it_runs():
    found = conditions.parse("lower(a) == b and status('tests') == 'failed' and len(a) > 0")
    assert (found.names, found.steps, found.is_constant) == (("b", "a"), ("tests",), False)
    assert conditions.parse("1 == 2").is_constant


def test_a_large_value_costs_little():
    began = time.process_time()
    assert conditions.holds("contains(big, 'x') or len(big) == 10000000", {"big": "a" * 10_000_000})
    assert time.process_time() - began < 1


def test_without_the_extra_conditions_are_checked_and_what_is_missing_is_told():
    code = (
        "import sys; sys.modules['simpleeval'] = None\n"
        "from orchestrate.workflow import conditions\n"
        "assert conditions.parse('a == 1').names == ('a',)\n"
        "try: conditions.holds('1 == 1', {})\n"
        "except Exception as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "what reads conditions is not installed: pip install 'orchestrate[workflows]'\n"
