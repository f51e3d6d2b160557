import pytest

from state import command_line

SHELL = "no shell runs this, and {} needs one: write sh -c '...' around all of it, or quote it where it is an argument"


def refused(read, text):
    with pytest.raises(ValueError) as caught:
        read(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        (" \n", []),
        ("pytest -q", ["pytest", "-q"]),
        ("pytest -q 'a b'\n", ["pytest", "-q", "a b"]),
        ("sh -c 'make && make test > log'", ["sh", "-c", "make && make test > log"]),
        ('sh -c "echo $(id) | wc; echo \\"`id`\\""', ["sh", "-c", 'echo $(id) | wc; echo "`id`"']),
        ("grep 'a'\\''|' \\| \\; \\$(x\\)", ["grep", "a'|", "|", ";", "$(x)"]),
        ("echo $HOME *.py (a) {b} # c", ["echo", "$HOME", "*.py", "(a)", "{b}", "#", "c"]),
        ("make 'one\ntwo' \"three\nfour\"", ["make", "one\ntwo", "three\nfour"]),
        ("pytest -q \\\n  --maxfail=1\n", ["pytest", "-q", "--maxfail=1"]),
        ("pytest -q\n  --maxfail=1\n", ["pytest", "-q", "--maxfail=1"]),
        ("env CI=1 pytest a=b", ["env", "CI=1", "pytest", "a=b"]),
    ],
)
def test_a_command_line_is_a_program_and_its_arguments(text, words):
    assert command_line.words(text) == words


@pytest.mark.parametrize(
    ("text", "operator"),
    [
        ("a | b", "|"),
        ("a|b", "|"),
        ("a || b", "||"),
        ("a && b", "&&"),
        ("a; b", ";"),
        ("a &", "&"),
        ("a > f", ">"),
        ("a 2>&1", ">"),
        ("a < f", "<"),
        ("a $(x)", "$("),
        ("a `x`", "`"),
        ("a 'b' \"c\" > f", ">"),
        ("a \\\\| b", "|"),
        ("make\nmake test\n", "a second line"),
    ],
)
def test_what_only_a_shell_understands_is_refused_with_the_way_out(text, operator):
    assert refused(command_line.words, text) == SHELL.format(operator)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("CI=1 pytest -q", "CI=1 is no program: write env CI=1 pytest -q"),
        ("cd sub", "cd is over when it has ended: write sh -c 'cd ... && ...'"),
        ("cd sub && pytest", "cd is over when it has ended: write sh -c 'cd ... && ...'"),
    ],
)
def test_what_a_shell_does_itself_is_no_program(text, message):
    assert refused(command_line.chained, text) == message


@pytest.mark.parametrize("text", ["make 'x", 'make "x', "make | 'x"])
@pytest.mark.parametrize("read", [command_line.words, command_line.chained])
def test_a_quote_that_is_open_is_told(read, text):
    assert refused(read, text) == "no closing quotation: quote it as for a shell"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("pytest -q", [["pytest", "-q"]]),
        ("ruff check . && pytest -q 'a b'", [["ruff", "check", "."], ["pytest", "-q", "a b"]]),
        ("ruff check .&&pytest", [["ruff", "check", "."], ["pytest"]]),
        ("ruff check . &&\n  pytest\n", [["ruff", "check", "."], ["pytest"]]),
        ("echo '&&' \"a && b\"", [["echo", "&&", "a && b"]]),
    ],
)
def test_commands_are_chained_by_an_operator_that_nobody_has_quoted(text, expected):
    assert command_line.chained(text) == expected


@pytest.mark.parametrize("text", ["a &&", "&& b", "a && && b", "&&"])
def test_a_command_that_is_missing_is_told(text):
    assert refused(command_line.chained, text) == "a command is missing beside a &&"


@pytest.mark.parametrize(
    ("text", "operator"), [("a && b | c", "|"), ("a > f && b", ">"), ("a || b", "||"), ("a \\&& b", "&")]
)
def test_of_a_chain_each_command_runs_without_a_shell(text, operator):
    with pytest.raises(ValueError) as caught:
        command_line.chained(text)
    assert str(caught.value) == SHELL.format(operator)


def test_a_long_command_line_is_read_in_no_time():
    words = ["word"] * 10_000
    assert command_line.words(" ".join(words)) == words
