"""One file with all hot modules: it changes the time a hook takes and nothing else."""

import json
import marshal
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from copies import copy_of
from payloads import AT_HOME, EVENTS, PAYLOADS, SESSION, payload, said
from tiers import some

from orchestrate import bundle, entry, hookline
from state.paths import session_dir

# The line of a hook, which instead of leaving tells where the modules come from.
TELL = """\
 import sys, json
 from orchestrate.entry import handle
 for raw in json.loads(sys.argv[2]): handle(raw.encode(), json.loads(sys.argv[3]), is_alone=True)
 ours = {n: m for n, m in sys.modules.items() if n.partition(".")[0] in ("orchestrate", "routing", "state", "metrics")}
 print(json.dumps({n: [type(m.__spec__.loader).__name__, m.__file__] for n, m in ours.items()}))
"""
BUNDLED = "Bundle"
FROM_FILE = "SourceFileLoader"


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = copy_of(tmp_path_factory.mktemp("original"))
    assert bundle.build(str(folder)) == folder / bundle.FOLDER / sys.implementation.cache_tag
    return folder


@pytest.fixture
def package(original, tmp_path):
    """A copy of its own for the test, as in a checkout, with its bundle."""
    return Path(shutil.copytree(original, tmp_path / "package"))


@pytest.fixture
def wheel(package):
    """The same as in a wheel: the siblings lie in `orchestrate/_lib`."""
    for name in ("routing", "state"):
        shutil.move(package / name, package / "orchestrate/_lib" / name)
    assert bundle.build(str(package))
    return package


@pytest.fixture
def loaded(project, home):
    """Module name to (loader, file) after the package in `package` has handled these payloads."""

    def tell(package, *contents, **more):
        code = hookline.BOOT.replace(" from orchestrate.entry import main\n main()\n", TELL)
        assert code != hookline.BOOT
        raws = json.dumps([content if isinstance(content, str) else json.dumps(content) for content in contents])
        env = json.dumps({"HOME": str(home), "CLAUDE_PROJECT_DIR": str(project), **AT_HOME, **more})
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", code, str(package), raws, env],
            capture_output=True,
            text=True,
            cwd=project,
            timeout=30,
            check=True,
        )
        return {name: tuple(found) for name, found in json.loads(done.stdout).items()}

    return tell


def loaders(found):
    return {loader for loader, _ in found.values()}


