"""A rung that fails three times in a row is switched off for the session, which is said once."""

from orchestrate.request import live
from orchestrate.request.call import Call
from state import codec

FAILURES = 3
RUNGS = ("mod", "rewrite")
_SAID = {
    "mod": "the model decided was not the one that served, three times in a row: the mod is left alone",
    "rewrite": "an agent did not get the model decided, three times in a row: spawns are left alone",
}


class Fuses:
    __slots__ = ("rungs",)

    def __init__(self, rungs: dict[str, dict[str, object]]) -> None:
        self.rungs = rungs

    @property
    def blown(self) -> frozenset[str]:
        return frozenset(name for name, rung in self.rungs.items() if rung.get("blown") is True)

    def news(self) -> list[str]:
        """The rungs that nobody was told of."""
        return [name for name in RUNGS if name in self.blown and self.rungs[name].get("told") is not True]


def read(call: Call) -> Fuses:
    return kept(live.folder(call))


def kept(folder: str) -> Fuses:
    """Those of the session whose folder it is."""
    rungs = codec.load(f"{folder}/{live.FUSES}")
    known = {name: rungs.get(name) for name in RUNGS}
    return Fuses({name: rung for name, rung in known.items() if isinstance(rung, dict)})


def note(call: Call, name: str, is_well: bool) -> bool:
    """Counts an outcome of the rung; whether the fuse blew with it."""
    fuses = read(call)
    rung = fuses.rungs.get(name, {})
    counted = rung.get("failures")
    failures = counted if isinstance(counted, int) else 0
    if rung.get("blown") is True or (is_well and not failures):
        return False
    failures = 0 if is_well else failures + 1
    is_blown = failures >= FAILURES
    _write(call, fuses, name, {"failures": failures, "blown": is_blown, "told": False})
    return is_blown


def tell(call: Call) -> str:
    """What the user is to read about blown fuses, once."""
    fuses = read(call)
    news = fuses.news()
    for name in news:
        _write(call, fuses, name, {**fuses.rungs[name], "told": True})
    return "; ".join(f"orchestrate: {_SAID[name]} for the rest of this session (`orchestrate doctor`)" for name in news)


def _write(call: Call, fuses: Fuses, name: str, rung: dict[str, object]) -> None:
    fuses.rungs[name] = rung
    live.keep(call, live.FUSES, fuses.rungs)
