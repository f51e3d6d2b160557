"""The story on stderr, by structlog. Imported when there is something to tell: ~60 ms that no silent command owes."""

import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from structlog.typing import EventDict, FilteringBoundLogger


class Wanted(NamedTuple):
    form: str  # text | json
    level: str


LEVELS = ("debug", "info", "warning", "error")
_wanted = [Wanted("text", "warning")]
_bound: dict[str, object] = {}


def want(form: str, level: str) -> None:
    """From now on; the last word holds."""
    _wanted[:] = [Wanted(form, level)]
    if "structlog" in sys.modules:
        sys.modules["structlog"].reset_defaults()


def bind(**fields: object) -> None:
    """On every line of this process from now on."""
    _bound.update(fields)


def tell(level: str, event: str, **fields: object) -> None:
    """One line, and nothing imported where its level is held back."""
    if LEVELS.index(level) >= LEVELS.index(_wanted[0].level):
        getattr(get(), level)(event, **fields)


def is_json() -> bool:
    return _wanted[0].form == "json"


def get() -> "FilteringBoundLogger":
    import structlog  # noqa: PLC0415  start-up cost

    if not structlog.is_configured():
        form, level = _wanted[0]
        paint = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        structlog.configure(
            processors=[
                structlog.contextvars.merge_contextvars,
                structlog.processors.add_log_level,
                _redacted,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.JSONRenderer() if form == "json" else paint,
            ],
            wrapper_class=structlog.make_filtering_bound_logger(level),
            logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        )
    logger: FilteringBoundLogger = structlog.get_logger(**_bound)
    return logger


def _redacted(_logger: object, _method: str, fields: "EventDict") -> "EventDict":
    from state.redact import redact_fields  # noqa: PLC0415  start-up cost

    return redact_fields(fields)
