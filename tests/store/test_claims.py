"""Claims on anything, the same on every engine: files and tasks as well as work."""

import pytest

from state.errors import REFUSED, USAGE, UserError
from state.telling import Teller


def silent(_taking):
    return []


def take(queue, owner, *keys, kind="file", ttl_s=60.0):
    return queue.claims.take(kind, keys, owner, ttl_s, silent)


def test_all_that_is_asked_for_or_nothing_and_what_stands_in_the_way(queue):
    first = take(queue, "a", "x.py", "y.py")
    assert [(claim.key, claim.owner, claim.token) for claim in first.claims] == [("x.py", "a", 1), ("y.py", "a", 1)]
    second = take(queue, "b", "y.py", "z.py")
    assert (second.claims, [claim.owner for claim in second.conflicts]) == ((), ["a"])
    assert queue.claims.find("file", "z.py") is None
    assert [claim.key for claim in queue.claims.held("file")] == ["x.py", "y.py"]


def test_the_same_owner_asks_in_vain_too(queue):
    take(queue, "a", "x.py")
    assert take(queue, "a", "x.py").claims == ()


def test_kinds_do_not_meet(queue):
    assert [take(queue, "a", "k", kind=kind).claims[0].token for kind in ("work", "task", "file")] == [1, 1, 1]


@pytest.mark.parametrize(("kind", "keys"), [("lock", ["a"]), ("file", [])])
def test_what_is_no_claim_is_refused(queue, kind, keys):
    with pytest.raises(UserError) as caught:
        queue.claims.take(kind, keys, "a", 60, silent)
    assert caught.value.code == USAGE


def test_a_token_only_grows(queue):
    tokens = []
    for _ in range(3):
        (claim,) = take(queue, "a", "x.py").claims
        tokens.append(claim.token)
        queue.claims.release("file", "x.py", claim.token, [])
        tokens.append(take(queue, "b", "x.py", ttl_s=5).claims[0].token)
        queue.clock.move(5)
    assert tokens == [1, 2, 3, 4, 5, 6]


def test_after_an_hour_it_is_anothers_and_a_minute_before_not(queue):
    take(queue, "a", "TSK-001", kind="task", ttl_s=3600)
    queue.clock.move(3540)
    assert take(queue, "b", "TSK-001", kind="task").claims == ()
    queue.clock.move(60)
    found = take(queue, "b", "TSK-001", kind="task")
    assert ([claim.owner for claim in found.claims], [claim.owner for claim in found.expired]) == (["b"], ["a"])


def test_a_claim_is_renewed_and_released_by_its_token_alone(queue):
    take(queue, "a", "x.py")
    queue.clock.move(50)
    assert queue.claims.renew("file", "x.py", 1, 60).expires_at == "2026-11-21T10:01:50.000Z"
    for call in (
        lambda: queue.claims.renew("file", "x.py", 2, 60),
        lambda: queue.claims.release("file", "x.py", 2, []),
    ):
        with pytest.raises(UserError) as caught:
            call()
        assert (caught.value.code, str(caught.value)) == (REFUSED, "x.py: token 2 was never given: the last is 1")
    assert queue.claims.release("file", "x.py", 1, []).owner == "a"
    assert queue.claims.held("file") == []


def test_what_a_claim_tells_is_kept_with_it(queue):
    teller = Teller("user", "-", "c")

    def tell(taking):
        names = [claim.key for claim in taking.claims]
        return [teller.event("orchestration.claim.taken", ("claim", name), {}) for name in names]

    queue.claims.take("file", ["x.py"], "a", 60, tell)
    queue.claims.take("file", ["x.py"], "b", 60, tell)
    told = [event.entity_id for _, event in queue.store.sinks.after(0, 10)]
    assert told == ["x.py"]


def test_a_key_of_any_length_is_one_key(queue):
    long = "d/" * 3000
    assert take(queue, "a", long).claims
    assert take(queue, "b", long).claims == ()
    assert queue.claims.renew("file", long, 1, 60).token == 1


def test_a_claim_of_another_maker_does_not_stop_the_queue(queue):
    queue.add("A")
    take(queue, "a", "elsewhere", kind="work", ttl_s=5)
    queue.clock.move(5)
    assert queue.take().item.id == "A"
