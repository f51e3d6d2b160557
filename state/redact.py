"""The one redactor: what looks like a secret becomes `[redacted:kind]` before it reaches a log, an event or a message.

It knows shapes that only keys have and names that secrets are given. A secret with neither passes, so this is the net
under the rule that secrets are not written, not a leave to write them.
"""

import re
from collections.abc import Callable, Mapping

_START = r"(?<![A-Za-z0-9_-])"
# What goes is the group `secret`, or all of the match. No value may begin with `[`: what was redacted stays as it is.
_SHAPES = {
    "private-key": r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?s:.*?)"
    r"(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|\Z)",
    "age-key": r"AGE-SECRET-KEY-1[A-Z0-9]{40,}",
    "url-password": r"(?<![A-Za-z0-9])[a-zA-Z][a-zA-Z0-9+.-]{1,20}://[^\s:/?#@\"'\[]{0,256}:"
    r"(?P<secret>[^\s/?#@\"'\[]{1,512})@",
    "url-token": r"https?://(?P<secret>[A-Za-z0-9_-]{20,256})@",
    "url-parameter": r"[?&](?i:access_token|refresh_token|id_token|auth|api_?key|key|token|sig|signature|secret|"
    r"password|client_secret|x-amz-signature|x-amz-security-token)=(?P<secret>[^&\s\"'#\[<>{}$]{8,})",
    "slack-webhook": r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<secret>[A-Za-z0-9/_-]{20,})",
    "discord-webhook": r"discord(?:app)?\.com/api/webhooks/(?P<secret>\d+/[\w-]{20,})",
    "anthropic-key": _START + r"sk-ant-[A-Za-z0-9_-]{8,}",
    "openai-key": _START + r"sk-(?:(?:proj|svcacct|admin|or-v1)-[A-Za-z0-9_-]{16,}|[A-Za-z0-9]{20,})",
    "github-token": _START + r"(?:gh[opusr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})",
    "gitlab-token": _START + r"gl(?:pat|oas|dt|rt|cbt|ptt|ft|soat|agent)-[A-Za-z0-9_-]{20,}",
    "aws-key-id": _START + r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])",
    "google-key": _START + r"(?:AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,}|GOCSPX-[A-Za-z0-9_-]{20,})",
    "slack-token": _START + r"(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,}",
    "stripe-key": _START + r"(?:[rs]k_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{20,})",
    "sendgrid-key": _START + r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
    "npm-token": _START + r"npm_[A-Za-z0-9]{30,}",
    "pypi-token": _START + r"pypi-[A-Za-z0-9_-]{40,}",
    "huggingface-token": _START + r"hf_[A-Za-z0-9]{30,}",
    "digitalocean-token": _START + r"do[opr]_v1_[a-f0-9]{40,}",
    "telegram-token": _START + r"\d{8,10}:AA[A-Za-z0-9_-]{32,34}(?![A-Za-z0-9_-])",
    "azure-key": r"(?i:AccountKey|SharedAccessKey)=(?P<secret>[A-Za-z0-9+/]{40,}={0,2})",
    "jwt": _START + r"eyJ[A-Za-z0-9_-]{5,}\.eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*",
    "authorization": r"(?i:\bauthorization\\?[\"']?\s{0,4}[:=]\s{0,4}\\?[\"']?)(?P<secret>(?i:basic|bearer|token|"
    r"digest|negotiate|apikey|aws4-hmac-sha256)\s{1,4}[^\r\n\"'\\]+|[A-Za-z0-9._~+/=-]{16,})",
    "bearer": r"(?i:\bbearer)\s{1,4}(?P<secret>(?=[A-Za-z._~+/=-]{0,200}\d)[A-Za-z0-9._~+/=-]{16,})",
    "cookie": r"(?i:\b(?:set-)?cookie:)\s{0,4}(?P<secret>[^\s=;\[]{1,80}=[^\r\n\"']+)",
}
_FOR_PEOPLE = r"pass(?:word|wd|phrase|code)|pwd"
_FOR_PROGRAMS = (
    r"secret|token|credentials?|apikey|(?:api|access|auth|private|signing|encryption|account|secret)[_-]?key|secretkey"
)
# name=value, name: value, "name": "value" (also as JSON within JSON), --name value
_NAMED = re.compile(
    rf"(?<![A-Za-z0-9])(?P<flag>--)?(?P<name>[A-Za-z0-9_.-]{{0,60}}?(?i:(?P<password>{_FOR_PEOPLE})|{_FOR_PROGRAMS}))"
    r"(?(flag)(?:=|[ \t]{1,4})|\\?[\"']?(?P<between>[ \t]{0,4}(?:=>|:=|=|:)[ \t]{0,4}))"
    r"(?P<value>\\\"[^\"\\\n]{1,4096}|\"(?:[^\"\\\n]|\\.){1,4096}|'[^'\n]{1,4096}|[^\s\"'`,;&|<>()\[\]{}\\]{1,4096})"
)
_SECRET_NAME = re.compile(rf"(?i).*(?:(?P<password>{_FOR_PEOPLE})|{_FOR_PROGRAMS})")
# No secrets: a place held for one, a type, a state, a name in code.
_HARMLESS = re.compile(
    r"(?i)\[redacted:.*|[$%<{*.].*|x{3,}|your[_-].*|(?:process|os)\.env.*|true|false|yes|no|none|null|nil|undefined|empty|"
    r"str|string|bytes|int|bool|boolean|text|hidden|prompt|required|optional|missing|invalid|incorrect|wrong|expired|"
    rf"unknown|changed|reset|enabled|disabled|todo|(?:[a-z_]\w*[._])*(?:{_FOR_PEOPLE}|{_FOR_PROGRAMS})"
)


