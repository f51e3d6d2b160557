"""The DAG as SVG: well-formed, whole, and nothing in it that a browser would run or fetch."""

import itertools
import time
from xml.etree import ElementTree

import pytest
from tiers import some

from orchestrate.workflow import picture
from orchestrate.workflow.spec import Step, Workflow

SVG = "{http://www.w3.org/2000/svg}"


def flow(*steps, name="w"):
    return Workflow(name, (), {}, steps, "w.yaml", "")


def step(name, *waits, **more):
    return Step(name, "agent", agent="haiku-general", depends_on=waits, **more)


DIAMOND = flow(step("a"), step("b", "a"), step("c", "a"), step("d", "b", "c", "a"))


def test_every_step_has_a_box_and_every_dependency_an_arrow():
    root = ElementTree.fromstring(picture.svg(DIAMOND))
    boxes = [box.find(f"{SVG}title").text for box in root.findall(f"{SVG}g")]
    assert boxes == [f"{name}: haiku-general" for name in "abcd"]
    arrows = [path for path in root.findall(f"{SVG}path") if path.get("marker-end")]
    assert len(arrows) == 5


def test_boxes_do_not_overlap_and_levels_go_right():
    steps = [step("a"), *(step(f"b{n}", "a") for n in range(7)), step("z", "b1", "b2")]
    root = ElementTree.fromstring(picture.svg(flow(*steps)))
    spots = [(float(box[1].get("x")), float(box[1].get("y"))) for box in root.findall(f"{SVG}g")]
    assert sorted({x for x, _ in spots}) == [24, 304, 584]
    assert spots[0][0] < spots[1][0] < spots[-1][0]
    downs = sorted(y for x, y in spots if x == 304)
    assert min(later - one for one, later in itertools.pairwise(downs)) >= picture.HEIGHT
    assert float(root.get("height")) >= max(y for _, y in spots) + picture.HEIGHT


def test_a_line_goes_around_the_boxes_between():
    root = ElementTree.fromstring(picture.svg(flow(step("a"), step("b", "a"), step("c", "a", "b"))))
    box = root.findall(f"{SVG}g")[1][1]
    [passing] = [path.get("d") for path in root.findall(f"{SVG}path") if path.get("d").endswith(f"h{picture.WIDTH}")]
    x, y = map(float, passing[1:].partition("h")[0].split())
    assert x == float(box.get("x"))
    assert not float(box.get("y")) <= y <= float(box.get("y")) + picture.HEIGHT


HOSTILE = "</title><script>alert(1)</script>\" onload='x' & \x00\x1b\u202e"


@pytest.mark.parametrize(
    "workflow",
    [
        flow(step("a"), name=HOSTILE),
        flow(Step("a", "gate", gate=HOSTILE)),
        flow(Step("a", "command", command=(HOSTILE,))),
        flow(step("a", when=HOSTILE)),
    ],
)
def test_hostile_words_stay_words(workflow):
    root = ElementTree.fromstring(picture.svg(workflow))
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "title", "defs", "marker", "path", "rect", "text", "g"}
    attributes = {name for element in root.iter() for name in element.attrib}
    assert not [name for name in attributes if name.startswith("on") or "href" in name]


def test_a_fallback_is_dashed():
    steps = (step("a", fallback="f"), step("f"), step("b", "a"))
    root = ElementTree.fromstring(picture.svg(flow(*steps)))
    dashed = [path for path in root.findall(f"{SVG}path") if path.get("stroke-dasharray")]
    assert len(dashed) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "waits",
    some([lambda n: [f"s{(n - 1) // 3}"], lambda n: ["s0", f"s{n - 1}"]], 1),
    ids=["a tree", "a chain that all start from"],
)
def test_ten_thousand_steps_are_drawn_in_no_time(waits):
    steps = [step(f"s{n}", *(waits(n) if n else ())) for n in range(10_000)]
    began = time.process_time()
    assert picture.svg(flow(*steps)).count("<g>") == 10_000
    assert time.process_time() - began < 3
