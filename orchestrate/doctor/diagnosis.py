"""The whole answer: what the checks found, which rungs stand ready and, where it was asked for, the proof."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrate.doctor import checks, scene, selfcheck, standing
from orchestrate.doctor.finding import FAIL, Finding
from orchestrate.doctor.rungs import Ladder
from orchestrate.doctor.selfcheck import TIMEOUT_S, SelfCheck
from orchestrate.request.rung import NONE
from state.paths import Place


@dataclass(frozen=True, slots=True)
class Diagnosis:
    checks: list[Finding]
    rungs: Ladder
    self_check: SelfCheck | None

    @property
    def failures(self) -> list[str]:
        """The checks that failed; a self-check fails when it proves nothing at all, or less than stands ready."""
        failed = [check.name for check in self.checks if check.state == FAIL]
        return failed + (["self-check"] if self.self_check and self.unproven else [])

    @property
    def unproven(self) -> str:
        """What should work and was not seen to work."""
        if self.self_check is None:
            return ""
        if self.self_check.live == NONE:
            return "any rung"
        ready = {step.rung for step in self.rungs.steps if step.state == "available"}
        return ", ".join(proof.rung for proof in self.self_check.proofs if proof.rung in ready and not proof.proven)

    def verdict(self) -> Iterator[str]:
        """For people: the rungs in short, then the proof."""
        ladder = self.rungs
        told = f"main thread: {ladder.main_thread}, subagents: {ladder.subagents}, enforcement: {ladder.ceiling}"
        yield f"live     {ladder.live} ({told})"
        yield from (f"  {step.rung:10} {step.state:10} {step.why}" for step in ladder.steps)
        if proof := self.self_check:
            yield f"proven   {proof.live} (runs of the client: {proof.runs}, {proof.took_s:.1f} s)"
            for each in proof.proofs:
                yield f"  {each.rung:10} {'proven' if each.proven else 'not proven':10} {each.why}"


def diagnose(
    place: Place,
    env: Mapping[str, str],
    with_checks: bool = True,
    with_client: bool = True,
    with_proof: bool = False,
    managed: Path | None = None,
    timeout_s: float = TIMEOUT_S,
) -> Diagnosis:
    """`managed`: the organisation's folder, if not that of this system."""
    found = scene.look(place, env, managed, with_client)
    return Diagnosis(
        checks=checks.run(found) if with_checks else [],
        rungs=standing.ladder(found),
        self_check=selfcheck.prove(found, timeout_s) if with_proof else None,
    )
