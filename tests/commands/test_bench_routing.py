import json
import xml.etree.ElementTree as ET

import pytest

SECRETS = ("fix the zanzibar typo in README.md", "add zanzibar pagination to the orders page", "yes go zanzibar")
TIERS = ("haiku", "sonnet", "opus")


@pytest.fixture
def rows(project):
    lines = [
        {
            "prompt": SECRETS[i % 3],
            "tier": TIERS[i % 3],
            "stratum": f"s{i % 2}",
            "context": {"follow_up_of": SECRETS[0]},
        }
        for i in range(12)
    ]
    path = project / "rows.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture
def scores(project):
    lines = [{"prompt": SECRETS[i % 3], "scores": {"small": 0, "large": i % 3 == 2}} for i in range(24)]
    path = project / "scores.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_text_json_and_picture_tell_the_same_and_show_no_prompt(cli, rows, scores, project):
    words = ("bench", "routing", str(rows), str(scores), "--weak", "small", "--strong", "large")
    told = cli(*words)
    kept = cli(*words, "--json", "--svg", "curve.svg")
    found = json.loads(kept.out)
    picture = (project / "curve.svg").read_text()
    assert (told.code, told.err, kept.code, kept.err) == (0, "", 0, "")
    assert [(one["name"], one["kind"], one["rows"]) for one in found["files"]] == [
        ("rows", "tiers", 12),
        ("scores", "weak and strong", 24),
    ]
    accuracy = found["files"][0]["routers"][0]["figures"]["accuracy"]
    apgr = found["files"][1]["routers"][0]["figures"]["apgr"]
    assert f"this router             {accuracy:.3f}" in told.out
    assert f"this router           {apgr:.3f}" in told.out
    assert told.out.splitlines()[-1] == f"weights {found['weights']}"
    assert ET.fromstring(picture).tag.endswith("svg")
    assert "zanzibar" not in told.out + kept.out + picture


@pytest.mark.slow
def test_the_same_file_gives_the_same_figures(cli, rows):
    found = [json.loads(cli("bench", "routing", str(rows), "--json").out)["files"][0] for _ in range(2)]
    for one in found:
        del one["latency"]
    assert found[0] == found[1]


def test_baselines_can_be_left_out(cli, rows):
    found = json.loads(cli("bench", "routing", str(rows), "--no-baselines", "--json").out)
    assert [one["name"] for one in found["files"][0]["routers"]] == ["this router"]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["empty.jsonl"], 1, 'empty.jsonl: no rows: give lines of {"prompt", "tier"} or {"prompt", "weak", "strong"}'),
        (["none.jsonl"], 1, "none.jsonl: No such file or directory: name a file of"),
        (["garbage.jsonl"], 1, "garbage.jsonl:2: no JSON: each line must be one object of"),
        (
            ["scores.jsonl"],
            1,
            "scores.jsonl:1: scores of several models: say which two with --weak MODEL --strong MODEL",
        ),
        (["scores.jsonl", "--weak", "small"], 2, "--weak and --strong go together"),
        (
            ["rows.jsonl", "--svg", "no/folder.svg"],
            1,
            "no/folder.svg: No such file or directory: name a file for the picture",
        ),
        (["rows.jsonl", "--peer", "no"], 1, "no/hooks/classify-prompt.py: no such file: --peer takes a checkout"),
        ([], 2, "Missing argument 'FILES...'"),
    ],
)
def test_what_cannot_be_measured_is_told(cli, rows, scores, project, words, code, told):
    (project / "empty.jsonl").touch()
    (project / "garbage.jsonl").write_text('{"prompt": "a zanzibar", "tier": "haiku"}\nzanzibar\n')
    ran = cli("bench", "routing", *words)
    assert (ran.code, ran.out) == (code, "")
    assert told in ran.err
    assert "zanzibar" not in ran.err
