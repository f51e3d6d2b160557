import pytest

from orchestrate.memory import vector_table
from orchestrate.memory.vector_table import FILE, nearness, table, vector


def test_the_table_is_small():
    assert FILE.stat().st_size < 1 << 20
    assert (table().dimensions, len(table().words) > 10_000) == (96, True)


@pytest.mark.parametrize(
    ("text", "near", "far"),
    [
        ("password", "authentication", "banana"),
        ("error", "failure", "holiday"),
        ("delete the file", "remove a document", "play the guitar"),
        ("databaseBackup", "database backup", "night train"),
    ],
)
def test_what_means_the_same_is_nearer(text, near, far):
    assert nearness(vector(text), vector(near)) > nearness(vector(text), vector(far)) + 0.1


def test_a_text_is_nearest_to_itself():
    assert nearness(vector("a login failed"), vector("A LOGIN failed")) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("text", ["", "123 456", "日本語", "\x00\ud800", "{}", "a", "qzx" * 5000])
def test_odd_texts_have_a_vector_or_none(text):
    assert len(vector(text)) in (0, 96)


def test_a_word_is_read_by_its_parts():
    known = table()
    parts = known.entries("reconfigurations")
    assert len(parts) > 1
    assert known.entries("error") == [known.words["error"]]
    assert vector_table.vector("reconfigurations") != b""
