"""Our hooks in the text of a Claude Code settings file; everything else in it belongs to somebody else."""

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from orchestrate.install import jsontext
from state.errors import UserError

Group = dict[str, object]


class _Event(NamedTuple):
    """The list of matcher groups of one event, and the members that lead to it."""

    name: str
    array: int
    hooks: jsontext.Item
    hooks_nth: int
    nth: int
    is_live: bool  # a repeated key does not hide it from the client


class Spot(NamedTuple):
    """Hooks of ours: a whole matcher group, or one hook in somebody else's; element `nth` of the array at `array`."""

    event: str
    group: object
    commands: list[str]
    is_whole: bool
    is_live: bool
    array: int
    nth: int
    inside: _Event


class Kept(NamedTuple):
    """The containers that were there before us and stay when they are empty again."""

    hooks: bool = False
    events: frozenset[str] = frozenset()


def parse(raw: bytes | None, path: str, events: Collection[str] = ()) -> str:
    """The text of a JSON object, with room for hooks of these events; UserError otherwise."""
    try:
        text = (raw or b"").decode()
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: byte {error.start} is not UTF-8: mend the file, then run this again") from error
    if not text.strip(" \t\r\n\ufeff"):
        return text
    try:
        settings = jsontext.decode(text)
    except ValueError as error:
        raise UserError(f"{path}: is not JSON ({error}): mend the file, then run this again") from error
    except RecursionError as error:
        raise UserError(f"{path}: is nested too deeply to be a settings file: mend it, then run this again") from error
    if not isinstance(settings, dict):
        raise UserError(f"{path}: holds no JSON object: mend the file, then run this again")
    if events:
        _check_room(settings.get("hooks", {}), path, events)
    return text


def kept(text: str) -> Kept:
    hooks = _hooks(text)
    if hooks is None:
        return Kept()
    return Kept(True, frozenset(item.key for item in jsontext.items(text, hooks.at)[0] if item.key))


def spots(text: str) -> list[Spot]:
    """Every hook of ours, also where a repeated key hides it from the client."""
    return [spot for event in _events(text) for spot in _spots(text, event)]


def settings(text: str) -> dict[str, object]:
    found = jsontext.decode(text) if _is_filled(text) else {}
    return found if isinstance(found, dict) else {}


def with_hooks(text: str, wanted: Mapping[str, Group]) -> str:
    """Each event has exactly the wanted group of ours: where an older one was, else after the foreign ones."""
    text = text if _is_filled(text) else "{}\n"
    while odd := [spot for spot in spots(text) if spot.event not in wanted]:
        text = _without(text, odd[-1], Kept())
    for event, group in wanted.items():
        text = _with_event(text, event, group)
    return text


def without_hooks(text: str, keep: Kept) -> str:
    while found := spots(text):
        text = _without(text, found[-1], keep)
    return text


def is_empty(text: str) -> bool:
    return not settings(text)


def _with_event(text: str, event: str, group: Group) -> str:
    while True:
        ours = [spot for spot in spots(text) if spot.event == event]
        keep = next((spot for spot in ours if spot.is_whole and spot.is_live), None)
        surplus = [spot for spot in ours if spot is not keep]
        if not surplus:
            break
        text = _without(text, surplus[-1], Kept(True, frozenset({event})))
    if keep is None:
        return _append(text, event, group)
    if keep.group == group:
        return text
    return jsontext.replace(text, jsontext.items(text, keep.array)[0][keep.nth], group)


def _append(text: str, event: str, group: Group) -> str:
    hooks = _hooks(text)
    if hooks is None:
        return _append(jsontext.append(text, jsontext.root(text), {}, "hooks"), event, group)
    groups = jsontext.member(text, hooks.at, event)
    if groups is None:
        return _append(jsontext.append(text, hooks.at, [], event), event, group)
    return jsontext.append(text, groups.at, group)


def _without(text: str, spot: Spot, keep: Kept) -> str:
    """And without the event and the `hooks` that this leaves empty, unless they are to be kept."""
    text = jsontext.remove(text, spot.array, spot.nth)
    hooks = spot.inside.hooks.at
    if not spot.is_whole or jsontext.items(text, spot.array)[0] or spot.event in keep.events:
        return text
    text = jsontext.remove(text, hooks, spot.inside.nth)
    if jsontext.items(text, hooks)[0] or keep.hooks:
        return text
    return jsontext.remove(text, jsontext.root(text), spot.inside.hooks_nth)


def _events(text: str) -> Iterator[_Event]:
    live = _hooks(text)
    for hooks_nth, hooks in enumerate(jsontext.items(text, jsontext.root(text))[0] if live else []):
        if hooks.key != "hooks" or text[hooks.at] != "{":
            continue
        for nth, event in enumerate(jsontext.items(text, hooks.at)[0]):
            if event.key is not None and text[event.at] == "[":
                is_live = hooks == live and event == jsontext.member(text, hooks.at, event.key)
                yield _Event(event.key, event.at, hooks, hooks_nth, nth, is_live)


def _spots(text: str, event: _Event) -> Iterator[Spot]:
    for nth, group in enumerate(jsontext.items(text, event.array)[0]):
        handlers = jsontext.member(text, group.at, "hooks") if text[group.at] == "{" else None
        if handlers is None or text[handlers.at] != "[":
            continue
        inside = [_command(jsontext.value(text, handler.at)) for handler in jsontext.items(text, handlers.at)[0]]
        ours = [(at, command) for at, command in enumerate(inside) if command]
        value = jsontext.value(text, group.at)
        if ours and len(ours) == len(inside):
            commands = [command for _, command in ours]
            yield Spot(event.name, value, commands, True, event.is_live, event.array, nth, event)
            continue
        for at, command in ours:
            yield Spot(event.name, value, [command], False, event.is_live, handlers.at, at, event)


def _command(handler: object) -> str | None:
    """The command line, if it is ours: every one of ours names the module that it starts."""
    command = handler.get("command") if isinstance(handler, dict) else None
    return command if isinstance(command, str) and "orchestrate.entry" in command else None


def _hooks(text: str) -> jsontext.Item | None:
    return jsontext.member(text, jsontext.root(text), "hooks") if _is_filled(text) else None


def _is_filled(text: str) -> bool:
    return bool(text.strip(" \t\r\n\ufeff"))


def _check_room(hooks: object, path: str, events: Collection[str]) -> None:
    if not isinstance(hooks, dict):
        raise UserError(f"{path}: `hooks` is no object: mend the file, then run this again")
    for event in events:
        groups = hooks.get(event, [])
        if not isinstance(groups, list):
            raise UserError(f"{path}: `hooks.{event}` is no list: mend the file, then run this again")
        for index, group in enumerate(groups):
            if not _is_group(group):
                raise UserError(
                    f"{path}: `hooks.{event}[{index}]` is no matcher with a list of hooks: "
                    "mend the file, then run this again"
                )


def _is_group(group: object) -> bool:
    handlers = group.get("hooks") if isinstance(group, dict) else None
    return isinstance(handlers, list) and all(isinstance(handler, dict) for handler in handlers)
