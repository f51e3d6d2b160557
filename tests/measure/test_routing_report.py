"""An evaluation as a whole: what is in it, how it reads and what its picture is."""

import xml.etree.ElementTree as ET

import pytest
from tiers import some

from orchestrate.measure import routing_report, routing_rows, routing_svg, routing_text
from orchestrate.measure.routing_rows import Asked, Dataset, Paired, Tiered

SVG = "{http://www.w3.org/2000/svg}"
WORDS = ("fix the typo in the readme", "add pagination to the orders page", "prove the lock-free queue is linearizable")
TIERS = ("haiku", "sonnet", "opus")
ROUTERS = ["this router", "always sonnet", "length only", "shuffled labels", "litellm complexity", "0xrdan rules"]


def tiered(count=30, grouped_by="stratum"):
    asked = [Asked(f"{WORDS[i % 3]} {i}", {}, f"group {i % 2}", f"rows:{i}") for i in range(count)]
    return Dataset(
        "rows", grouped_by, asked, [Tiered(TIERS[i % 3], frozenset([TIERS[i % 3]])) for i in range(count)], []
    )


def paired(count=60, pair=lambda i: Paired(0, float(i % 3 == 2))):
    """What the strong model is needed for is the hard third."""
    asked = [
        Asked(f"{WORDS[i % 3]} {i}", {}, "small" if i < 5 else f"group {i % 2}", f"rows:{i}") for i in range(count)
    ]
    return Dataset("pairs", "bench", asked, [], [pair(i) for i in range(count)])


def test_tiers_are_told_beside_what_they_have_to_beat():
    found = routing_report.evaluate(tiered(), True, None)
    ours, sonnet, *_ = found.routers
    assert [one.name for one in found.routers] == ROUTERS
    assert [(one.name, one.rows) for one in found.groups] == [("group 0", 15), ("group 1", 15)]
    assert (ours.figures.accuracy, sonnet.figures.accuracy) == (1, pytest.approx(1 / 3))
    assert found.decided == {"haiku": 10, "sonnet": 10, "opus": 10}
    assert found.confusion == [[10, 0, 0], [0, 10, 0], [0, 0, 10]]
    assert list(found.marks) == ["this router", "always sonnet", "length only", "as labelled"]
    assert found.marks["as labelled"] == found.marks["this router"] == (3, 100)
    assert found.marks["always sonnet"] == (3, pytest.approx(200 / 3))


def test_the_curve_of_tiers_goes_from_all_haiku_to_all_opus():
    curve = routing_report.evaluate(tiered(), False, None).curve
    assert (curve[0], curve[-1]) == ((1, pytest.approx(100 / 3)), (5, 100))
    assert sorted(curve) == curve


def test_pairs_are_told_beside_what_they_have_to_beat():
    found = routing_report.evaluate(paired(), True, None)
    ours, sonnet, _, shuffled, *_ = found.routers
    assert [one.name for one in found.routers] == ROUTERS
    assert ours.figures.apgr > 0.2 + max(sonnet.figures.apgr, shuffled.figures.apgr)
    assert list(ours.intervals) == ["apgr", "cpt50", "cpt80"]
    assert [(one.name, one.rows) for one in found.groups] == [
        ("(small groups: 1)", 5),
        ("group 0", 27),
        ("group 1", 28),
    ]
    assert (found.curve[0], found.curve[-1]) == ((0, 0), (100, pytest.approx(100)))
    assert found.marks["this router"] == (ours.figures.cpt50, 50)
    assert (found.confusion, found.coverage) == (None, [])


def test_without_baselines_there_is_the_router_alone():
    assert [one.name for one in routing_report.evaluate(tiered(), False, None).routers] == ["this router"]


def test_a_strong_model_that_is_not_better_is_said_to_be_so():
    report = routing_report.evaluate(paired(pair=lambda _: Paired(1, 0)), True, None)
    assert [one.figures for one in report.routers] == [None] * 6
    assert (report.curve, report.marks) == ([], {})
    assert "this router          no gap between the models" in list(routing_text.lines(report))
    assert "the strong model is not the better one: no curve" in "".join(
        ET.fromstring(routing_svg.picture([report])).itertext()
    )


@pytest.mark.parametrize(
    "data", some([tiered(), tiered(1, None), paired(), paired(1)], 1), ids=["tiers", "tier", "pairs", "pair"]
)
def test_every_line_fits_in_a_hundred_columns_and_shows_no_prompt(data):
    text = list(routing_text.lines(routing_report.evaluate(data, True, None)))
    assert [line for line in text if len(line) > 100] == []
    assert [line for line in text if any(word in line for word in WORDS)] == []


