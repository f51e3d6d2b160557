"""Tasks as the tests of phases make them, and what was told of them."""

from state.store.task_records import Task


def made(code="TSK-1", **metadata):
    said = {"acceptance_criteria": ["it works"], "tags": ["a"], "estimated_effort": "1h", **metadata}
    return Task(code, "t", "d", None, "pending", "P2", said, "2026-11-21T10:00:00.000Z", "2026-11-21T10:00:00.000Z")


def types(store):
    """The types of all events, in their order."""
    return [event.type for _, event in store.sinks.after(0, 10_000)]
