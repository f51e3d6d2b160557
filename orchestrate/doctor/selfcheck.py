"""The proof of a rung: the user's real client, with our hooks as they are installed, asks a service of ours.

What the service was asked shows whether a hook was heard and whose model a subagent got. Loopback only, and in a home
that exists for this call alone: neither the user's settings nor their login is read or used.
"""

import json
import shutil
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from orchestrate.doctor import client
from orchestrate.doctor.client import World
from orchestrate.doctor.fake_service import Asked, Service
from orchestrate.doctor.scene import Scene
from orchestrate.install import interpreter, shipped
from orchestrate.request import memory, mode, prompt
from orchestrate.request.call import Call
from orchestrate.request.rung import DIRECTIVE, MOD, NONE, REWRITE, SESSION, SUBAGENTS
from state import codec, journal, snapshot
from state.paths import LOG, locate, session_dir

TIMEOUT_S = 20.0
# Work for a small model, asked of a large one: whoever starts the subagent, its model must change.
MAIN_MODEL = "opus"
PROMPT = "Fix typo in README.md"
_SPAWN = {
    "description": "Fix a typo",
    "prompt": PROMPT,
    "subagent_type": "general-purpose",
    "run_in_background": False,
}
_LOG_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Proof:
    rung: str
    proven: bool
    why: str


@dataclass(frozen=True, slots=True)
class SelfCheck:
    live: str  # the strongest rung that was proven
    proofs: list[Proof]
    took_s: float
    runs: int


class Run(NamedTuple):
    """What one run of the client left: what it asked, and what our hooks recorded."""

    asked: list[Asked]
    strangers: int
    events: list[dict[str, object]]
    nonce: str
    said: str
    problem: str


def prove(scene: Scene, timeout_s: float = TIMEOUT_S) -> SelfCheck:
    started = time.monotonic()
    hindered = _hindrance(scene)
    if hindered:
        return SelfCheck(NONE, [Proof(rung, False, hindered) for rung in (MOD, REWRITE, DIRECTIVE)], 0.0, 0)
    runs = [_run(scene, timeout_s, with_mod=True)]
    has_mod = bool(scene.plugin and scene.plugin.modules)
    if has_mod and runs[0].asked:  # the mod stands before the rung below it
        runs.append(_run(scene, timeout_s, with_mod=False))
    proofs = [judge_mod(runs[0], mode.ceiling(scene.values)) if has_mod else Proof(MOD, False, "no mod is installed")]
    proofs += [judge_rewrite(runs[-1]), judge_directive(runs[-1])]
    live = next((proof.rung for proof in proofs if proof.proven), NONE)
    return SelfCheck(live, proofs, round(time.monotonic() - started, 2), len(runs))


def judge_directive(run: Run) -> Proof:
    if any(f"[orchestrate {run.nonce}]" in asked.text for asked in run.asked if not asked.is_agent):
        return Proof(DIRECTIVE, True, "the model was told, with this session's mark")
    decided = _payload(run, "orchestration.prompt.decided")
    if decided is None:
        return Proof(DIRECTIVE, False, _unheard(run) or "the hook for prompts did not run")
    return Proof(DIRECTIVE, False, f"the hook ran ({decided.get('rung_reason')}), but the model was not told")


def judge_rewrite(run: Run) -> Proof:
    return _judge_spawn(run, REWRITE)


def judge_mod(run: Run, ceiling: str) -> Proof:
    spawns = _judge_spawn(run, MOD, with_parent=ceiling == SESSION)
    decided = _payload(run, "orchestration.prompt.decided") or {}
    wanted = decided.get("main_model")
    if not spawns.proven or ceiling != SESSION or not isinstance(wanted, str):
        return spawns
    served = [asked.model for asked in run.asked if not asked.is_agent and _is(asked.model, wanted)]
    if served:
        return Proof(MOD, True, f"{spawns.why}; the main thread on {served[0]}")
    return Proof(MOD, False, f"{spawns.why}; the main thread stayed as it was, {wanted} was decided")


