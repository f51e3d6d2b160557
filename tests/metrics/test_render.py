"""What a report looks like."""

import csv
import io
from datetime import date

import pytest

from metrics.days import Window
from metrics.ledger import Alarm
from metrics.render import as_csv, as_json, markdown, text
from metrics.report import build
from metrics.tables import dollars
from state.store import Position

DAY = Window(date(2026, 11, 21), date(2026, 11, 21), "2026-11-21T00:00:00.000Z", "2026-11-22T00:00:00.000Z", "UTC")
LONG = "a-very-long-name-of-an-agent-indeed"
TEXT = """\
Routing report for 2026-11-21 (UTC)

                  value  target
compliance        50.0%  > 95%     MISSED   1 followed, 1 ignored, 1 unknown
  of spawns       50.0%  > 95%     MISSED   1 followed, 1 ignored, 0 unknown
  of all          50.0%  > 95%     MISSED   prompts, main threads and spawns together
mean overhead   12.8 ms  < 500 ms  met      per prompt
agent success         -  > 90%     no data  0 finished, 0 failed, 1 unknown
records lost       0.0%  < 0.1%    met      0 beside 12 kept
hook errors        0.0%  < 1%      met      0 failed
user overrides    25.0%                     1 of 4 decisions

decided  delegated  coverage  stayed  escalated  abstained  degraded  skipped
      4          3     66.7%       1          0          0         0        0

main set  served so  switched  net saved  spawns  stepped down  stood in  fuses blown
       0          -         -          -       2             -         -            -

overhead                      mean      p50      p95      p99
per prompt, all its hooks  12.8 ms  10.0 ms  21.0 ms  21.0 ms
per hook call               7.3 ms  10.0 ms  10.0 ms  10.0 ms

by agent          decided  acted on  followed  ignored  unknown   rate  coverage  overhead
a-very-long-n...        1         0         0        0        0      -         -   10.0 ms
haiku-general           3         3         1        1        1  50.0%     66.7%   13.8 ms

ALARM: 1 of 2 parts that were enforced were not served so, the worst: other.

2 lines of the session logs cannot be read."""


@pytest.fixture
def report(store, event):
    """Four decisions: one followed, one ignored, one unknown, one to stay; two spawns, one of them as decided."""
    set_to_haiku = {"tier": "haiku", "model_set": "haiku", "prompt_id": None, "rung": "rewrite", "overhead_ms": None}
    launched = {"agent_id": "a", "agent_type": "haiku-general", "model": "claude-haiku-4-5"}
    events = [
        event("prompt.decided", prompt_id="p1"),
        event("spawn.launched", prompt_id="p1", entity=("spawn", "t"), overhead_ms=9.0, **launched),
        event("turn.end", prompt_id="p1", overhead_ms=2.0),
        event("prompt.decided", prompt_id="p2"),
        event("turn.end", prompt_id="p2", overhead_ms=0.25),
        event("prompt.decided", prompt_id="p3"),
        event("prompt.decided", prompt_id="p4", action="stay", agent=LONG, override=True),
        event("session.end", prompt_id=None),
        event("spawn.requested", entity=("spawn", "t1"), **set_to_haiku),
        event("spawn.launched", entity=("spawn", "t1"), prompt_id=None, model="claude-haiku-4-5", overhead_ms=None),
        event("spawn.requested", entity=("spawn", "t2"), **set_to_haiku),
        event("spawn.launched", entity=("spawn", "t2"), prompt_id=None, model="claude-opus-4-1", overhead_ms=None),
    ]
    store.add_events(events, None, Position("sessions/s", "1", 1, "0", 2, None))
    return build(store, DAY, ["agent"])


@pytest.fixture
def nothing(store):
    return build(store, DAY, ["mode"])


def test_text(report):
    assert text(report) == TEXT
    assert max(map(len, text(report).splitlines())) <= 100


def test_text_stays_within_100_columns(report):
    figures = {name: 1 if isinstance(value, float) else 1_234_567 for name, value in report.figures.items()}
    wide = report._replace(figures=figures, groups={"agent": {"x" * 300: figures, "line\nbreak\x1b[31m": figures}})
    assert max(map(len, text(wide).splitlines())) <= 100
    assert "line?break?[31m" in text(wide)


def test_markdown(report):
    lines = markdown(report).splitlines()
    assert lines[0] == "# Routing report for 2026-11-21 (UTC)"
    assert lines[2:5] == [
        "|  | value | target |  |  |",
        "| --- | ---: | --- | --- | --- |",
        "| compliance | 50.0% | > 95% | MISSED | 1 followed, 1 ignored, 1 unknown |",
    ]
    assert lines[-5] == "| haiku-general | 3 | 3 | 1 | 1 | 1 | 50.0% | 66.7% | 13.8 ms |"


