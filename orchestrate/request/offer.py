"""A tool failed, or a test run did: the model is told the line that logs it. Asked for by the setting bugs.offer alone.

What the tool printed is untrusted: of it goes one line, bounded and quoted for the shell, into one line of ours.
"""

from orchestrate.request.call import Call, Outcome, fingerprint
from state import journal
from state.paths import LOG, session_dir

OFFERED = "orchestration.bug.offered"
MESSAGE_MOST = 200
FILE_MOST = 200
READ_MOST = 8192  # the end of what a tool printed
LINES_MOST = 80
COMMAND_MOST = 2000
LOG_TAIL = 64 << 10
_EXIT = "Exit code "
# They end with 1 to say no: nothing is broken.
_ASKING = ("grep", "rg", "egrep", "fgrep", "test", "[", "diff", "cmp", "which", "command", "type", "ls", "find", "cat")
_RUNNERS = (
    *("pytest", "py.test", "unittest", "tox", "nox", "jest", "vitest", "mocha", "ava", "phpunit", "pest", "rspec"),
    *("ctest", "gotestsum", "nextest", "minitest", "playwright", "cypress", "bats"),
)
_WITH_TEST = (
    *("npm", "yarn", "pnpm", "bun", "deno", "go", "cargo", "make", "mvn", "gradle", "gradlew", "dotnet", "artisan"),
    *("rake", "mix", "flutter", "swift", "composer", "bazel", "just", "zig"),
)
_FAILING = ("failed", "failures", "failing", "errors", "failure", "error")
_FAILED_LINES = ("FAILED", "FAIL ", "FAIL:", "FAIL\t", "--- FAIL", "not ok", "FAILURES!", "test result: FAILED", "E   ")
_TELLING = (
    "error",
    "exception",
    "failed",
    "fatal",
    "panic",
    "assert",
    "undefined",
    "cannot",
    "refused",
    "denied",
    "expected",
    "fail:",
)
_AROUND = "()[]{}<>,;:'\"`"


def failed(call: Call) -> Outcome | None:
    """A tool did not do what it was asked."""
    if call.payload.get("is_interrupt") is True or _only_asks(_command(call)):
        return None
    return _offer(call, call.text("error"))


def ran(call: Call) -> Outcome | None:
    """A command ended well; a test run that was piped somewhere does so too when its tests are red."""
    if not is_test_run(_command(call)):
        return None
    answer = call.record("tool_response")
    printed = "\n".join(text for name in ("stdout", "stderr") if isinstance(text := answer.get(name), str))
    return _offer(call, printed) if shows_failure(_lines(printed)) else None


def is_test_run(command: str) -> bool:
    words = [word.rpartition("/")[2] for word in command[:COMMAND_MOST].replace(";", " ").replace("|", " ").split()]
    for at, word in enumerate(words):
        if word in _RUNNERS:
            return True
        if word in _WITH_TEST and any(_is_test_goal(later) for later in words[at + 1 : at + 4]):
            return True
    return False


def shows_failure(lines: list[str]) -> bool:
    return any(line.startswith(_FAILED_LINES) or _counts_failures(line) or line.endswith(" FAILED") for line in lines)


def line_for(message: str, file: str, number: str) -> str:
    """The command, each argument of it quoted."""
    where = f" --file {_quoted(file)}" if file else ""
    where += f" --line {number}" if file and number else ""
    return f"orchestrate bug log --action log_and_continue{where} -- {_quoted(message)}"


def telling(lines: list[str]) -> str:
    """The line that says what is wrong: the last one that sounds so, else the last one."""
    for line in reversed(lines):
        if line.startswith("E   "):
            return line[4:].strip()
    for line in reversed(lines):
        low = line.lower()
        if any(word in low for word in _TELLING) and not _is_summary(line):
            return line.strip()
    return lines[-1].strip() if lines else ""


