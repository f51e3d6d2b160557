import json
from pathlib import Path

import pytest
from made_talk import Talk, decided
from made_users import boundaries, prompts, truth, verdict

from orchestrate.learning import kept, records
from routing.correction import Correction
from state.telling import Teller

AT = "2026-11-21T12:00:00.000Z"
DEAR = kept.record_of(Correction("draft", (2.0, 2.0)), AT, {})
TEXT = "Rename foo to bar in a.py"
TELLER = Teller("user", "-", "c")


@pytest.fixture
def user(project, home, place):
    """Asks so much and has a word on each, which `say` chooses."""

    def live(count, say):
        session = Talk(project, home)
        texts = prompts(count)
        for number, text in enumerate(texts):
            session.ask(f"p-{number:03d}", text)
        for told, text in zip(decided(place), texts, strict=True):
            records.give(place, told, say(text, told.payload["tier"]), "", 1795000000.0, TELLER)
        return session

    return live


def dearer(text, tier):
    return verdict(tier, truth(text, boundaries(1, 1, prompts(120))))


def files(place):
    folder = Path(place.user, "routing")
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_a_user_who_wants_dearer_tiers_gets_them_and_can_go_back(cli, place, user):
    user(120, dearer)
    before = json.loads(cli("route", TEXT, "--json").out)
    told = json.loads(cli("route", "learn", "--json").out)
    assert (told["outcome"], told["dry_run"]) == ("learned", False)
    assert told["figures"]["cost_corrected"] < told["figures"]["cost_shipped"]
    assert told["correction"] == json.loads(Path(place.user, "routing", "correction.json").read_bytes())
    after = json.loads(cli("route", TEXT, "--json", "--explain").out)
    assert dict(after["features"])["your correction"] > 1
    assert cli("route", "learn", "--undo").out == "nothing was learned: the shipped weights decide\n"
    assert json.loads(cli("route", TEXT, "--json").out) == before


def test_a_dry_run_writes_nothing(cli, place, user):
    user(120, dearer).ask("forced", "use opus: fix the typo in README.md")
    before = sorted(place_files(place))
    code, out, err = cli("route", "learn", "--dry-run")
    assert (code, err) == (0, "")
    assert out.splitlines()[0].endswith("not kept, as this is a dry run")
    assert (files(place), sorted(place_files(place))) == ([], before)
    cli("route", "learn")
    assert sorted(place_files(place)) != before


def place_files(place):
    return [(str(path), path.stat().st_size) for path in Path(place.state, "sessions").rglob("*") if path.is_file()]


def test_no_text_of_a_prompt_is_kept(cli, place, user):
    user(120, dearer)
    cli("route", "learn")
    kept_files = [path for path in Path(place.user).rglob("*") if path.is_file()]
    assert kept_files != []
    assert [path for path in kept_files if b"uploader" in path.read_bytes()] == []


def test_five_signals_are_not_enough(cli, place, user):
    user(5, dearer)
    code, out, _ = cli("route", "learn")
    assert code == 0
    assert out.startswith(
        "kept the shipped weights: 5 prompts with a signal and a text, 30 are needed\nsignals: 5 user;"
    )
    assert files(place) == []


def test_a_user_who_is_content_keeps_the_shipped_weights_and_is_told_the_figures(cli, place, user):
    user(60, lambda _text, _tier: "good")
    code, out, _ = cli("route", "learn")
    assert code == 0
    first, _, third, cost, right = out.splitlines()
    assert first == "kept the shipped weights: what could be learned is not better beyond chance"
    assert third == "of 60 prompts, each held out from the fit that decides it:"
    assert cost.startswith("  cost   ")
    assert right.startswith("  right  1.000 shipped, ")
    assert files(place) == []


def test_a_transcript_that_is_gone_leaves_nothing_to_learn_from(cli, place, user):
    user(60, dearer).transcript.unlink()
    figures = json.loads(cli("route", "learn", "--json").out)["figures"]
    assert (figures["texts"], figures["without_text"] > 30) == (0, True)


def test_show_tells_what_is_in_force(cli, place):
    assert cli("route", "learn", "--show").out == "nothing was learned: the shipped weights decide\n"
    kept.write(place, DEAR)
    assert cli("route", "learn", "--show").out == (
        f"{DEAR['id']}, {AT}\n  +2.00 to sonnet, +2.00 to opus: every prompt\n"
    )
    shown = json.loads(cli("route", "learn", "--show", "--json").out)
    assert shown == {"correction": DEAR, "ignored": None}


def test_a_correction_for_other_weights_is_ignored_and_told(cli, place):
    plain = cli("route", TEXT)
    kept.write(place, {**DEAR, "weights": "of another version"})
    code, out, err = cli("route", TEXT)
    assert (code, out) == (0, plain.out)
    assert err == "orchestrate: your correction is ignored: see `orchestrate route learn --show`\n"
    assert "ignored: it was made for other weights than these" in cli("route", "learn", "--show").out


def test_undo_without_anything_learned_is_exit_3(cli):
    code, out, err = cli("route", "learn", "--undo")
    assert (code, out) == (3, "")
    assert err == "orchestrate: nothing was learned yet, so there is nothing to undo: see `orchestrate route learn`\n"


def test_only_one_of_them_at_a_time(cli):
    assert cli("route", "learn", "--undo", "--show").code == 2
