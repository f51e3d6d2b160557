"""What is taken out of an error's text so that two occurrences are one bug, and what stays so that two bugs are two."""

import time

import pytest
from tiers import some

from orchestrate.memory import bug_text
from orchestrate.memory.bug_text import TEXT_MOST, file_of, first_line, normalised, readable

ROOT = "/srv/proj"


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        ("user 550e8400-e29b-41d4-a716-446655440000 not found", "user UUID not found"),
        ("USER 550E8400-E29B-41D4-A716-446655440000", "USER UUID"),
        ("object at 0x7f3a2b01", "object at HEX"),
        ("<Foo object at 0xDEADBEEF>", "<Foo object at HEX>"),
        ("commit 1612471a is missing", "commit HEX is missing"),
        ("image sha256:3b1f00aa9c2e", "image sha#:HEX"),
        ("the facade effaced deadbeef", "the facade effaced deadbeef"),
        ("failed at 2025-01-13T14:30:22Z", "failed at TIME"),
        ("failed at 2025-01-13 14:30:22.123456 +0100", "failed at TIME"),
        ("[13/Jan/2025:14:30:22 +0000] bad", "[TIME] bad"),
        ("Mon Jan 13 14:30:22 died", "TIME died"),
        ("on 2025-01-13 it broke", "on TIME it broke"),
        ("14:30:22,123 ERROR x", "TIME ERROR x"),
        ("cannot open /srv/proj/app/a.py", "cannot open app/a.py"),
        ("cannot open /home/me/other/a.py.", "cannot open a.py."),
        ("cannot open C:\\Users\\me\\a.php", "cannot open a.php"),
        ("no /usr/bin/thing", "no thing"),
        ("GET /api/users failed", "GET /api/users failed"),
        ("GET /api/users/42 failed", "GET /api/users/# failed"),
        ("GET http://h/a/b.json failed", "GET http://h/a/b.json failed"),
        ("Undefined variable 'foo'", "Undefined variable STRING"),
        ('Undefined variable "foo \\" bar"', "Undefined variable STRING"),
        ("use of `x` before", "use of STRING before"),
        ("can't open it, won't try", "can't open it, won't try"),
        ("line 42, column 7", "line #, column #"),
        ("took 1.25s for 12,000 rows", "took #s for # rows"),
        ("user42 in utf8", "user# in utf#"),
        ("a\n\t b   c ", "a b c"),
        ("\x1b[31mred\x1b[0m \x07bell", "red bell"),
        ("Größe 3 ungültig: größer als 2", "Größe # ungültig: größer als #"),
        ("", ""),
    ],
)
def test_what_differs_each_time_goes(message, kept):
    assert normalised(message, ROOT) == kept


def test_an_address_is_taken_for_one_before_its_digits_are():
    assert normalised("at 0x10 and 0x1f", ROOT) == normalised("at 0xab and 0x2", ROOT) == "at HEX and HEX"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Undefined variable: foo", "Undefined variable: bar"),
        ("GET /api/users failed", "GET /admin/users failed"),
        ("No such table: a", "No such column: a"),
        ("Connection refused", "Connection reset"),
    ],
)
def test_what_tells_two_bugs_apart_stays(one, other):
    assert normalised(one, ROOT) != normalised(other, ROOT)


def test_what_is_normalised_stays_as_it_is():
    for text in ("at 0x1f on 2025-01-13, 'x' in /home/me/a.py:3", "550e8400-e29b-41d4-a716-446655440000"):
        once = normalised(text, ROOT)
        assert normalised(once, ROOT) == once


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/srv/proj/app/a.py", "app/a.py"),
        ("./app//a.py", "app/a.py"),
        ("app\\a.php", "app/a.php"),
        ("/srv/project/a.py", "a.py"),
        ("/etc/passwd", "passwd"),
        ("../../etc/passwd", "passwd"),
        ("C:\\x\\a.py", "a.py"),
        ("app/../../a.py", "a.py"),
        (".", ""),
        ("..", ".."),
        ("", ""),
    ],
)
def test_a_file_is_named_from_the_project(path, kept):
    assert file_of(path, ROOT) == kept


@pytest.mark.parametrize(
    ("stack", "line"),
    [
        ("\n\n  at foo (a.js:3:4)\n  at bar", "at foo (a.js:#:#)"),
        ('Traceback (most recent call last):\n  File "/x/a.py", line 3, in f', 'File "a.py", line #, in f'),
        ("#0 /srv/proj/app/A.php(42): b()", "## app/A.php(#): b()"),
        ("", ""),
        ("\n \n", ""),
    ],
)
def test_the_first_line_that_tells_a_place_stands_for_the_stack(stack, line):
    assert first_line(stack, ROOT) == line


def test_a_long_text_is_read_as_far_as_anybody_would():
    assert len(readable("x" * 1_000_000)) == TEXT_MOST
    assert normalised("x" * 1_000_000, ROOT) == normalised("x" * 2_000_000, ROOT)


EVIL = [
    '"',
    "'",
    " '",
    "\\",
    "/a",
    "0",
    "a0",
    "/",
    "1:1",
    "1,",
    " ",
    "\x1b[",
    "0x",
    "Jan ",
    '"\\',
    "`",
    "f",
    "'\\",
    "1-",
]


@pytest.mark.parametrize("piece", some(EVIL, 5))
def test_no_text_takes_long(piece):
    before = time.process_time()
    normalised(piece * (TEXT_MOST // len(piece)), ROOT)
    assert time.process_time() - before < 1.0


def test_half_a_character_and_nul_are_left_out():
    assert bug_text.readable("a\ud800b\0c") == "abc"
