import hashlib
import itertools
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrate.memory import bug_hash

REPO = Path(__file__).resolve().parents[2]
ROOT = "/srv/proj"


def test_the_hash_is_that_of_the_four_parts():
    said = bug_hash.of("Undefined variable: foo", "app/Test.php", 42, "#0 app/A.php(7): b()", ROOT)
    assert said == hashlib.sha256(b"Undefined variable: foo|app/Test.php|42|## app/A.php(#): b()").hexdigest()
    assert len(said) == 64


def test_another_process_has_the_same_hash():
    code = "import sys; sys.path.insert(0, sys.argv[1])\nfrom orchestrate.memory import bug_hash\n"
    code += f"print(bug_hash.of('at 0x1f', 'a.py', 0, '', {ROOT!r}))"
    done = subprocess.run([sys.executable, "-c", code, REPO], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == bug_hash.of("at 0xff", "a.py", 0, "", ROOT)


PARTS = [
    ("a", None, None, ""),
    ("a", "b", None, ""),
    ("a", None, None, "b"),
    ("a", None, 0, ""),
    ("a", "0", None, ""),
    ("a|b", None, None, ""),
    ("a", "b|", None, ""),
    ("a\\", "b", None, ""),
    ("a\\|b", None, None, ""),
    ("a", "b", 0, "c"),
    ("a", "b", 1, "c"),
    ("a", "b", None, "c"),
    ("", "a", None, ""),
]


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(PARTS, 2)), ids=str)
def test_no_two_sets_of_parts_are_one(one, other):
    assert bug_hash.of(*one, ROOT) != bug_hash.of(*other, ROOT)


def test_the_same_error_from_another_file_of_a_trace_is_another_bug():
    trace = 'Traceback (most recent call last):\n  File "{}", line 3, in main'
    one, other = (bug_hash.of("boom", None, None, trace.format(name), ROOT) for name in ("app/a.py", "app/b.py"))
    assert one != other
