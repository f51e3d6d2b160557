"""JSON by the C parts of the interpreter: JSON on each of them, and the same by `json` itself where they are gone."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from state import codec

REPO = Path(codec.__file__).parent.parent
VALUES = [
    None,
    True,
    False,
    0,
    -1,
    10**300,
    0.1,
    -2.5e-8,
    1e308,
    "",
    "plain",
    'quote " backslash \\ slash /',
    "controls \0\x01\x1f\x7f\b\f\n\r\t",
    "é ß 漢字 🙂 \u2028\u2029",
    "\ud800 lone \udfff",
    "\udc80 of a file name",
    [],
    {},
    [[], [[]], {}],
    {"": "", "a": {"b": [1, 2.0, None]}, "é": "🙂"},
    list(range(1000)),
    {str(n): n for n in range(1000)},
    "x" * 100_000,
]
TEXTS = {
    b"1": 1,
    b" \t\r\n[1]\n ": [1],
    b"\xef\xbb\xbf{}": {},
    b'"\\u00e9\\ud83d\\ude42"': "é🙂",
    b'"\\ud83d"': "\ud83d",
    b'"tab\there"': "tab\there",
    b'{"a":1,"a":2}': {"a": 2},
    b"[Infinity,-Infinity]": [math.inf, -math.inf],
    b"1e999": math.inf,
    b"-0": 0,
    b"1E2": 100.0,
    b'"\xff"': "\ufffd",
    '"é"'.encode(): "é",
}
GARBAGE = [
    b"",
    b" ",
    b"{",
    b"[1,",
    b"[1}",
    b"nul",
    b"tru",
    b"'a'",
    b'{"a" 1}',
    b"{1:2}",
    b'{"a":1,}',
    b"[1,]",
    b'"half',
    b'"\\x"',
    b'"\\u12"',
    b"01",
    b"+1",
    b"{}{}",
    b"{} x",
    b"\xff\xfe{\0}\0",
    b"\0",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"9" * 5000,
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: ascii(value)[:20])
def test_a_value_comes_back_as_it_went(value):
    line = codec.dumps(value)
    assert codec.loads(line) == value
    assert codec.loads(line.decode()) == value
    assert json.loads(line) == value
    assert line == json.dumps(value, separators=(",", ":")).encode()
    assert b"\n" not in line


@pytest.mark.parametrize(("text", "value"), TEXTS.items())
def test_what_json_texts_mean(text, value):
    assert codec.loads(text) == value


def test_not_a_number_is_read():
    assert math.isnan(codec.loads(b"NaN"))


@pytest.mark.parametrize("text", GARBAGE, ids=lambda text: ascii(text)[:16])
def test_garbage_is_a_value_error(text):
    with pytest.raises(ValueError, match=r"\S"):
        codec.loads(text)


@pytest.mark.parametrize("value", [{1, 2}, b"bytes", object(), {"a": {b"x": 1}}])
def test_what_json_cannot_say_is_a_type_error(value):
    with pytest.raises(TypeError):
        codec.dumps(value)


TELL = """
import sys
sys.path.insert(0, sys.argv[1])
if sys.argv[2] == "without":
    sys.modules["_json"] = None
from state import codec
loaded = "json" in sys.modules
def tried(text):
    try:
        return codec.loads(text)
    except ValueError:
        return "ValueError"
texts, values = eval(sys.stdin.read())
print(ascii([[tried(text) for text in texts], [codec.dumps(value) for value in values], loaded]))
"""


def told(python, way):
    """What that interpreter makes of all texts and values, and whether it needed `json` to be ready."""
    done = subprocess.run(
        [python, "-I", "-S", "-c", TELL, str(REPO), way],
        input=ascii(([*TEXTS, *GARBAGE], VALUES)),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    texts, lines, loaded = eval(done.stdout, {"inf": math.inf})
    return texts, lines, loaded


EXPECTED = ([*TEXTS.values(), *["ValueError"] * len(GARBAGE)], [codec.dumps(value) for value in VALUES])


def test_the_private_interface_is_there_and_needs_no_json():
    assert told(sys.executable, "with") == (*EXPECTED, False)


def test_without_it_json_itself_gives_the_same():
    assert told(sys.executable, "without") == (*EXPECTED, True)


def test_other_interpreters_of_this_machine_give_the_same():
    minors = [f"3.{minor}" for minor in (11, 12, 13, 14) if sys.version_info[1] != minor]
    found = [python for minor in minors for python in Path(sys.base_prefix).parent.glob(f"{minor}.*/bin/python{minor}")]
    assert [told(str(python), "with") for python in found] == [(*EXPECTED, False)] * len(found)
