"""Which project a prompt belongs to, and where its state lies."""

import posix

LOG = "log.jsonl"
FOLDER = ".orchestrator"
_MARKERS = (FOLDER, ".git", "workflow.yaml")
_SAFE = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
_EPHEMERAL = (
    ("CLAUDE_CODE_WEB", "1"),
    ("GITHUB_CODESPACES", "1"),
    ("CODESPACES", "true"),
)


class Place:
    __slots__ = ("initialised", "project", "root", "state", "user")

    def __init__(self, root: str, project: str, state: str, user: str | None, initialised: bool) -> None:
        self.root = root
        self.project = project
        self.state = state
        self.user = user
        self.initialised = initialised


def locate(cwd: str, env: "dict[str, str]") -> Place:
    home = _trimmed(env.get("HOME", ""))
    named = env.get("ORCHESTRATOR_ROOT", "")
    root = _join(cwd, named) if named else find_root(_trimmed(cwd) or "/", home)
    project = _digest(root)
    own = root.rstrip("/") + "/" + FOLDER
    user = home.rstrip("/") + "/" + FOLDER if home.startswith("/") and _writable(home) else None
    initialised = not _is_same(root, home) and _is_ours(own)
    if initialised or user is None or is_ephemeral(env):
        return Place(root, project, own, user, initialised)
    return Place(root, project, f"{user}/projects/{project}", user, initialised)


def find_root(cwd: str, home: str) -> str:
    """Nearest marker upwards, else nearest `.claude`, else `cwd`; a linked git worktree answers with its main one."""
    claude = ""
    for folder in _upwards(cwd):
        for marker in _MARKERS:
            if exists(folder + "/" + marker) and not (marker == FOLDER and _is_same(folder, home)):
                return _main_worktree(folder)
        if not claude and exists(folder + "/.claude") and not _is_same(folder, home):
            claude = folder
    return claude or cwd


def is_ephemeral(env: "dict[str, str]") -> bool:
    return "GITPOD_WORKSPACE_ID" in env or any(env.get(name) == value for name, value in _EPHEMERAL)


def session_dir(place: Place, session: str) -> str:
    return f"{place.state}/sessions/{safe_session(session)}"


def safe_session(session: str) -> str:
    """The id itself where it can be a folder's name, else a digest of it."""
    raw = session.encode("utf-8", "surrogatepass")
    if 0 < len(raw) <= 128 and not raw.translate(None, _SAFE) and raw[:1] != b".":
        return session
    return "x-" + _digest(session)


def _upwards(folder: str) -> list[str]:
    found = []
    while folder.strip("/"):
        found.append(folder)
        folder = folder.rpartition("/")[0]
    return [*found, "/"]


def _main_worktree(folder: str) -> str:
    """`.git` as a file names a linked worktree's git folder; its `commondir` leads to the main worktree."""
    git_dir = _git_dir(folder)
    if not git_dir:
        return folder
    common = _first_line(git_dir + "/commondir")
    if not common:
        return folder  # a submodule has a git folder of its own
    shared = _join(git_dir, common)
    main, _, name = shared.rpartition("/")
    if name == ".git" or _git_dir(main) == shared:
        return main or "/"
    return shared  # a bare repository


def _git_dir(folder: str) -> str:
    """Where `.git` points to when it is a file, else nothing."""
    pointer = _first_line(folder + "/.git")
    return _join(folder, pointer[8:]) if pointer.startswith("gitdir: ") else ""


def _join(folder: str, path: str) -> str:
    parts: list[str] = []
    for part in (path if path.startswith("/") else folder + "/" + path).split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)


def _first_line(path: str) -> str:
    try:
        fd = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC)
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return ""
    try:
        return posix.read(fd, 4096).decode("utf-8", "surrogateescape").partition("\n")[0].strip()
    except OSError:  # a folder
        return ""
    finally:
        posix.close(fd)


def _is_ours(path: str) -> bool:
    """A folder of this user's that can be written, and no link: what is another's must neither steer nor break us."""
    try:
        found = posix.lstat(path)
    except OSError:
        return False
    return found.st_mode & 0o170000 == 0o040000 and found.st_uid == posix.geteuid() and _writable(path)


def _is_same(folder: str, home: str) -> bool:
    """HOME may lead there through a link."""
    if folder == home:
        return True
    try:
        one, other = posix.stat(folder), posix.stat(home)
    except OSError:
        return False
    return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)


def _writable(path: str) -> bool:
    return bool(posix.access(path, posix.W_OK | posix.X_OK))


def exists(path: str) -> bool:
    try:
        posix.stat(path)
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return False
    return True


def _trimmed(path: str) -> str:
    return path.rstrip("/") or path[:1]


def _digest(text: str) -> str:
    import _blake2

    return _blake2.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
