"""Which kind of error a text tells of: the first of the table that fits."""

import re

_TYPES = (
    (
        "syntax",
        r"syntax ?error|parse ?error|indentation ?error|\bunexpected (?:token|indent|character|identifier|keyword|"
        r"end of|eof|T_|'|\")|unterminated|unclosed|invalid syntax|missing semicolon|error in your sql syntax",
    ),
    (
        "database",
        r"\bsqlstate|\bpsycopg|\bsqlite3?\b|\bsqlalchemy|\bmysql|\bpostgres|\bmariadb|\bmongo(?:db|error)?\b|"
        r"\bORA-\d|duplicate (?:key|entry)|unique constraint|foreign key|no such (?:table|column)|unknown column|"
        r"relation .{0,80} does not exist|database is locked|deadlock (?:detected|found)|lock wait timeout|"
        r"integrityerror|\bmigration failed",
    ),
    (
        "network",
        r"connection (?:was )?(?:refused|reset|aborted|closed|timed ?out)|connection ?error|\bECONN\w+|\bETIMEDOUT|"
        r"\bENOTFOUND|\bEHOSTUNREACH|\bEPIPE|broken pipe|\bunreachable|name or service not known|could not resolve|"
        r"\bDNS\b|getaddrinfo|timed ?out|time-?out|\bsocket|\bSSL\b|\bTLS\b|certificate|fetch failed|network|"
        r"bad gateway|service unavailable|gateway time|too many requests|\b(?:502|503|504|429)\b|max retries exceeded",
    ),
    (
        "permission",
        r"permission|\bEACCES|\bEPERM|access (?:is )?denied|operation not permitted|forbidden|unauthori[sz]ed|"
        r"not authori[sz]ed|\b(?:401|403)\b|read-only file system",
    ),
    (
        "type",
        r"type ?error|attribute ?error|name ?error|undefined (?:method|property|variable|function|index|constant|"
        r"symbol|reference)|is not defined|has no attribute|is not a function|not assignable|incompatible types?|"
        r"cannot read propert|of undefined|of null|no member named|mismatched types|is not callable|"
        r"must be of (?:the )?type|unexpected keyword argument|missing \d+ required|\berror TS\d",
    ),
    ("database", r"\bdatabase|\bquery|\bSQL\b|\btransaction|deadlock"),
    (
        "runtime",
        r"runtime ?error|exception|\bpanic|segmentation fault|segfault|null pointer|nullpointer|out of range|"
        r"out of bounds|index ?error|key ?error|value ?error|zero ?division|division by zero|assertion|stack overflow|"
        r"recursion|out of memory|memory ?error|\boom\b|core dumped|\bfatal|abort|killed|no such file|\bENOENT|"
        r"module ?not ?found|cannot find module|no module named|import ?error|overflow",
    ),
)
_COMPILED = tuple((name, re.compile(pattern, re.I)) for name, pattern in _TYPES)
UNKNOWN = "unknown"
NAMES = ("syntax", "type", "runtime", "database", "network", "permission", UNKNOWN)


def of(message: str) -> str:
    return next((name for name, pattern in _COMPILED if pattern.search(message)), UNKNOWN)
