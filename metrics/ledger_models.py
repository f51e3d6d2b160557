"""Is the model that served the one that was asked for? An alias asks for a tier, an id for a version."""

import re

TIERS = ("haiku", "sonnet", "opus", "fable")
SAME = "same"
VERSION = "version"  # the tier is right, the version is another
OTHER = "other"
UNKNOWN = "unknown"  # an id does not tell its tier
_DATE = re.compile(r"[-@](20\d{6}|latest)$")
_REVISION = re.compile(r"-v\d+(:\d+)?$")  # as Bedrock counts


def fit(asked: str, served: str) -> str:
    if asked == served:
        return SAME
    wanted, got = tier_of(asked), tier_of(served)
    if wanted is None or got is None:
        return UNKNOWN
    if wanted != got:
        return OTHER
    return SAME if is_alias(asked) or _is_one(_parts(asked), _parts(served)) else VERSION


def is_alias(model: str) -> bool:
    return model.partition("[")[0] in TIERS


def tier_of(model: str) -> str | None:
    return next((tier for tier in TIERS if tier in model.lower()), None)


def short(model: str) -> str:
    """As people say it: without what all models of the client share."""
    if tier_of(model) is None:
        return model
    name, date = _parts(model)
    return name.removeprefix("claude-") + (f"-{date}" if date else "")


def _is_one(asked: tuple[str, str], served: tuple[str, str]) -> bool:
    """A date that only one of them names tells nothing."""
    return asked[0] == served[0] and (asked[1] == served[1] or not asked[1] or not served[1])


def _parts(model: str) -> tuple[str, str]:
    """The name and the date of an id, without what a provider or a context size adds to it."""
    name = model.lower().partition("[")[0]
    name = _REVISION.sub("", name[max(name.rfind("claude-"), 0) :])
    date = _DATE.search(name)
    if date is None:
        return name, ""
    return name[: date.start()], date[1].replace("latest", "")