def redact(text: str) -> str:
    for pattern, replace in _REPLACEMENTS:
        text = pattern.sub(replace, text)
    return _NAMED.sub(_without_value, text)


def redact_value(value: object) -> object:
    """The same for every text of a JSON value; what JSON does not have becomes text."""
    if isinstance(value, Mapping):
        return redact_fields(value)
    if isinstance(value, list | tuple):
        return [redact_value(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float) else redact(str(value))


def redact_fields(values: Mapping[str, object]) -> dict[str, object]:
    """Also where only its key says that a value is a secret."""
    return {redact(key): _member(key, value) for key, value in values.items()}


def _member(key: str, value: object) -> object:
    named = _SECRET_NAME.fullmatch(key)
    if named and isinstance(value, str) and value and not _HARMLESS.fullmatch(value):
        return _mark(named)
    if named and named["password"] and isinstance(value, int | float) and not isinstance(value, bool):
        return _mark(named)
    return redact_value(value)


def _without_value(match: re.Match[str]) -> str:
    value = match["value"]
    bare = value.lstrip("\\\"'")
    if not bare or _HARMLESS.fullmatch(bare) or (bare == value and not _is_bare_secret(match, value)):
        return match[0]
    quote = value[: len(value) - len(bare)]
    return match[0][: match.start("value") - match.start()] + quote + _mark(match)


def _is_bare_secret(match: re.Match[str], value: str) -> bool:
    """Without quotes it may be code or prose as well."""
    if match.string[match.end() : match.end() + 1] in ("(", "["):  # a call, a look-up
        return False
    if match["flag"] and match.string[match.start("value") - 1].isspace() and value.isalpha() and len(value) < 8:
        return False  # "--password is missing"
    if match["password"]:
        return not value.startswith("/")  # PWD=/home/me
    told_apart = any(char.isdigit() for char in value) and not value.isdigit()
    return len(value) >= 20 or told_apart or (match["between"] == "=" and len(value) >= 6 and not value.isdigit())


def _mark(match: re.Match[str]) -> str:
    return "[redacted:password]" if match["password"] else "[redacted:secret]"


def _replacement(kind: str) -> Callable[[re.Match[str]], str]:
    mark = f"[redacted:{kind}]"

    def replace(match: re.Match[str]) -> str:
        if "secret" not in match.re.groupindex:
            return mark
        start, end = match.start("secret") - match.start(), match.end("secret") - match.start()
        return match[0][:start] + mark + match[0][end:]

    return replace


_REPLACEMENTS = [(re.compile(pattern), _replacement(kind)) for kind, pattern in _SHAPES.items()]