@pytest.mark.parametrize("layout", some(["package", "wheel"], 1))
def test_every_module_of_every_event_comes_from_the_bundle(layout, loaded, place, request):
    """Garbage loads what reports a fault, a changed configuration what has it compiled, and orchestration what hands
    over: there is no client on this PATH, so the call comes back. A reading of a limit, the sign of a mod and what
    a user taught the router load the rest."""
    package = request.getfixturevalue(layout)
    session = Path(session_dir(place, SESSION))
    user = Path(place.user)
    compiled = (f"cache/{place.project}.rules.json", f"cache/{place.project}.phase.json")
    ours = ("cache/quota.json", "routing/correction.json", f"routing/steps-{place.project}.json", *compiled)
    here = (Path(place.state, "config.yaml"), Path(place.state, "routing.yaml"))
    for path in (*here, session / "mod.json", session / "fuse.json", *(user / name for name in ours)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    custom = {**PAYLOADS["PreToolUse"], "tool_input": {"prompt": "x", "subagent_type": "custom"}}
    workflow = {**PAYLOADS["PreToolUse"], "session_id": "without-a-mod", "tool_name": "Workflow"}
    workflow["tool_input"] = {"script": "agent('x')"}
    choosing = {**PAYLOADS["UserPromptSubmit"], "prompt": "use opus"}
    hard = {**PAYLOADS["UserPromptSubmit"], "prompt": "find out why the two workers deadlock once a week"}
    failing = {**PAYLOADS["PostToolUse"], "hook_event_name": "PostToolUseFailure", "error": "it broke"}
    payloads = (PAYLOADS["UserPromptSubmit"], custom, workflow, choosing, hard, *PAYLOADS.values(), failing, "garbage")
    ours = {"ORCHESTRATOR_ENFORCEMENT": "session", "ORCHESTRATOR_AB__ENABLED": "1", "ORCHESTRATOR_AB__ARMS": "session"}
    ours["ORCHESTRATOR_BUGS__OFFER"] = "1"
    found = loaded(package, *payloads, BATCH_MODE="1", PATH="", **ours)
    assert loaders(found) == {BUNDLED}
    assert set(found) == set(bundle.sources(str(package)))
    assert {file for _, file in found.values()} == {str(path) for path in bundle.sources(str(package)).values()}


def test_what_a_bundle_holds_is_what_hooks_load_and_no_more(package):
    names = set(bundle.sources(str(package)))
    assert {name for name in names if "." not in name} == {"orchestrate", "routing", "state"}
    assert {"orchestrate.entry", "orchestrate.request.prompt", "routing.routing_core", "state.journal"} < names
    assert names & {"orchestrate.cli", "orchestrate.bundle", "state.settings", "state.compiled"} == set()


@pytest.mark.parametrize("event", some(EVENTS, ("UserPromptSubmit", "PreToolUse", "Stop")))
def test_the_answer_is_the_same_with_and_without(event, package, project):
    answers = []
    for with_bundle in (True, False):
        if not with_bundle:
            shutil.rmtree(package / bundle.FOLDER)
        done = subprocess.run(
            hookline.arguments(sys.executable, str(package)),
            input=json.dumps(payload(event)).encode(),
            capture_output=True,
            cwd=project,
            env={**os.environ, **AT_HOME},
            timeout=30,
            check=False,
        )
        answers.append((done.returncode, done.stdout, done.stderr))
    assert answers[0] == answers[1]
    assert answers[0][::2] == (0, b"")
    assert bool(said(answers[0][1])) == (event == "UserPromptSubmit")


@pytest.mark.parametrize(
    "name", some(["orchestrate/__init__.py", "orchestrate/request/stop.py", "routing/rules.py", "state/codec.py"], 1)
)
def test_a_touched_source_makes_it_ignored(name, loaded, package):
    assert loaders(loaded(package, payload("Stop"))) == {BUNDLED}
    os.utime(package / name, (time.time(), time.time() + 5))
    assert loaders(loaded(package, payload("Stop"))) == {FROM_FILE}


def test_a_source_of_another_length_makes_it_ignored(loaded, package):
    """Also when whoever changed it kept its time."""
    source = package / "state/codec.py"
    before = source.stat()
    source.write_text(source.read_text() + "#\n")
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert loaders(loaded(package, payload("Stop"))) == {FROM_FILE}


@pytest.mark.parametrize(
    "spoil", [lambda whole: whole.replace(bundle.MAGIC_NUMBER, b"\x01\x02\r\n", 1), lambda whole: whole[:-100]]
)
def test_another_python_s_or_a_cut_one_is_ignored(spoil, loaded, package):
    file = package / bundle.FOLDER / sys.implementation.cache_tag
    file.write_bytes(spoil(file.read_bytes()))
    assert loaders(loaded(package, payload("Stop"))) == {FROM_FILE}


def test_what_is_read_at_first_holds_the_head(package, monkeypatch):
    file = bundle.build(str(package))
    size, modules, _ = marshal.loads(file.read_bytes())[bundle.TABLE]
    head = size - max(module[-2] for module in modules)  # what lies before the first module's code
    assert 0 < head < bundle.HEAD_MOST * 0.9
    assert f"f.read({bundle.HEAD_MOST})" in hookline.BOOT
    monkeypatch.setattr(bundle, "HEAD_MOST", head - 1)
    with pytest.raises(ValueError, match=f"the head has {head} bytes"):
        bundle.build(str(package))


def test_what_an_event_begins_with_is_the_handlers(package):
    modules = {module for module, _ in {**entry.HANDLERS, **entry.OFFERS}.values()}
    assert set(bundle.BEGINNINGS) == {bundle.FIRST, *modules}


ODD = """\
from state import paths as ours, codec
from state.paths import LOG as log, Place
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    Judge = Callable[[int], int]
LIMIT: int = 3
kept: "dict[str, int]"
class Record:
    size: int = 4
    name: str
    def of(self, one: "Judge", *many: int, two: str = "x", **more: int) -> "Place | None":
        there: int
        here: int = one
        return here, many, two, more
"""


def test_a_module_does_the_same_without_its_annotations(package, project):
    path = package / "state/platform.py"
    path.write_text(ODD)
    bundle.build(str(package))
    code = hookline.BOOT.replace(" from orchestrate.entry import main\n main()\n", TELL_OF_ONE)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(package)], capture_output=True, text=True, cwd=project, check=True
    )
    assert done.stdout.split("\n") == [
        "Bundle state.paths state.codec log.jsonl Place 3 4",
        "(1, (2,), 'y', {'z': 5})",
        "False {} {}",
        "",
    ]


TELL_OF_ONE = """\
 from state import platform as p
 print(type(p.__loader__).__name__, p.ours.__name__, p.codec.__name__, p.log, p.Place.__name__, p.LIMIT, p.Record.size)
 print(p.Record().of(1, 2, two="y", z=5))
 print(p.TYPE_CHECKING, p.Record.of.__annotations__, getattr(p.Record, "__annotations__", {}))
"""


@pytest.mark.slow
def test_building_anew_makes_it_good_again(loaded, package):
    os.utime(package / "state/codec.py", (1, 1))
    bundle.build(str(package))
    assert loaders(loaded(package, payload("Stop"))) == {BUNDLED}


def test_a_copy_of_the_package_runs_its_own_modules(loaded, package, tmp_path):
    """The copy holds a bundle made of the original, whose sources are still there and unchanged."""
    copy = tmp_path / "copy"
    shutil.copytree(package, copy)
    found = loaded(copy, payload("Stop"))
    assert loaders(found) == {BUNDLED}
    assert {file.startswith(f"{copy}/") for _, file in found.values()} == {True}
    init = copy / "orchestrate/__init__.py"
    init.write_text(init.read_text() + "changed = True\n")
    assert loaders(loaded(copy, payload("Stop"))) == {FROM_FILE}


def test_nothing_is_left_beside_the_bundle(package):
    bundle.build(str(package))
    assert os.listdir(package / bundle.FOLDER) == [sys.implementation.cache_tag]


def test_where_no_folder_can_be_made_there_is_no_bundle(package):
    shutil.rmtree(package / bundle.FOLDER)
    (package / bundle.FOLDER).write_text("a file stands in the way")
    assert bundle.build(str(package)) is None
