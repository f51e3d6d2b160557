import pytest

from state.errors import UserError
from state.store.address import check, shown


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://me@db.example.org:5433/tools", "postgresql://me@db.example.org:5433/tools"),
        ("postgresql://me:s3cret@host/x", "postgresql://me@host/x"),
        ("postgresql://me:s3/cr#et@host/x", "postgresql://..."),
        ("postgresql://me:s3/cret@host/x", "postgresql://me@host/x"),
        ("postgresql://me:s3@cret@host/x", "postgresql://me@host/x"),
        ("postgresql://me:s3?cret@host/x", "postgresql://..."),
        ("postgresql://host/x?password=s3cret", "postgresql://host/x"),
        ("postgresql://host/x?password=s3@cret", "postgresql://..."),
        ("postgresql:///x?host=/run/postgresql", "postgresql:///x"),
        ("s3cret", "it"),
    ],
)
def test_a_url_is_shown_without_its_password(url, said):
    assert shown(url) == said


@pytest.mark.parametrize("url", ["", "mysql://h/x", "postgresql:h", "postgresql://h:port/x", "postgresql://\udcff@h/x"])
def test_what_is_no_url_of_a_database_is_told(url):
    with pytest.raises(UserError, match=r"is no URL of a database: expected postgresql://user@host/database$"):
        check(url)
