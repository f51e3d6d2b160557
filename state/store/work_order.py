"""What has to be done before what."""

from collections.abc import Iterator, Mapping, Sequence


def cycle(needs: Mapping[str, Sequence[str]]) -> list[str]:
    """One whole, from an item back to itself; empty where there is none. What is no key of `needs` needs nothing."""
    finished: set[str] = set()
    for start in needs:
        path: dict[str, Iterator[str]] = {} if start in finished else {start: iter(needs[start])}
        while path:
            here = next(reversed(path))
            there = next((name for name in path[here] if name not in finished), None)
            if there is None:
                finished.add(here)
                path.popitem()
            elif there in path:
                names = [*path]
                return [*names[names.index(there) :], there]
            else:
                path[there] = iter(needs.get(there, ()))
    return []
