"""Checks of the hooks: whether they are there, start, are heard, and are alone; and how the last ones fared."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import orchestrate
from orchestrate import hookline
from orchestrate.doctor import finding, layers, standing
from orchestrate.doctor.finding import Finding
from orchestrate.doctor.layers import MANAGED, Hook
from orchestrate.doctor.machine import PYTHON_SINCE
from orchestrate.doctor.scene import Scene
from orchestrate.install import shipped, status
from orchestrate.install.interpreter import Interpreter
from orchestrate.request import fuse
from orchestrate.request.faults import FILE as ERRORS
from state import codec, journal, redact

SPAWN_TOOLS = ("Agent", "Task", "Workflow")
_ASK_S = 10.0
_DAY_S = 86_400.0
_LAST_BYTES = 65_536
_MATCHES = {None: "every tool", "": "every tool", "*": "every tool"}
_PROBE = """\
import sys
sys.path.insert(0, sys.argv[1])
import orchestrate.entry
print("%d.%d.%d" % sys.version_info[:3], orchestrate.__version__)
"""


def installed(scene: Scene) -> Iterator[Finding]:
    problems = [scene.lost] if scene.lost else status.problems(scene.seen, scene.recorded)
    for problem in problems:
        fact, _, remedy = problem.rpartition(": ")
        yield finding.fail("hooks", fact, remedy)
    for layer in dict.fromkeys(layer.path for layer, _ in scene.own):
        ours = [hook for each, hook in scene.own if each.path == layer]
        missing = [event for event in hookline.EVENTS if event not in {hook.event for hook in ours}]
        if missing or not all(status.is_current(str(hook.handler["command"])) for hook in ours):
            lacking = f", without {', '.join(missing)}" if missing else ""
            fact = f"{len(ours)} in {layer}, of another version or place{lacking}"
            yield finding.warn("hooks", fact, "`orchestrate install` brings them up to date")
        else:
            yield finding.ok("hooks", f"{len(ours)} in {layer}")
    if scene.plugin and not problems:
        mod = "with the mod" if scene.plugin.modules else "without a mod"
        yield finding.ok("hooks", f"plugin {scene.plugin.name}, {mod}, in {scene.plugin.folder}")


def starts(scene: Scene) -> Iterator[Finding]:
    """Start each interpreter as a hook is started; -B, so that not even a cache is written."""
    for runs in dict.fromkeys(scene.interpreters):
        if runs.is_there:
            yield _probed(runs)


def _probed(runs: Interpreter) -> Finding:
    remedy = "`orchestrate install` records one that works"
    argv = [runs.python, "-I", "-S", "-B", "-c", _PROBE, runs.home]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, errors="replace", timeout=_ASK_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return finding.fail("interpreter", f"{runs.python}: {error}", remedy)
    words = done.stdout.split()
    if done.returncode or len(words) != len(("python", "orchestrate")):
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return finding.fail("interpreter", f"{runs.python}: the hooks are silent: {last}", remedy)
    fact = f"Python {words[0]}, orchestrate {words[1]}: {runs.python}, {runs.home}"
    if tuple(map(int, words[0].split("."))) < PYTHON_SINCE:
        return finding.fail("interpreter", fact, remedy)
    return finding.ok("interpreter", fact)


def versions(scene: Scene) -> Iterator[Finding]:
    """Hooks of one version and commands of another read each other's files."""
    home = shipped.here().home
    strange = [runs for runs in dict.fromkeys(scene.interpreters) if runs.is_there and runs.home != home]
    for runs in strange:
        yield finding.warn(
            "versions",
            f"the hooks run the orchestrate in {runs.home}, and this is the one in {home}",
            "`orchestrate install` with the one that you want to keep",
        )
    commands = _on_path(scene)
    if len(commands) > 1:
        remedy = "keep one of them, or put it first in PATH"
        yield finding.warn("versions", f"{len(commands)} in PATH: {', '.join(commands)}", remedy)
    elif not strange:
        yield finding.ok("versions", f"one: {orchestrate.__version__} in {home}")


def _on_path(scene: Scene) -> list[str]:
    """The commands named `orchestrate`, each once however many links lead to it."""
    folders = scene.env.get("PATH", os.defpath).split(os.pathsep)
    found = [command for folder in folders if folder and (command := shutil.which("orchestrate", path=folder))]
    return list({os.path.realpath(command): command for command in reversed(found)}.values())[::-1]


