"""Two sessions' states as one."""

from state.session_schema import RoutingRow, SessionState


def merge(one: SessionState, other: SessionState) -> SessionState:
    """Histories are united by (timestamp, hash); where both tell of the same thing, the newer state is right."""
    older, newer = sorted((one, other), key=lambda state: _instant(state["updated_at"]))
    merged: SessionState = {
        **newer,
        "created_at": min(one["created_at"], other["created_at"], key=_instant),
        "routing_history": _united(older["routing_history"], newer["routing_history"]),
        "cached_results": {
            key: max(
                (state["cached_results"][key] for state in (older, newer) if key in state["cached_results"]),
                key=lambda found: _instant(found["timestamp"]),
            )
            for key in older["cached_results"] | newer["cached_results"]
        },
        "work_queue": [*{item["id"]: item for item in older["work_queue"] + newer["work_queue"]}.values()],
    }
    merged.pop("fold", None)  # it is the place in one log, and this is of two
    return merged


def _united(older: list[RoutingRow], newer: list[RoutingRow]) -> list[RoutingRow]:
    rows: dict[tuple[str, str], RoutingRow] = {}
    for row in older + newer:
        key = (row["timestamp"], row["request_hash"])
        if key not in rows or row["result"] != "pending":
            rows[key] = row
    return sorted(rows.values(), key=lambda row: _instant(row["timestamp"]))


def _instant(timestamp: str) -> str:
    """Sorts as time does: without its Z, a whole second comes before its fractions."""
    return timestamp.removesuffix("Z")
