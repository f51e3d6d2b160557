import json

import pytest

from orchestrate.install import settings_file
from orchestrate.install.settings_file import Kept
from state.errors import UserError

LINE = "exec python -c 'from orchestrate.entry import main'"
OLDER = "python3 -m orchestrate.entry"


def group(line=LINE, **more):
    return {**more, "hooks": [{"type": "command", "command": line, "timeout": 5}]}


WANTED = {"PreToolUse": group(matcher="Agent"), "Stop": group()}
FOREIGN = {"hooks": [{"type": "command", "command": "say done"}]}


def installed(settings):
    return json.loads(settings_file.with_hooks(json.dumps(settings, indent=2), WANTED))


def test_an_empty_file_gets_the_hooks_alone():
    assert settings_file.with_hooks("", WANTED) == json.dumps({"hooks": WANTED_LISTS}, indent=2) + "\n"


WANTED_LISTS = {event: [wanted] for event, wanted in WANTED.items()}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"hooks": WANTED_LISTS}),
        ({"hooks": {}}, {"hooks": WANTED_LISTS}),
        ({"hooks": {"Stop": []}}, {"hooks": WANTED_LISTS}),
        (
            {"model": "opus", "hooks": {"Stop": [FOREIGN]}},
            {"model": "opus", "hooks": {**WANTED_LISTS, "Stop": [FOREIGN, WANTED["Stop"]]}},
        ),
        # an older line of ours is replaced where it stands, between its neighbours
        (
            {"hooks": {"Stop": [FOREIGN, group(OLDER, matcher="*"), FOREIGN]}},
            {"hooks": {**WANTED_LISTS, "Stop": [FOREIGN, WANTED["Stop"], FOREIGN]}},
        ),
        # of several the first stays
        (
            {"hooks": {"Stop": [group(), FOREIGN, group(OLDER)]}},
            {"hooks": {**WANTED_LISTS, "Stop": [WANTED["Stop"], FOREIGN]}},
        ),
        # one that was moved into somebody else's group comes out of it
        (
            {"hooks": {"Stop": [{"hooks": [*FOREIGN["hooks"], *group()["hooks"]]}]}},
            {"hooks": {**WANTED_LISTS, "Stop": [FOREIGN, WANTED["Stop"]]}},
        ),
        # an event that is handled no longer
        ({"hooks": {"Notification": [group(OLDER)]}}, {"hooks": WANTED_LISTS}),
        ({"hooks": {"Notification": [group(OLDER), FOREIGN]}}, {"hooks": {**WANTED_LISTS, "Notification": [FOREIGN]}}),
        # events of a shape that only a later client knows are none of ours
        ({"hooks": {"Later": 3}}, {"hooks": {"Later": 3, **WANTED_LISTS}}),
    ],
)
def test_each_event_gets_one_group_of_ours_and_keeps_the_foreign_ones(before, after):
    assert installed(before) == after
    assert installed(after) == after


def test_what_is_current_is_not_touched():
    text = json.dumps({"hooks": WANTED_LISTS}, separators=(" ,  ", " :"))
    assert settings_file.with_hooks(text, WANTED) == text


def test_a_repeated_key_is_edited_where_the_client_reads_it():
    text = '{"hooks": {"Stop": []}, "hooks": {"Stop": [1], "Stop": []}}'
    after = settings_file.with_hooks(text, {"Stop": WANTED["Stop"]})
    assert json.loads(after) == {"hooks": {"Stop": [WANTED["Stop"]]}}
    assert after.startswith('{"hooks": {"Stop": []}, "hooks": {"Stop": [1], "Stop": [{')


def test_ours_are_found_also_behind_a_repeated_key():
    ours = json.dumps(group())
    text = f'{{"hooks": {{"Stop": [{ours}]}}, "hooks": {{"Stop": [{ours}], "Stop": [{ours}]}}}}'
    assert [spot.is_live for spot in settings_file.spots(text)] == [False, False, True]
    assert settings_file.without_hooks(text, Kept()) == "{}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", Kept()),
        ("", Kept()),
        ('{"hooks": {}}', Kept(True, frozenset())),
        ('{"hooks": {"Stop": [], "X": 1}}', Kept(True, frozenset({"Stop", "X"}))),
    ],
)
def test_containers_that_were_there_before_us_are_kept(text, expected):
    assert settings_file.kept(text) == expected
    if text:
        assert settings_file.without_hooks(settings_file.with_hooks(text, WANTED), expected) == text


def test_containers_of_ours_go_with_us():
    text = json.dumps({"a": 1, "hooks": {**WANTED_LISTS, "Stop": [FOREIGN, WANTED["Stop"]]}}, indent=2)
    assert json.loads(settings_file.without_hooks(text, Kept())) == {"a": 1, "hooks": {"Stop": [FOREIGN]}}


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        (b"{", "is not JSON (Expecting property name enclosed in double quotes: line 1 column 2 (char 1))"),
        (b"// ours\n{}", "is not JSON (Expecting value: line 1 column 1 (char 0))"),
        (b'{"a": 1,}', "is not JSON (Illegal trailing comma before end of object: line 1 column 8 (char 7))"),
        (b'{"a": NaN}', "is not JSON (NaN is no JSON value)"),
        (b"{}}", "is not JSON (Extra data: line 1 column 3 (char 2))"),
        (b'{"a": "\xff"}', "byte 7 is not UTF-8"),
        ("{}".encode("utf-16"), "byte 0 is not UTF-8"),
        (b"[]", "holds no JSON object"),
        (b'"hooks"', "holds no JSON object"),
        (b"null", "holds no JSON object"),
        (b"[" * 100_000, "is nested too deeply to be a settings file"),
        (b'{"hooks": []}', "`hooks` is no object"),
        (b'{"hooks": null}', "`hooks` is no object"),
        (b'{"hooks": {"Stop": {}}}', "`hooks.Stop` is no list"),
        (b'{"hooks": {"Stop": ["say done"]}}', "`hooks.Stop[0]` is no matcher with a list of hooks"),
        (
            b'{"hooks": {"Stop": [{"hooks": []}, {"command": "x"}]}}',
            "`hooks.Stop[1]` is no matcher with a list of hooks",
        ),
        (b'{"hooks": {"Stop": [{"hooks": ["x"]}]}}', "`hooks.Stop[0]` is no matcher with a list of hooks"),
        (b'{"hooks": {"Stop": [{"hooks": {}}]}}', "`hooks.Stop[0]` is no matcher with a list of hooks"),
    ],
)
def test_a_file_that_cannot_be_added_to_is_refused_in_one_line(raw, complaint):
    with pytest.raises(UserError) as refused:
        settings_file.parse(raw, "/p/settings.json", WANTED)
    told = str(refused.value)
    assert told.startswith("/p/settings.json: ")
    assert "\n" not in told
    # the wording in brackets is the standard library's, and differs between its versions
    assert told.removeprefix("/p/settings.json: ").startswith(complaint.partition("(Illegal")[0])
    assert told.endswith(("mend the file, then run this again", "mend it, then run this again"))
