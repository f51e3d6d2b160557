import json
from pathlib import Path

import pytest

RECORDED = Path(__file__).parent.parent / "measure" / "transcripts"
CHAT, COMPACT = str(RECORDED / "recorded-chat.jsonl"), str(RECORDED / "recorded-compact.jsonl")


def test_the_table_tells_each_transcript_and_the_sum(cli):
    code, out, err = cli("bench", "replay", CHAT, COMPACT)
    head, chat, compact, blank, last = out.splitlines()
    assert (code, err, blank) == (0, "", "")
    assert " ".join(head.split()) == "main turns steps never $ follow $ ours $ switches served never/follow/ours"
    assert chat.split()[:4] == ["recorded-chat", "opus", "5", "5"]
    assert compact.split()[:4] == ["recorded-compact", "opus", "3", "4"]
    assert last.startswith("Against never switching ($0.2668) ours saves $")


def test_json_tells_all_of_it(cli):
    code, out, err = cli("bench", "replay", CHAT, "--json")
    (found,) = json.loads(out)
    assert (code, err) == (0, "")
    assert (found["name"], found["main"], found["turns"], found["steps"]) == ("recorded-chat", "opus", 5, 5)
    assert list(found["rules"]) == ["never", "enough", "follow", "ours"]
    assert [set(rule) for rule in found["rules"].values()] == [{"usd", "switches", "served_share"}] * 4
    assert found["net_usd"] == pytest.approx(found["rules"]["never"]["usd"] - found["rules"]["ours"]["usd"])
    assert found["cache_loss_usd"] == pytest.approx(found["gross_usd"] - found["net_usd"])


def test_another_main_model_can_be_supposed(cli):
    assert json.loads(cli("bench", "replay", CHAT, "--main", "haiku", "--json")[1])[0]["main"] == "haiku"


def test_one_that_cannot_be_read_is_told_and_left_out(cli, tmp_path):
    code, out, err = cli("bench", "replay", CHAT, str(tmp_path / "none.jsonl"), "--json")
    told = f"{tmp_path}/none.jsonl: No such file or directory: name a transcript of the client (*.jsonl)"
    assert (code, len(json.loads(out)), err) == (0, 1, f"orchestrate: {told}\n")


def test_nothing_to_replay_is_an_error(cli, tmp_path):
    code, out, err = cli("bench", "replay", str(tmp_path / "a"), str(tmp_path / "b"))
    assert (code, out) == (1, "")
    assert err.splitlines()[-1].endswith("none of these transcripts can be replayed: name some of the client (*.jsonl)")
