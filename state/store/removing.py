"""The one way in which events leave the store: out of the index first, which needs the rows to know what to take."""

from collections.abc import Sequence

from state.store.engine import Engine


def remove_before(engine: Engine, ts: str) -> int:
    """Within a transaction of the caller's. The number of events removed."""
    engine.run("unindex_events_before", (ts,))
    engine.run("forget_vectors_before", (ts,))
    return engine.run("forget_events_before", (ts,))


def remove(engine: Engine, seqs: Sequence[int]) -> int:
    """As `remove_before`."""
    keys = [(seq,) for seq in seqs]
    engine.many("unindex_event", keys)
    engine.many("forget_vector", keys)
    return engine.many("forget_event", keys)