def foreign(scene: Scene) -> Iterator[Finding]:
    """The client runs all hooks of a call at once and takes the rewrite that comes last."""
    others = [*_others(scene)]
    for hook, where in others:
        remedy = "if it rewrites the call as well, which rewrite counts is left to chance: keep one"
        tools = _MATCHES.get(hook.matcher, hook.matcher)
        yield finding.warn("other hooks", f"{_named(hook)} in {where} also runs before {tools}", remedy)
    mods = [plugin for plugin in scene.plugins if plugin.modules and not plugin.is_ours]
    for plugin in mods:
        remedy = "if it sets models as well, the outer one counts: keep one"
        yield finding.warn("other hooks", f"the plugin {plugin.name} brings a mod", remedy)
    if not others and not mods:
        yield finding.ok("other hooks", "none that could change a spawn")


def _others(scene: Scene) -> Iterator[tuple[Hook, str]]:
    tables = [(layer.values.get("hooks"), str(layer.path)) for layer in scene.layers]
    tables += [(plugin.hooks, f"the plugin {plugin.name}") for plugin in scene.plugins if not plugin.is_ours]
    for table, where in tables:
        for hook in layers.hooks(table):
            if hook.event == "PreToolUse" and not hook.is_ours and hook.is_for(SPAWN_TOOLS):
                yield hook, where


def _named(hook: Hook) -> str:
    told = hook.handler.get("command") or hook.handler.get("url") or hook.handler.get("type") or "a hook"
    text = " ".join(redact.redact(str(told)).split())
    return f"`{text if len(text) <= 60 else text[:57] + '...'}`"


def silenced(scene: Scene) -> Iterator[Finding]:
    switches = standing.switches(scene)
    for switch in switches:
        yield finding.warn("switches", f"{switch}: the hooks are silent", "take it back to use them")
    if not switches:
        yield finding.ok("switches", "none that silences the hooks")


def managed(scene: Scene) -> Iterator[Finding]:
    """What the organisation lays down is read, and nothing else."""
    theirs = [layer for layer in scene.layers if layer.scope == MANAGED]
    barred = standing.mods_barred(scene)
    if barred:
        yield finding.warn("managed", f"{barred}: the mod is kept out", "ask those who manage this machine")
    yield from (
        finding.warn("managed", layer.error, "ask those who manage this machine") for layer in theirs if layer.error
    )
    if not barred and not any(layer.error for layer in theirs):
        files = ", ".join(str(layer.path) for layer in theirs)
        yield finding.ok("managed", f"nothing against hooks or mods in {files}" if files else "no managed settings")


def errors(scene: Scene) -> Iterator[Finding]:
    """The newest failure that a hook recorded of itself."""
    folders = [folder for folder in (scene.place.state, scene.place.user) if folder]
    last = max((entry for folder in folders if (entry := _last_error(folder))), default=None)
    if last is None:
        yield finding.ok("hook errors", "none recorded")
        return
    at, told, file = last
    age_s = scene.now - _unix(at)
    if age_s < _DAY_S:
        yield finding.warn("hook errors", f"{told} at {at}", f"{file} tells more; the prompt itself went on")
    else:
        yield finding.ok("hook errors", f"none in the last day; the last at {at}")


def _last_error(folder: str) -> tuple[str, str, str] | None:
    path = f"{folder}/{ERRORS}"
    for line in reversed(journal.tail(path, _LAST_BYTES)):
        try:
            entry = codec.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and _unix(str(entry.get("ts"))):
            return str(entry["ts"]), f"{entry.get('event') or 'a hook'}: {entry.get('error')}", path
    return None


def _unix(stamp: str) -> float:
    try:
        return datetime.fromisoformat(stamp).timestamp()
    except ValueError:
        return 0.0


def fuses(scene: Scene) -> Iterator[Finding]:
    blown = sorted(standing.blown(scene))
    folder = standing.current(scene)
    for rung in blown:
        fact = f"{rung} was switched off in session {Path(folder or '').name}: it failed {fuse.FAILURES} times in a row"
        yield finding.warn("fuse", fact, "a new session begins with it on; --self-check tells whether it works")
    if not blown:
        yield finding.ok("fuse", "none blown" if folder else "no session yet")
