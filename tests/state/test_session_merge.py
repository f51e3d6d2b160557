from state.fold import empty
from state.session_merge import merge


def state(session, updated, rows=(), **more):
    made = empty(session, "/p", "2026-01-01T00:00:00Z")
    made["updated_at"] = updated
    made["routing_history"] = [
        {"timestamp": at, "request_hash": digest, "agent": "a", "result": result} for at, digest, result in rows
    ]
    return {**made, **more}


def test_the_newer_state_wins_and_histories_unite():
    old = state(
        "old",
        "2026-01-02T00:00:00Z",
        [("2026-01-01T00:00:01Z", "x", "success"), ("2026-01-01T00:00:03Z", "y", "success")],
        created_at="2025-12-31T00:00:00Z",
        cached_results={
            "k": {"query": "q", "results": [1], "timestamp": "2026-01-05T00:00:00Z"},
            "only": {"query": "q", "results": [], "timestamp": "2026-01-01T00:00:00Z"},
        },
        work_queue=[{"id": "w", "queued_at": "2026-01-01T00:00:00Z", "n": 1}],
        context={"active_files": ["old"], "recent_edits": [], "user_preferences": {}},
    )
    new = state(
        "new",
        "2026-01-02T00:00:00.001Z",
        [("2026-01-01T00:00:03Z", "y", "pending"), ("2026-01-01T00:00:03.500Z", "x", "error")],
        cached_results={"k": {"query": "q", "results": [2], "timestamp": "2026-01-04T00:00:00Z"}},
        work_queue=[{"id": "w", "queued_at": "2026-01-01T00:00:00Z", "n": 2}],
        context={"active_files": ["new"], "recent_edits": [], "user_preferences": {"mode": "auto"}},
    )
    expected = state(
        "new",
        "2026-01-02T00:00:00.001Z",
        [
            ("2026-01-01T00:00:01Z", "x", "success"),
            ("2026-01-01T00:00:03Z", "y", "success"),
            ("2026-01-01T00:00:03.500Z", "x", "error"),
        ],
        created_at="2025-12-31T00:00:00Z",
        cached_results=old["cached_results"],
        work_queue=new["work_queue"],
        context=new["context"],
    )
    expected.pop("fold")
    assert merge(old, new) == merge(new, old) == expected
