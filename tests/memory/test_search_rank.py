import pytest

from orchestrate.memory.search_rank import Candidate, rank, recency
from orchestrate.memory.search_snippet import marked, snippet
from orchestrate.memory.search_words import has_all
from state.store.search_terms import MOST_TERMS, Term, terms


def scores(texts, query, ages=None):
    ages = ages or [0.0] * len(texts)
    return [
        parts.score
        for parts in rank([Candidate("", text, age, 0) for text, age in zip(texts, ages, strict=True)], terms(query))
    ]


@pytest.mark.parametrize(
    ("better", "worse", "query"),
    [
        ("login failed", "login worked well", "login failed"),
        ("login login login here now", "login once here now yes", "login"),
        ("login", "login " + "and much more " * 50, "login"),
        ("rare", "often", "rare often"),
    ],
)
def test_what_answers_better_comes_first(better, worse, query):
    texts = [better, worse, "often", "often again", "nothing"]
    first, second, *_ = scores(texts, query)
    assert first > second


def test_the_newer_of_two_equal_texts_comes_first():
    old, new = scores(["login", "login"], "login", [20.0, 1.0])
    assert new > old


@pytest.mark.parametrize(("age", "value"), [(-1, 1.0), (0, 1.0), (14, 0.5), (28, 0.25)])
def test_recency_halves(age, value):
    assert recency(age) == value


def test_a_term_in_the_title_counts_twice():
    titled, said = rank([Candidate("login", "", 0, 0), Candidate("", "login", 0, 0)], terms("login"))
    assert (titled.counts, said.counts) == ((2,), (1,))


def test_what_an_index_is_sure_of_counts_once():
    (parts,) = rank([Candidate("", "cut before it", 0, 1)], terms("login more"))
    assert parts.counts == (1, 0)


def test_what_is_near_in_meaning_has_that_for_its_text():
    far, near = rank([Candidate("", "", 0, 0, 0.2), Candidate("", "", 0, 0, 0.9)], terms("login"))
    assert (far.text, near.text) == (0.2, 0.9)


def test_nothing_is_ranked_without_candidates():
    assert rank([], terms("login")) == []


@pytest.mark.parametrize(
    ("query", "made"),
    [
        ("", []),
        ("  \t\n", []),
        ("Login LOGIN", [Term("login", ("login",))]),
        ('"Two  words" x', [Term("two  words", ("two", "words")), Term("x", ("x",))]),
        ("TSK-001", [Term("tsk-001", ("tsk", "001"))]),
        ("--", [Term("--", ())]),
        ('""', []),
        ("cafe\u0301", [Term("caf\u00e9", ("caf\u00e9",))]),
    ],
)
def test_terms(query, made):
    assert terms(query) == made


def test_a_query_has_so_many_terms_at_the_most():
    assert len(terms(" ".join(map(str, range(100))))) == MOST_TERMS


def shown(payload, query):
    return marked(snippet(payload, terms(query), lambda text: text), lambda text: f"[{text}]")


@pytest.mark.parametrize(
    ("payload", "query", "text"),
    [
        ('{"a":"User LOGIN\\nfailed"}', "login fail", '{"a":"User [LOGIN] [fail]ed"}'),
        ('{"a":"say \\"hi\\" \\u001b[2J"}', "hi", '{"a":"say "[hi]" [2J"}'),
        ('{"a":"TSK_001"}', "tsk-001", '{"a":"[TSK_001]"}'),
        ('{"a":"x"}', "nothing", '{"a":"x"}'),
        ("", "x", ""),
        ('{"a":"(x)"}', "(", '{"a":"[(]x)"}'),
        ('{"a":"what a task, cat"}', "a task", '{"[a]":"what [a] [task], cat"}'),
        ('{"a":"say validate date"}', "date", '{"a":"say validate [date]"}'),
        ('{"a":"say validate"}', "idate", '{"a":"say val[idate]"}'),
        ('{"k":"say validate"}', "te", '{"k":"say validate"}'),
    ],
)
def test_a_snippet_shows_where_the_terms_are(payload, query, text):
    assert shown(payload, query) == text


def test_a_snippet_is_the_part_around_the_first_term():
    text = shown("before " * 100 + "login " + "after " * 100, "login")
    assert text.startswith("…") and text.endswith("…") and "[login]" in text and len(text) < 220


@pytest.mark.parametrize(
    ("text", "query", "there"),
    [
        ("the login failed", "LOG fail", True),
        ("the login failed", "ogin", False),
        ("src/app/main.py", "app/main", True),
        ('{"a":"one\\nlogin"}', "login", True),
        ('{"a":"C:\\\\new"}', "new", True),
        ("a -- b", "--", True),
        ("a", "", False),
    ],
)
def test_words_where_no_index_knows(text, query, there):
    assert has_all(text, terms(query)) is there
