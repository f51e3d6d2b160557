"""What this machine, this project and this session mean for the rungs: the facts that the rules judge."""

from collections.abc import Iterator
from pathlib import Path

from orchestrate.doctor import layers, models, rungs
from orchestrate.doctor.layers import MANAGED
from orchestrate.doctor.rungs import Facts, Ladder
from orchestrate.doctor.scene import Scene
from orchestrate.install import status
from orchestrate.request import fuse, mode
from orchestrate.request.rung import AUTO
from state import codec, journal, sessions
from state.paths import LOG, session_dir

GUARDS = ("cc-plugin-sec-default@builtin", "sec-default@builtin")
ONLY_MANAGED_MODS = "allowManagedModsOnly"
_SWITCHES = ("disableAllHooks", "allowManagedHooksOnly")
_LAST_BYTES = 65_536


def ladder(scene: Scene) -> Ladder:
    return rungs.ladder(facts(scene))


def facts(scene: Scene) -> Facts:
    events = {hook.event for _, hook in scene.own}
    plugin = scene.plugin
    return Facts(
        silent=next(silenced(scene), ""),
        form=rungs.PLUGIN if plugin else rungs.SETTINGS,
        has_mod=bool(plugin and plugin.modules),
        version=scene.client.version,
        barred=mods_barred(scene),
        ceiling=mode.ceiling(scene.values),
        permission_mode=permission_mode(scene),
        hears_prompts=bool(plugin) or "UserPromptSubmit" in events,
        hears_spawns=bool(plugin) or "PreToolUse" in events,
        forced=models.forced(scene),
        blown=blown(scene),
    )


def silenced(scene: Scene) -> Iterator[str]:
    """Why no hook of ours is heard, weightiest first."""
    yield from switches(scene)
    if not scene.own and not scene.plugin:
        yield "no hooks are installed"
    elif not any(runs.is_there for runs in scene.interpreters):
        yield "what the hooks start is gone"


def switches(scene: Scene) -> list[str]:
    """Every switch that silences our hooks; what an organisation's server or profile says is in no survey of files."""
    found = status.silencing(scene.env, scene.seen, scene.values, scene.origins)
    known = {sighting.path for sighting in scene.seen}
    beyond = [layer for layer in scene.layers if layer.scope == MANAGED and layer.path not in known]
    return found + [
        f"{name} in {layer.path}" for layer in beyond for name in _SWITCHES if layer.values.get(name) is True
    ]


def mods_barred(scene: Scene) -> str:
    """What keeps a user's mod out while classic hooks run."""
    for layer in scene.layers:
        for guard in GUARDS if layer.scope == MANAGED else ():
            if layer.record("pluginConfigs", guard, "options").get(ONLY_MANAGED_MODS) is True:
                return f"{ONLY_MANAGED_MODS} in {layer.path}"
    return ""


def permission_mode(scene: Scene) -> str:
    """Of the client's settings, else of the last prompt that somebody typed; empty when neither tells."""
    # The client takes `auto` from no file that a repository can bring along.
    told = [
        layer
        for layer in scene.layers
        if layer.scope in ("user", MANAGED) or layer.record("permissions").get("defaultMode") != AUTO
    ]
    found = layers.strongest(told, "permissions", "defaultMode")
    if found:
        return "default" if found[0] == "manual" else str(found[0])
    return _last_mode(scene)


def blown(scene: Scene) -> frozenset[str]:
    """The rungs that the session which started last has switched off."""
    folder = current(scene)
    return fuse.kept(str(folder)).blown if folder else frozenset()


def current(scene: Scene) -> Path | None:
    """The folder of the session that is meant where nobody names one."""
    name = sessions.choose(scene.place, None, scene.env)
    folder = Path(session_dir(scene.place, name)) if name else None
    return folder if folder and folder.is_dir() else None


def _last_mode(scene: Scene) -> str:
    folder = current(scene)
    for line in reversed(journal.tail(str(folder / LOG), _LAST_BYTES) if folder else []):
        try:
            event = codec.loads(line)
        except ValueError:  # torn by a crash
            continue
        payload = event.get("payload") if isinstance(event, dict) else None
        if isinstance(payload, dict) and payload.get("context") == "interactive":
            return str(payload.get("permission_mode") or "")
    return ""
