"""Checks of what stands above a rung: settings and variables of the client that choose the model after all."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from orchestrate.doctor import finding, layers, rungs
from orchestrate.doctor.finding import Finding
from orchestrate.doctor.scene import Scene

NAME = "models"
TIERS = ("haiku", "sonnet", "opus")
# From this version on it is only a default; an older one let it override what the call named.
_DEFAULT_SINCE = (2, 1, 329)
_MODEL = "CLAUDE_CODE_SUBAGENT_MODEL"
_FORCE = f"{_MODEL}_FORCE"
_ON = ("1", "true", "yes", "on")


def above(scene: Scene) -> Iterator[Finding]:
    found = [*_default(scene), *_renamed(scene), *_gateway(scene), *_allowed(scene)]
    yield from found or [finding.ok(NAME, "nothing stands above the rungs")]


def forced(scene: Scene) -> str:
    """The variables that put every subagent on one model, and where they are set; empty where they do not."""
    named = layers.named(scene.layers, scene.env, _MODEL)
    force = [where for value, where in layers.named(scene.layers, scene.env, _FORCE) if value.lower() in _ON]
    if not named or not force:
        return ""
    return f"{_MODEL}={named[-1][0]} in {named[-1][1]}, forced in {force[-1]}"


def _default(scene: Scene) -> Iterator[Finding]:
    if told := forced(scene):
        yield finding.warn(NAME, f"{told}: every subagent runs on it, whatever is decided", f"unset {_FORCE}")
        return
    for value, where in layers.named(scene.layers, scene.env, _MODEL)[-1:]:
        fact = f"{_MODEL}={value} in {where}"
        if scene.client.version is None or scene.client.version < _DEFAULT_SINCE:
            fact += f" may beat what is decided in clients before {rungs.dotted(_DEFAULT_SINCE)}"
            yield finding.warn(NAME, fact, "unset it")
        else:
            yield finding.ok(NAME, f"{fact}: a default, which a decision beats")


def _renamed(scene: Scene) -> Iterator[Finding]:
    for tier in TIERS:
        name = f"ANTHROPIC_DEFAULT_{tier.upper()}_MODEL"
        for value, where in layers.named(scene.layers, scene.env, name)[-1:]:
            fact = f"{name}={value} in {where}: this is what {tier} means"
            if tier in value:
                yield finding.ok(NAME, fact)
            else:
                yield finding.warn(NAME, fact, f"unset it, or count its model as {tier} knowingly")


def _gateway(scene: Scene) -> Iterator[Finding]:
    for value, where in layers.named(scene.layers, scene.env, "ANTHROPIC_BASE_URL")[-1:]:
        fact = (
            f"ANTHROPIC_BASE_URL={_origin(value)} in {where}: a gateway may serve another model than it was asked for"
        )
        yield finding.warn(NAME, fact, "`orchestrate metrics report` counts what was served")


def _allowed(scene: Scene) -> Iterator[Finding]:
    found = layers.strongest(scene.layers, "availableModels")
    allowed = [str(name) for name in found[0]] if found and isinstance(found[0], list) else None
    if found is None or allowed is None:
        return
    out = [tier for tier in TIERS if not any(_is_of(tier, name, scene) for name in allowed)]
    fact = f"availableModels in {found[1]} allows {', '.join(allowed) or 'nothing'}"
    if out:
        yield finding.warn(NAME, f"{fact}: no decision reaches {', '.join(out)}", "add them there")
    else:
        yield finding.ok(NAME, fact)


def _is_of(tier: str, name: str, scene: Scene) -> bool:
    return tier in name or name == scene.values[f"models.{tier}"]


def _origin(url: str) -> str:
    """Without the user and password that some have in it."""
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}"
    except ValueError:  # as of a port that is no number
        return "(no URL)"
