"""JSON by the C parts of the standard library alone: `json` itself imports `re` and costs more than the whole hook."""

import posix

try:
    import _json

    class _Options:
        strict = False
        object_hook = None
        object_pairs_hook = None
        parse_float = float
        parse_int = int
        parse_constant = float
        memo: dict[str, str] = {}  # noqa: RUF012  read by the scanner of some versions, never by us

    # As json.encoder calls it: markers, default, encoder, indent, separators, sort_keys, skipkeys, allow_nan.
    _how = (None, None, _json.encode_basestring_ascii, None, ":", ",", False, False, True)
    _scan = _json.make_scanner(_Options)  # type: ignore[arg-type]  # it asks for the attributes alone
    _encode = _json.make_encoder(*_how)  # type: ignore[arg-type]  # no default: what is no JSON is a TypeError
    _scan('{"a":[1,2.5,null]}', 0)
    _encode({"a": [1, 2.5, None]}, 0)
except (ImportError, AttributeError, TypeError, ValueError):  # a private interface: the public one is the way back
    import json

    def _scan(text: str, start: int) -> tuple[object, int]:  # type: ignore[misc]  # the same in Python
        return json.JSONDecoder(strict=False).raw_decode(text, start)

    def _encode(value: object, _indent: int) -> tuple[str, ...]:  # type: ignore[misc]  # the same in Python
        return (json.dumps(value, separators=(",", ":")),)


_BLANK = " \t\r\n"
_MOST_BYTES = 1 << 20


def loads(data: bytes | str) -> object:
    """The value of one JSON text; ValueError when it is not exactly that."""
    text = data if isinstance(data, str) else data.decode("utf-8", "replace")
    if text[:1] == "\ufeff":
        text = text[1:]
    start = len(text) - len(text.lstrip(_BLANK))
    try:
        value, end = _scan(text, start)
    except (
        StopIteration,
        SystemError,
    ):  # SystemError: the scanner's own error class lives in `json`, which is not loaded
        raise ValueError("not JSON") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if text[end:].strip(_BLANK):
        raise ValueError("more than one JSON value")
    return value


def dumps(value: object) -> bytes:
    """One line of compact ASCII JSON; lone surrogates survive as escapes."""
    return "".join(_encode(value, 0)).encode("ascii")


def load(path: str) -> dict[str, object]:
    """The object that a small file of ours holds; empty when there is none, or it is something else."""
    try:
        fd = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC)
    except OSError:
        return {}
    try:
        value = loads(posix.read(fd, _MOST_BYTES))
    except (OSError, ValueError):
        return {}
    finally:
        posix.close(fd)
    return value if isinstance(value, dict) else {}
