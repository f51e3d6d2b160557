import pytest

from state import config_edit, config_file
from state.errors import UserError

COMMENTED = """\
# mine
mode: auto   # for now

log:
  # how loud
  level: info
"""


@pytest.mark.parametrize(
    ("before", "key", "value", "after"),
    [
        ("", "mode", "directive", "mode: directive\n"),
        ("", "rollout.stage", "full", "rollout:\n  stage: full\n"),
        ("# only this", "mode", "auto", "# only this\nmode: auto\n"),
        (COMMENTED, "mode", "directive", COMMENTED.replace("auto", "directive")),
        (COMMENTED, "log.level", "error", COMMENTED.replace("info", "error")),
        (COMMENTED, "log.format", "json", COMMENTED.replace("  level", "  format: json\n  level")),
        (COMMENTED, "enabled", False, COMMENTED + "enabled: false\n"),
        (COMMENTED, "lock_timeout_s", 2.5, COMMENTED + "lock_timeout_s: 2.5\n"),
        (COMMENTED, "enforcement", "off", COMMENTED + 'enforcement: "off"\n'),
        (COMMENTED, "enforcement", "", COMMENTED + 'enforcement: ""\n'),
        (COMMENTED, "claude_binary", "/opt/a b: #c", COMMENTED + 'claude_binary: "/opt/a b: #c"\n'),
        (COMMENTED, "claude_binary", "0x10", COMMENTED + 'claude_binary: "0x10"\n'),
        ("mode:\nlog:\n", "mode", "auto", "mode: auto\nlog:\n"),
        ("log:\n  # level: x\n", "log.level", "info", "log:\n  # level: x\nlog.level: info\n"),
        ("log.level: info\n", "log.level", "error", "log.level: error\n"),
        ("log: {level: info}\n", "log.level", "error", "log: {level: error}\n"),
        ("log: {level: info}\n", "log.format", "json", "log: {level: info}\nlog.format: json\n"),
        ("{mode: auto}\n", "enabled", True, "mode: auto\nenabled: true\n"),
        ("claude_binary: >-\n  a\n  b\nmode: auto\n", "claude_binary", "c", "claude_binary: c\nmode: auto\n"),
    ],
)
def test_a_key_is_set_and_the_rest_stays(before, key, value, after):
    assert config_edit.with_value("config.yaml", before.encode(), key, value).decode() == after


@pytest.mark.parametrize(
    ("before", "key", "after"),
    [
        (COMMENTED, "mode", COMMENTED.replace("mode: auto   # for now\n", "")),
        (COMMENTED, "log.level", COMMENTED.replace("  level: info\n", "")),
        ("modus: auto\n", "modus", ""),
        ("log: {level: info, format: json}\n", "log.level", "log:\n  format: json\n"),
        ("claude_binary: >-\n  a\n  b\nmode: auto\n", "claude_binary", "mode: auto\n"),
    ],
)
def test_a_key_is_removed_and_the_rest_stays(before, key, after):
    assert config_edit.without("config.yaml", before.encode(), key).decode() == after


def test_json_stays_json():
    edited = config_edit.with_value("config.json", b'{"log":{"level":"info"},"enabled":true}', "log.format", "json")
    assert edited == b'{\n  "log": {\n    "level": "info",\n    "format": "json"\n  },\n  "enabled": true\n}\n'
    assert config_edit.without("config.json", edited, "log.level") == (
        b'{\n  "log": {\n    "format": "json"\n  },\n  "enabled": true\n}\n'
    )


def test_a_broken_file_is_left_to_its_user():
    with pytest.raises(UserError, match=r"^config\.yaml:2: not valid YAML"):
        config_edit.with_value("config.yaml", b"mode: [auto\n", "enabled", True)


def test_what_was_set_reads_back():
    words = ["yes", "null", "1e3", "a: b", "# c", "é", "-", "~", "[x]", "it's", 'q"', "true", " lead", "12:30:45"]
    for word in words:
        raw = config_edit.with_value("config.yaml", COMMENTED.encode(), "claude_binary", word)
        assert config_file.parse("config.yaml", raw).values["claude_binary"] == word
