import pytest

from orchestrate.memory import bug_types


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("SyntaxError: invalid syntax", "syntax"),
        ("PHP Parse error: syntax error, unexpected '}'", "syntax"),
        ("IndentationError: unexpected indent", "syntax"),
        ("unexpected token < in JSON at position 0", "syntax"),
        ('syntax error at or near "FROM"', "syntax"),
        ("unterminated string literal (detected at line 3)", "syntax"),
        ("TypeError: x is not a function", "type"),
        ("Undefined variable: foo", "type"),
        ("Call to undefined method App\\User::foo()", "type"),
        ("'NoneType' object has no attribute 'x'", "type"),
        ("NameError: name 'x' is not defined", "type"),
        ("error TS2322: Type 'string' is not assignable to type 'number'", "type"),
        ("RuntimeError: generator raised StopIteration", "runtime"),
        ("java.lang.NullPointerException", "runtime"),
        ("panic: runtime error: index out of range [3]", "runtime"),
        ("ZeroDivisionError: division by zero", "runtime"),
        ("Segmentation fault (core dumped)", "runtime"),
        ("ModuleNotFoundError: No module named 'x'", "runtime"),
        ("FileNotFoundError: No such file or directory: 'x'", "runtime"),
        ("SQLSTATE[42S02]: Base table or view not found", "database"),
        ("SQLSTATE[HY000] [2002] Connection refused", "database"),
        ("duplicate key value violates unique constraint", "database"),
        ("sqlite3.OperationalError: no such table: x", "database"),
        ("deadlock detected", "database"),
        ("query failed", "database"),
        ("connection refused", "network"),
        ("connect ECONNREFUSED 127.0.0.1:6379", "network"),
        ("Connection reset by peer", "network"),
        ("could not resolve host: example.com", "network"),
        ("Read timed out", "network"),
        ("502 Bad Gateway", "network"),
        ("certificate verify failed", "network"),
        ("PermissionError: [Errno 13] Permission denied: 'x'", "permission"),
        ("EACCES: permission denied, open 'x'", "permission"),
        ("403 Forbidden", "permission"),
        ("Access denied", "permission"),
        ("unexpected response from server", "unknown"),
        ("it does not work", "unknown"),
        ("", "unknown"),
    ],
)
def test_the_type_of_an_error(message, kind):
    assert bug_types.of(message) == kind


def test_every_type_has_a_name():
    assert bug_types.NAMES == ("syntax", "type", "runtime", "database", "network", "permission", "unknown")
