"""Which rows of a table that is dear to run belong to the default run; `make test` takes them all."""

import pytest


def some(rows, chosen):
    """Marked slow, but for the first few (a number) or those that begin with a value of `chosen`. A tuple is a row of
    several values."""
    marked = []
    for number, row in enumerate(rows):
        values = row if type(row) is tuple else (row,)  # a record is one value
        is_quick = number < chosen if isinstance(chosen, int) else values[0] in chosen
        marked.append(pytest.param(*values, marks=() if is_quick else pytest.mark.slow))
    return marked
