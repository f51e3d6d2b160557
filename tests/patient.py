"""A hook's command line with much time: the product's own gives up in silence after two seconds, which a busy machine
may stand still for. That limit is held by tests/request/test_time_limit.py."""

CALL = " main()\n"
LIMIT_S = 100


def patient(line):
    """`line`: of hookline.command, or the code among hookline.arguments."""
    assert line.count(CALL) == 1
    return line.replace(CALL, f' main.__globals__["LIMIT_S"] = {LIMIT_S}\n{CALL}')