def _judge_spawn(run: Run, rung: str, with_parent: bool = False) -> Proof:
    """Proven when the subagent asked for the decided model, although its parent did not.

    `with_parent`: the parent may have been moved to that model as well.
    """
    ruled = _payload(run, "orchestration.spawn.requested")
    if ruled is None:
        return Proof(rung, False, _unheard(run) or "the hook for spawns did not run")
    if ruled.get("rung") != rung:
        return Proof(rung, False, f"the hook chose {ruled.get('rung')}: {ruled.get('rung_reason')}")
    wanted = str(ruled.get("model_set"))
    served = sorted({asked.model for asked in run.asked if asked.is_agent})
    if not served:
        return Proof(rung, False, f"{wanted} was decided, and the client started no subagent")
    if not all(_is(model, wanted) for model in served):
        return Proof(rung, False, f"{wanted} was decided, and the subagent asked for {', '.join(served)}")
    if not with_parent and any(_is(asked.model, wanted) for asked in run.asked if not asked.is_agent):
        return Proof(rung, False, f"{wanted} was decided, but the main thread runs on it too, so nothing is shown")
    return Proof(rung, True, f"{wanted} was decided, and the subagent asked for {served[0]}")


def _is(model: str, wanted: str) -> bool:
    return model == wanted or memory.tier_of(model) == wanted


def _unheard(run: Run) -> str:
    """Why nothing of ours was seen, as far as the client's own end tells."""
    if run.strangers:
        return "the client used a credential that is not the check's own: it was turned away"
    if run.asked:
        return ""
    told = run.problem or (f"it said {run.said!r}" if run.said else "it said nothing")
    return f"the client asked for no message: {told}"


def _payload(run: Run, kind: str) -> dict[str, object] | None:
    found = [event.get("payload") for event in run.events if event.get("type") == kind]
    return found[0] if found and isinstance(found[0], dict) else None


def _hindrance(scene: Scene) -> str:
    if scene.client.path is None:
        return f"{scene.client.program} is not in PATH"
    if scene.client.problem:
        return f"{scene.client.path}: {scene.client.problem}"
    if not scene.own and not scene.plugin:
        return "no hooks are installed"
    return ""


def _run(scene: Scene, timeout_s: float, with_mod: bool) -> Run:
    session = str(uuid.uuid4())
    with client.world(scene.env) as here, closing(Service(client.KEY, _SPAWN)) as service:
        ceiling = SESSION if with_mod and mode.ceiling(scene.values) == SESSION else SUBAGENTS
        here.env.update(ANTHROPIC_BASE_URL=service.url, ORCHESTRATOR_ENFORCEMENT=ceiling)
        argv = [str(scene.client.path), "-p", "--model", MAIN_MODEL, "--session-id", session]
        ran = client.run([*argv, *_hooks(scene, here, with_mod)], here, PROMPT, timeout_s)
        events, nonce = _recorded(here, session)
        return Run([*service.asked], service.strangers, events, nonce, ran.said, ran.problem)


def _hooks(scene: Scene, here: World, with_mod: bool) -> list[str]:
    """As they are installed: the plugin's folder, or the very groups that stand in the settings."""
    if scene.recorded:
        record = here.home / ".orchestrator/install" / interpreter.NAME
        record.parent.mkdir(parents=True)
        record.write_bytes(interpreter.line(scene.recorded))
    if scene.plugin:
        return ["--plugin-dir", str(scene.plugin.folder if with_mod else _without_mod(scene.plugin.folder, here))]
    shutil.copytree(shipped.folder(shipped.here().home) / "agents", here.config / "agents")
    hooks: dict[str, list[object]] = {}
    for _, hook in scene.own:
        matcher = {} if hook.matcher is None else {"matcher": hook.matcher}
        group = {**matcher, "hooks": [hook.handler]}
        if group not in hooks.setdefault(hook.event, []):  # the client runs equal lines once
            hooks[hook.event].append(group)
    file = here.home / "settings.json"
    file.write_text(json.dumps({"hooks": hooks}))
    return ["--settings", str(file)]


def _without_mod(folder: Path, here: World) -> Path:
    copy = here.home / "plugin"
    shutil.copytree(folder, copy)
    for file in copy.rglob("hooks.json"):
        declared = json.loads(file.read_bytes())
        declared.pop("modules", None)
        file.write_text(json.dumps(declared))
    return copy


def _recorded(here: World, session: str) -> tuple[list[dict[str, object]], str]:
    place = locate(str(here.project), here.env)
    call = Call({}, here.env, place, snapshot.read(place, here.env), session, time.time())
    lines = journal.tail(f"{session_dir(place, session)}/{LOG}", _LOG_BYTES)
    return [*_events(lines)], prompt.nonce(call)


def _events(lines: Sequence[bytes]) -> Iterator[dict[str, object]]:
    for line in lines:
        event = codec.loads(line)
        if isinstance(event, dict):
            yield event