def place_in(lines: list[str]) -> tuple[str, str]:
    """The file and the line of it that was named last, `("", "")` where none was."""
    for line in reversed(lines):
        if 'File "' in line and ", line " in line:
            file, _, rest = line.partition('File "')[2].partition('"')
            return _checked(file, rest.partition(", line ")[2].split(",")[0].strip())
        for word in line.split():
            file, _, rest = word.strip(_AROUND).partition(":")
            number = rest.partition(":")[0].strip(_AROUND)
            if "." in file and "//" not in word and _checked(file, number)[0]:
                return _checked(file, number)
    return "", ""


def _offer(call: Call, printed: str) -> Outcome | None:
    lines = _lines(printed)
    message = telling(lines)[:MESSAGE_MOST]
    if not message:
        return None
    mark = fingerprint(message)
    if _was_offered(call, str(mark["hash"])):
        return None
    file, number = place_in(lines)
    text = f"[orchestrate] If this is a bug worth keeping, log it: {line_for(message, file, number)}"
    event = call.text("hook_event_name")
    answer: dict[str, object] = {"hookSpecificOutput": {"hookEventName": event, "additionalContext": text}}
    payload: dict[str, object] = {"tool": call.text("tool_name"), "event": event, **mark}
    return Outcome(OFFERED, ("tool", call.text("tool_use_id")), payload, answer)


def _was_offered(call: Call, mark: str) -> bool:
    """In this session, not long ago: once is enough."""
    named = mark.encode()
    tail = journal.tail(f"{session_dir(call.place, call.session)}/{LOG}", LOG_TAIL)
    return any(named in line and OFFERED.encode() in line for line in tail)


def _command(call: Call) -> str:
    command = call.record("tool_input").get("command")
    return command if isinstance(command, str) else ""


def _only_asks(command: str) -> bool:
    """By the last command of a line, whose exit code is the line's."""
    last = command[-COMMAND_MOST:].replace("&&", ";").replace("||", ";").replace("|", ";").replace("\n", ";")
    words = last.rstrip("; ").rpartition(";")[2].split()
    return bool(words) and words[0].rpartition("/")[2] in _ASKING


def _is_test_goal(word: str) -> bool:
    return word in ("t", "check", "verify") or word.startswith("test")


def _counts_failures(line: str) -> bool:
    """`1 failed`, `Failures: 2`, `errors=1`; not `0 failed, 3 passed`."""
    return any(map(_counts_one, line.lower().replace(";", ",").split(",")))


def _counts_one(part: str) -> bool:
    words = part.replace("=", " ").replace(":", " ").replace("(", " ").replace(")", " ").split()
    pairs = [(words[at], words[at + 1].rstrip(".")) for at in range(len(words) - 1)]
    counts = [one if other in _FAILING else other for one, other in pairs if other in _FAILING or one in _FAILING]
    return any(count.isdigit() and count.strip("0") != "" for count in counts)


def _is_summary(line: str) -> bool:
    return line.strip("= ")[:1].isdigit() and _counts_failures(line)


def _lines(printed: str) -> list[str]:
    text = printed[-READ_MOST:]
    lines = [_visible(line).rstrip() for line in text.split("\n")]
    return [line for line in lines if line.strip() and not line.startswith(_EXIT)][-LINES_MOST:]


def _visible(text: str) -> str:
    """Without what steers a terminal: escape sequences of colour, and every other character that is not seen."""
    parts = text.split("\x1b[")
    text = parts[0] + "".join(_after_colour(part) for part in parts[1:])
    return "".join(char if char.isprintable() else " " for char in text)


def _after_colour(part: str) -> str:
    at = 0
    while at < len(part) and (part[at].isdigit() or part[at] == ";"):
        at += 1
    return part[at + 1 :]


def _checked(file: str, number: str) -> tuple[str, str]:
    is_line = number.isascii() and number.isdigit() and len(number) < 8
    return (file, number) if is_line and 0 < len(file) <= FILE_MOST else ("", "")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\"'\"'") + "'"
