"""The user's own rules for routing, as they were compiled last, over a decision. Only loaded where there are any."""

from routing import own_rules
from state import codec, snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestrate.request.call import Call
    from routing.routing_core import Decision, Situation
    from state.paths import Place


def over(
    call: "Call", prompt: str, situation: "Situation", decision: "Decision", scope: str = own_rules.ALL
) -> "Decision":
    kept = codec.load(snapshot.rules_file(call.place))
    if kept.get("sources") != [snapshot.stamp(path) for path in snapshot.rules_paths(call.place)]:
        from orchestrate.request import refresh  # few prompts find that

        call.settings.stale = True
        refresh.start(call)
    own = _own(kept, call.place, call.text("cwd"))
    return own_rules.over(decision, prompt, situation, own, scope) if own else decision


def known(place: "Place", folder: str) -> own_rules.Own | None:
    """As they were compiled last."""
    return _own(codec.load(snapshot.rules_file(place)), place, folder)


def _own(kept: dict[str, object], place: "Place", folder: str) -> own_rules.Own | None:
    """Without a folder of the user's own the compiled file may have come with the repository: it says nothing."""
    if place.user is None or kept.get("v") != own_rules.VERSION:
        return None
    bases = (place.root, folder) if folder.startswith("/") else (place.root,)
    return own_rules.Own(kept, bases)
