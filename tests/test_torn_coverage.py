"""A process killed while it wrote its coverage costs its own figures and nobody else's."""

import pytest
import torn_coverage
from coverage import CoverageData
from coverage.data import combine_parallel_data
from tiers import some

PAGE = 4096


@pytest.fixture
def whole(tmp_path):
    """Two files of two processes, one of them of many pages."""
    for name, count in (("one", 1), ("two", 60)):
        data = CoverageData(str(tmp_path / f".coverage.{name}"))
        data.add_arcs({f"/{name}/{number}.py": {(line, line + 1) for line in range(200)} for number in range(count)})
        data.close()
    return tmp_path


@pytest.mark.parametrize("kept", some([b"", b"SQLite format 3\0", slice(0, PAGE), slice(0, 5 * PAGE), slice(PAGE)], 2))
def test_what_is_torn_is_left_out(whole, kept):
    two = whole / ".coverage.two"
    content = two.read_bytes()
    start = content[kept] if isinstance(kept, slice) else kept
    two.write_bytes(start)
    assert torn_coverage.drop(whole) == [two]
    assert measured(whole) == {"/one/0.py"}


def test_a_page_that_was_never_written(whole):
    two = whole / ".coverage.two"
    content = two.read_bytes()
    assert len(content) > 30 * PAGE
    two.write_bytes(content[: 30 * PAGE] + bytes(PAGE) + content[31 * PAGE :])
    assert torn_coverage.drop(whole) == [two]
    assert measured(whole) == {"/one/0.py"}


def test_what_is_whole_stays(whole):
    assert torn_coverage.drop(whole) == []
    assert len(measured(whole)) == 61


def measured(folder):
    data = CoverageData(str(folder / ".coverage"))
    combine_parallel_data(data, strict=True)
    return data.measured_files()
