"""What a user can mend, and the exit codes that say so."""

OK = 0
FAILED = 1
USAGE = 2
NOT_FOUND = 3
REFUSED = 4
LOCK_TIMEOUT = 75
AGENT_TIMEOUT = 124
INTERRUPTED = 130


class UserError(Exception):
    """One line for the user: what, where, what to do. No traceback."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code