def test_long_names_keep_both_ends():
    data = tiered()
    longer = [one._replace(group=f"organisation/repository:tests/{one.group}") for one in data.asked]
    text = list(routing_text.lines(routing_report.evaluate(data._replace(asked=longer), False, None)))
    assert [line.split("  ")[0] for line in text if line.startswith("organis")] == [
        "organisa..ts/group 0",
        "organisa..ts/group 1",
    ]


def test_the_table_of_tiers_says_what_was_measured():
    lines = list(routing_text.lines(routing_report.evaluate(tiered(), True, None)))
    assert lines[0] == "rows: 30 rows of tiers, by stratum; decided haiku 10, sonnet 10, opus 10"
    assert lines[2].split() == [
        "accuracy",
        "accepted",
        "macro-F1",
        "under",
        "over",
        "cost",
        "ECE",
        "coverage",
        "answered",
    ]
    assert lines[3].split()[:8] == ["this", "router", "1.000", "1.000", "1.000", "0.000", "0.000", "3.00"]
    assert lines[4].split() == [
        "always",
        "sonnet",
        "0.333",
        "0.333",
        "0.167",
        "0.333",
        "0.333",
        "4.67",
        "-",
        "1.000",
        "0.333",
    ]
    assert "litellm complexity: not installed" in lines


def test_the_picture_is_sound_and_holds_every_router():
    reports = [routing_report.evaluate(data, True, None) for data in (tiered(), paired())]
    root = ET.fromstring(routing_svg.picture(reports))
    words = [node.text for node in root.iter(f"{SVG}text")]
    assert len(root.findall(f"{SVG}g")) == len(list(root.iter(f"{SVG}polyline"))) == 2
    assert {"rows (30 rows)", "pairs (60 rows)", "gap recovered, %", "first try good enough, %", "as labelled"} <= set(
        words
    )
    assert [word for word in words if word.startswith("this router")] == [
        "this router",
        f"this router {reports[1].marks['this router'].cost:.0f} %",
    ]


def test_a_point_stands_where_its_figures_say():
    root = ET.fromstring(routing_svg.picture([routing_report.evaluate(tiered(), True, None)]))
    ours, _, sonnet, *_ = root.iter(f"{SVG}circle")
    assert (ours.get("cx"), ours.get("cy")) == ("295.0", "50.0")  # 3 of 1 to 5 is the middle, 100 % the top
    assert (sonnet.get("cx"), sonnet.get("cy")) == ("295.0", "153.3")  # two thirds of 310 above the lower edge


def test_a_name_of_a_file_cannot_break_the_picture():
    report = routing_report.evaluate(tiered()._replace(name="a<b>&\x00\x1b\ud800\"'"), False, None)
    picture = routing_svg.picture([report])
    assert "a<b>&\"' (30 rows)" in [node.text for node in ET.fromstring(picture.encode()).iter(f"{SVG}text")]


def test_reading_and_scoring_go_together(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"prompt": "fix the typo in the readme", "tier": "haiku"}\n')
    document = routing_report.document(routing_report.evaluate(routing_rows.read(path), False, None))
    assert document["routers"][0]["figures"]["accuracy"] == 1
    assert (document["rows"], document["kind"], document["groups"]) == (1, "tiers", [])


def test_a_group_is_scored_by_its_own_rows():
    data = tiered()
    asked = [one._replace(group="right" if i < 10 else "wrong") for i, one in enumerate(data.asked)]
    labels = [one if i < 10 else Tiered("opus", frozenset(["opus"])) for i, one in enumerate(data.tiers)]
    groups = routing_report.evaluate(data._replace(asked=asked, tiers=labels), False, None).groups
    assert [(one.name, one.figures.accuracy) for one in groups] == [("right", 1), ("wrong", pytest.approx(7 / 20))]


def test_half_way_the_curve_is_at_the_nearest_tiers():
    report = routing_report.evaluate(tiered(), False, None)
    assert report.curve[len(report.curve) // 2] == report.marks["this router"] == (3, 100)


def test_the_tables_of_robustness_and_latency_say_what_was_measured():
    report = routing_report.evaluate(tiered(), False, None)
    rows = {line[:20].strip(): line[20:].split() for line in routing_text.lines(report)}
    assert rows["same decision"] == [f"{one.unchanged:.3f}" for one in report.robustness]
    assert rows["of changed prompts"] == [str(one.variants) for one in report.robustness]
    assert (rows["characters"], rows["prompts"]) == (["<", "100"], ["30"])
    for title, name in (("p50 ms", "p50_ms"), ("p99 ms", "p99_ms"), ("p99 ms of all calls", "p99_call_ms")):
        assert rows[title] == [f"{getattr(one, name):.3f}" for one in report.latency]
    assert [len(line) for line in routing_text.lines(report) if line.startswith("p50 ms")] == [32]