def test_csv(report):
    head, whole, *groups = csv.reader(io.StringIO(as_csv(report)))
    assert head[:8] == ["since", "until", "time_zone", "by", "name", "decisions", "delegations", "followed"]
    assert whole[:8] == ["2026-11-21", "2026-11-21", "UTC", "", "", "4", "3", "1"]
    assert [row[3:8] for row in groups] == [["agent", LONG, "1", "0", "0"], ["agent", "haiku-general", "3", "3", "1"]]
    row = dict(zip(head, whole, strict=True))
    names = ("rate", "rate_target", "rate_met", "agent_success", "agent_success_met", "overhead_mean_ms_met")
    assert [row[name] for name in names] == ["0.5", "0.95", "false", "", "", "true"]
    assert {len(line) for line in (head, whole, *groups)} == {len(head)}


def test_json(report):
    found = as_json(report)
    assert found["targets"] == {
        "rate": {"value": 0.5, "relation": ">", "target": 0.95, "met": False},
        "spawn_rate": {"value": 0.5, "relation": ">", "target": 0.95, "met": False},
        "served_as_decided": {"value": 0.5, "relation": ">", "target": 0.95, "met": False},
        "overhead_mean_ms": {"value": 12.812, "relation": "<", "target": 500, "met": True},
        "agent_success": {"value": None, "relation": ">", "target": 0.9, "met": None},
        "persistence_failure_rate": {"value": 0.0, "relation": "<", "target": 0.001, "met": True},
        "error_rate": {"value": 0.0, "relation": "<", "target": 0.01, "met": True},
        "override_rate": {"value": 0.25, "relation": "", "target": None, "met": None},
    }
    assert {name: found[name] for name in report.figures} == report.figures
    rest = [name for name in found if name not in report.figures]
    keys = ["since", "until", "time_zone", "data", "targets", "by", "alarm", "bad_lines", "unreadable_transcripts"]
    assert rest == keys
    assert (found["data"], found["by"], found["bad_lines"]) == (True, {"agent": report.groups["agent"]}, 2)
    assert found["alarm"] == {"mismatches": 1, "worst": "other", "rows": 2}


@pytest.mark.parametrize(
    ("changes", "figures", "note"),
    [
        (
            {},
            {"disagreements": 3, "compared": 120},
            "3 of 120 judged by the hooks' events are otherwise in the transcripts:\n"
            "the transcripts count; see `orchestrate metrics ledger --mismatch`.",
        ),
        (
            {},
            {"disagreements": 1, "compared": 2},
            "1 of 2 judged by the hooks' events is otherwise in the transcripts:\n"
            "the transcripts count; see `orchestrate metrics ledger --mismatch`.",
        ),
        ({}, {"disagreements": 0, "compared": 120}, ""),
        ({}, {"disagreements": None, "compared": 0}, ""),
        ({"unreadable": 1}, {}, "1 transcript cannot be opened."),
        ({"unreadable": 2}, {}, "2 transcripts cannot be opened."),
        ({"bad_lines": 1}, {}, "1 line of the session logs cannot be read."),
        (
            {"alarm": Alarm(4, "fallback", 9)},
            {},
            "ALARM: 4 of 9 parts that were enforced were not served so, the worst: fallback.",
        ),
    ],
)
def test_what_deserves_a_word_has_a_line_of_its_own(report, changes, figures, note):
    quiet = report._replace(alarm=None, bad_lines=0, figures={**report.figures, "disagreements": None})
    told = text(quiet._replace(figures={**quiet.figures, **figures}, **changes))
    assert told.removeprefix(text(quiet)).strip() == note


@pytest.mark.parametrize(("saved", "shown"), [(None, "-"), (0.0, "$0.00"), (1234.5, "$1,234.50"), (-0.126, "-$0.13")])
def test_a_loss_is_shown_as_one(saved, shown):
    assert dollars(saved) == shown


def test_an_empty_day_has_no_data_and_no_zeros(nothing):
    assert text(nothing) == markdown(nothing) == "no data for 2026-11-21 (UTC)"
    found = as_json(nothing)
    assert {found[name] for name in nothing.figures} == {None}
    assert {(target["value"], target["met"]) for target in found["targets"].values()} == {(None, None)}
    assert (found["data"], found["by"]) == (False, {"mode": {}})
    head, row = csv.reader(io.StringIO(as_csv(nothing)))
    told = {name: value for name, value in zip(head, row, strict=True) if value and not name.endswith("_target")}
    assert told == {"since": "2026-11-21", "until": "2026-11-21", "time_zone": "UTC"}
