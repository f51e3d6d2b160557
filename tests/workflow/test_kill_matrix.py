"""kill -9 of the runner, of a step's agent and of both, at the beginning and at the end of every step."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from machine import Machine, dag

LINEAR = {"a": (), "b": ("a",), "c": ("b",), "d": ("c",)}
DIAMOND = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")}
FAN_OUT = {"a": (), "b": ("a",), "c": ("a",), "d": ("a",), "e": ("a",), "f": ("b", "c", "d", "e")}
SHAPES = {"linear": LINEAR, "diamond": DIAMOND, "fan-out": FAN_OUT}
WHOM = ("runner", "child", "both")


def killed(folder, edges, whom, url):
    machine = Machine(folder, url)
    path = machine.workflow(dag(edges))
    points = [f"{when} {step} {whom}" for step in edges for when in ("start", "end")]
    (machine.desk / "kill").write_text("".join(f"{point}\n" for point in points))
    header = machine.begin(path)
    machine.run_until_idle()
    return machine, header, len(points)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.database)])
def databases(request):
    """A database for each machine: on a shared one they would help each other out."""
    if request.param == "sqlite":
        return lambda name: ""
    cluster = request.getfixturevalue("cluster")

    def made(name):
        with cluster.connect() as db:
            db.execute(f'CREATE DATABASE "{name}"')
        return cluster.url_of(name)

    return made


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_whatever_is_killed_each_step_is_done_once(tmp_path, databases):
    cells = [(shape, whom) for shape in SHAPES for whom in WHOM]

    def cell(pair):
        shape, whom = pair
        url = databases(f"kill-{shape}-{whom}-{tmp_path.name}")
        return killed(tmp_path / f"{shape}-{whom}", SHAPES[shape], whom, url)

    with ThreadPoolExecutor(len(cells)) as pool:
        done = dict(zip(cells, pool.map(cell, cells), strict=True))
    assert sum(points for _, _, points in done.values()) >= 60
    for (shape, whom), (machine, header, _) in done.items():
        check(machine, header, SHAPES[shape], (shape, whom))


def check(machine, header, edges, cell):
    assert machine.header(header).status == "finished", cell
    assert machine.told(header, "finished") == dict.fromkeys(edges, 1), cell
    log = machine.log()
    assert [words for words in log if words[0] == "beside"] == [], cell
    hit = {name.name.split("-")[2] for name in machine.desk.glob("killed-*")}
    assert hit == set(edges), cell
    for step, count in machine.starts().items():
        # Each of its own two ends begins it once more; so does each kill of the runner that it was in flight at.
        own = len(list(machine.desk.glob(f"killed-*-{step}")))
        beside = 0 if cell[1] == "child" else 2 * sum(edges[one] == edges[step] for one in edges if one != step)
        assert 1 + own <= count <= 1 + own + beside, (cell, step)
    for step, before in edges.items():
        first = min(int(words[3]) for words in log if words[:2] == ["start", step])
        for one in before:
            last = max(int(words[3]) for words in log if words[:2] == ["start", one])
            assert last < first, (cell, step, one)  # nothing that has finished is begun again
    answers = {step: machine_answer(machine, header, step) for step in edges}
    assert answers == expected(edges), cell


def machine_answer(machine, header, step):
    from orchestrate.workflow import runs

    return runs.kept(runs.unit_folder(header, step, 1), 1).value


def expected(edges):
    made = {}
    for step, before in edges.items():
        made[step] = f"{step}({' '.join(made[one] for one in before)})"
    return made
