import time
from fnmatch import fnmatchcase

import pytest

from orchestrate.memory.wildcard import beginning, matches

PATTERNS = ["", "*", "?", "a*", "*a", "*a*", "a?c", "a**b", "*?*", "a*b*c", "**", "??", "*.?", "abc", "ab*bc"]
TEXTS = ["", "a", "b", "ab", "abc", "aXbXc", "a.b", "cba", "abbc", "aaa", "a*b", "ab.c"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_it_finds_what_a_shell_would(pattern):
    assert [matches(pattern, text) for text in TEXTS] == [fnmatchcase(text, pattern) for text in TEXTS]


@pytest.mark.parametrize("sign", ["[a-z]", ".*", "a+", "(", "\\", "^$"])
def test_no_other_sign_means_anything(sign):
    assert matches(sign, sign)
    assert not matches(sign, "a")


def test_no_pattern_takes_long():
    before = time.process_time()
    assert not matches("*a" * 100, "a" * 99 + "b" * 101)
    assert not matches("a*" * 100 + "b", "a" * 200)
    assert time.process_time() - before < 0.5


@pytest.mark.parametrize(("pattern", "start"), [("api.*", "api."), ("a?b", "a"), ("*", ""), ("abc", "abc"), ("", "")])
def test_what_comes_before_the_first_wildcard(pattern, start):
    assert beginning(pattern) == start
