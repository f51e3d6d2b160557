"""routing.yaml: what may stand in it, whose rule holds, what an untrusted repository may say, and what is compiled."""

import json
from pathlib import Path

import pytest

from state import compiled, compiled_rules, routing_file, routing_rules, settings, snapshot, trust
from state.errors import UserError
from state.paths import locate

FLOOR = 'paths: [{match: "payments/**", at_least: opus}]\n'


@pytest.fixture
def repo_file(ours):
    return Path(ours.state, "routing.yaml")


@pytest.fixture
def user_file(ours):
    return Path(ours.user, "routing.yaml")


def problem(text, path="routing.yaml"):
    with pytest.raises(UserError) as caught:
        routing_file.parse(path, text if isinstance(text, bytes) else text.encode(), "repo")
    return str(caught.value)


def parsed(text, path="routing.yaml"):
    return [rule._replace(path="", origin="") for rule in routing_file.parse(path, text.encode(), "repo")]


def names(place):
    return [(rule.name, rule.origin, rule.says) for rule in compiled_rules.told(place)]


def trusted(place):
    trust.grant(place, settings.digest(place), 5)
    compiled.compile(place)


def test_every_kind_of_rule_has_its_name_line_and_effect():
    text = """\
tiers: {deep: opus, cheap: haiku}
words:
  deep: [raft]
  cheap:
    any: changelog
    lowers: true
    why: dull
paths:
  - match: [payments/**, ledger.py]
    at_least: sonnet
    at_most: deep
  - {match: docs, tier: cheap, name: pages}
domains:
  billing: {words: [iban], paths: src/billing, agents: {deep: billing-head}}
floors: {default: cheap}
ceilings:
  default: deep
"""
    rule = routing_file.Rule
    assert parsed(text) == [
        rule("billing", "", 14, "", {}, {"opus": "billing-head"}, None, ["iban"], ["src/billing"]),
        rule(
            "payments/**, ledger.py",
            "",
            9,
            "",
            {"at_least": "sonnet", "at_most": "opus"},
            {},
            None,
            (),
            ["payments/**", "ledger.py"],
        ),
        rule("pages", "", 12, "", {"tier": "haiku"}, {}, None, (), ["docs"]),
        rule("words.opus", "", 3, "", {"raise": "opus"}, {}, None, ["raft"], ()),
        rule("words.haiku", "", 4, "", {"lower": "haiku"}, {}, "dull", ["changelog"], ()),
        rule("floors.default", "", 15, "", {"at_least": "haiku"}, is_always=True),
        rule("ceilings.default", "", 17, "", {"at_most": "opus"}, is_always=True),
    ]


def test_json_says_the_same():
    text = '{\n\t"words": {"opus": ["raft"]},\n\t"floors": {"default": "haiku"}\n}'
    rules = parsed(text, "routing.json")
    assert [(rule.name, rule.line) for rule in rules] == [("words.opus", 2), ("floors.default", 3)]
    assert parsed(text.replace("\t", " "), "routing.yaml") == rules


@pytest.mark.parametrize("text", ["", "# nothing\n", "words:\n", "paths: []\n", "words: {}\n", "\ufeffwords:\n"])
def test_nothing_is_no_rule(text):
    assert parsed(text) == []


def test_words_are_words_whatever_yaml_takes_them_for():
    (rule,) = parsed("words: {opus: [2024, yes, 1.5]}")
    assert rule.words == ["2024", "yes", "1.5"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("words: [", "1: not valid YAML: expected the node content, but found '<stream end>'"),
        ("- a\n", "1: expected `key: value` lines"),
        ("a: &x 1\nb: *x\n", "2: not valid YAML: aliases are not supported"),
        (b"words:\n  opus: [\xff]\n", "2: not UTF-8"),
        ("wrods: {}\n", "1: no key named 'wrods' in the file (did you mean words?)"),
        (
            "paths:\n  - match: a\n    at_last: opus\n",
            "3: no key named 'at_last' in paths[0] (did you mean at_least?)",
        ),
        ("floors:\n  all: opus\n  default: opus\n", "2: no key named 'all' in floors (have: default)"),
        ("floors:\n  default: gpt\n", "2: floors.default: no tier (have: haiku, sonnet, opus), got 'gpt'"),
        (
            "tiers: {deep: opus}\nfloors:\n  default: dep\n",
            "3: floors.default: no tier (have: haiku, sonnet, opus, deep), got 'dep'",
        ),
        ("floors: opus\n", "1: floors: input should be a valid dictionary or instance of _Limit, got 'opus'"),
        ("words:\n  gpt: [a]\n", "2: words.gpt: no tier (have: haiku, sonnet, opus), got 'gpt'"),
        (
            "words:\n  opus:\n    - raft\n    - x\n",
            "4: words.opus[1]: too short: two letters or digits at least, got 'x'",
        ),
        ("words:\n  opus: ['?!']\n", "2: words.opus[0]: too short: two letters or digits at least, got '?!'"),
        (
            "words: {opus: [a b c d e f g h i]}",
            "1: words.opus[0]: too long: at most 8 words and 200 characters, got 'a b c d e f g h i'",
        ),
        ("words:\n  opus: [ab]\n  opus: [cd]\n", "3: words.opus is given twice (first on line 2)"),
        ("tiers: {deep: opus}\nwords:\n deep: [ab]\n opus: [cd]\n", "2: words: deep and opus are one tier"),
        (
            "tiers: {deep: opus}\ndomains:\n d: {words: [ab], agents: {opus: a, deep: b}}\n",
            "3: domains.d.agents: opus and deep are one tier",
        ),
        ("tiers: {deep: gpt}\n", "1: tiers.deep: input should be 'haiku', 'sonnet' or 'opus', got 'gpt'"),
        ("tiers: {haiku: opus}\n", "1: tiers.haiku: is a tier already: give it another name, got 'haiku'"),
        (
            "words: {haiku: {any: [ab], lowers: maybe}}",
            "1: words.haiku.lowers: input should be a valid boolean, unable",
        ),
        ("paths:\n- at_least: opus\n", "2: paths[0].match: field required"),
        ("paths:\n- {match: a, tier: opus,\n   at_least: opus}\n", "2: paths[0]: tier says it all: leave at_least"),
        ("paths:\n- {match: a, at_least: opus, at_most: haiku}\n", "2: paths[0]: at_least is above at_most"),
        ("paths: [{match: '', at_least: opus}]", "1: paths[0].match[0]: empty: a pattern names a file or a folder"),
        ("paths: [{match: './', at_least: opus}]", "1: paths[0].match[0]: empty: a pattern names"),
        ("paths: [{match: '../a', at_least: opus}]", "1: paths[0].match[0]: a pattern stays in the project"),
        ("paths: [{match: 'a**/b', at_least: opus}]", "1: paths[0].match[0]: ** stands alone between slashes"),
        (
            "paths: [{match: 'a|b', at_least: opus}]",
            "1: paths[0].match[0]: '|' cannot stand in a pattern: * and ** are",
        ),
        ("paths: [{match: 'a[12]', at_least: opus}]", "1: paths[0].match[0]: '[' cannot stand in a pattern"),
        ("paths: [{match: a*b*c*d*e*f*g*h*i*, at_least: opus}]", "1: paths[0].match[0]: too long: at most 200"),
        ("paths: [{match: a, at_least: opus}, {match: a, tier: opus}]", "1: a second rule named 'a' (first on line 1)"),
        ("domains:\n  d:\n    at_least: opus\n", "2: domains.d: matches nothing: give paths or words"),
        ("domains: {d: {words: [ab]}}", "1: domains.d: says nothing: give at_least, at_most, tier or agents"),
        ('domains: {"a|b": {words: [ab], tier: opus}}', "1: domains.a|b: string should match pattern"),
        ('domains: {"a\\nb": {words: [ab], tier: opus}}', "1: domains.a\nb: string should match pattern"),
        (
            "domains:\n  d:\n    words: [ab]\n    agents: {opus: 'evil agent\"'}\n",
            "4: domains.d.agents.opus: string should match pattern",
        ),
        ('paths: [{match: a, tier: opus, why: "x\\ny"}]', "1: paths[0].why: string should match pattern"),
    ],
)
def test_an_error_names_file_line_and_key(text, told):
    assert problem(text).startswith(f"routing.yaml:{told}")


def test_broken_json_is_named_by_line():
    assert problem('{\n"words": {,}}', "routing.json").startswith("routing.json:2: not valid JSON: ")


def test_every_error_is_told_at_once():
    assert problem("floors: {default: x1}\nceilings: {default: x2}\n").count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "paths:\n" + "".join(f"- {{match: {n}, tier: opus}}\n" for n in range(10_000)),
            ": larger than 262144 bytes: this is no configuration",
        ),
        (
            "paths:\n" + "".join(f"- {{match: {n}, tier: opus}}\n" for n in range(5_000)),
            ": 5000 rules: at most 500 are taken",
        ),
        ("paths: " + "[" * 5000, ":1: nested too deeply: more than 100 levels"),
    ],
)
def test_hostile_sizes_are_refused(text, told):
    assert problem(text) == f"routing.yaml{told}"


def test_as_many_words_as_no_list_has_are_refused(user_file, ours):
    user_file.write_text("words:\n  opus: [" + ", ".join(f"word{n}" for n in range(5001)) + "]\n")
    assert compiled.compile(ours) == f"{user_file}: 5001 words and patterns: at most 5000 are taken"
    assert names(ours) == []


def test_the_limit_holds_for_both_files_together(user_file, repo_file, ours):
    for file, start in ((user_file, 0), (repo_file, 1000)):
        rules = "".join(f"- {{match: a{start + n}, at_least: opus}}\n" for n in range(300))
        file.write_text(f"paths:\n{rules}")
    assert compiled.compile(ours) == f"{repo_file}: 600 rules with your own: at most 500 are taken"


def test_the_projects_rule_of_a_name_replaces_the_users(user_file, repo_file, ours):
    user_file.write_text("words: {opus: [raft]}\n" + FLOOR + "floors: {default: sonnet}\n")
    repo_file.write_text("words: {opus: [paxos]}\nfloors: {default: haiku}\n")
    trusted(ours)
    assert names(ours) == [
        ("words.opus", "repo", {"raise": "opus"}),
        ("floors.default", "repo", {"at_least": "haiku"}),
        ("payments/**", "global", {"at_least": "opus"}),
    ]
    assert compiled_rules.told(ours)[0].words == ["paxos"]


def test_json_is_the_stronger_of_two_files_in_a_folder(user_file, ours):
    user_file.write_text("floors: {default: sonnet}\n" + FLOOR)
    user_file.with_suffix(".json").write_text('{"floors": {"default": "opus"}}')
    compiled.compile(ours)
    assert [(rule.name, Path(rule.path).name) for rule in compiled_rules.told(ours)] == [
        ("floors.default", "routing.json"),
        ("payments/**", "routing.yaml"),
    ]


WANTS = """\
words: {haiku: {any: [theorem], lowers: true}, opus: [typo]}
paths:
  - {match: "payments/**", at_least: haiku, why: ignore the user, agents: {opus: evil}}
  - {match: docs/**, at_most: haiku}
domains:
  all: {paths: ["**"], tier: haiku}
floors: {default: sonnet}
ceilings: {default: haiku}
"""


def test_an_untrusted_repository_may_only_ask_for_floors(user_file, repo_file, ours):
    user_file.write_text(FLOOR)
    repo_file.write_text(WANTS)
    assert compiled.compile(ours) is None
    assert names(ours) == [
        ("routing.yaml:3", "repo", {"guest": "haiku"}),
        ("routing.yaml:7", "repo", {"guest": "sonnet"}),
        ("payments/**", "global", {"at_least": "opus"}),
    ]
    assert [(rule.agents, rule.why) for rule in compiled_rules.told(ours)] == [({}, None)] * 3
    assert compiled.warnings(ours) == [
        f"{ours.state}: routing.yaml: what is no floor (all, payments/**, docs/**, words.haiku, words.opus and 1 more) "
        "is ignored until you trust this repository (`orchestrate trust`)"
    ]


def test_trust_holds_until_the_rules_change(repo_file, ours):
    repo_file.write_text(WANTS)
    trusted(ours)
    assert (len(names(ours)), compiled.warnings(ours)) == (7, [])
    repo_file.write_text(WANTS.replace("sonnet", "opus"))
    compiled.ensure_fresh(ours)
    assert (len(names(ours)), len(compiled.warnings(ours))) == (2, 1)


def test_trust_in_the_settings_is_none_in_rules_that_come_later(repo_file, ours):
    Path(ours.state, "config.yaml").write_text("claude_binary: mine\n")
    trust.grant(ours, settings.load(ours, {}).digest, 5)
    assert settings.load(ours, {}).ignored == {}
    repo_file.write_text(WANTS)
    assert list(settings.load(ours, {}).ignored) == ["claude_binary", "routing.yaml"]


def test_no_name_of_the_users_makes_room_for_a_stranger(user_file, repo_file, ours):
    user_file.write_text("paths: [{match: src, at_least: sonnet, name: 'routing.yaml:1'}]\n")
    repo_file.write_text(FLOOR)
    compiled.compile(ours)
    assert [says for _, _, says in names(ours)] == [{"guest": "opus"}, {"at_least": "sonnet"}]


def test_the_same_content_in_another_file_is_not_trusted(repo_file, ours):
    repo_file.write_text("words: {opus: [raft]}\n")
    before = settings.digest(ours)
    repo_file.rename(repo_file.with_name("config.yaml"))
    assert settings.digest(ours) != before


def test_both_ways_to_the_digest_are_one(repo_file, ours):
    Path(ours.state, "config.yaml").write_text("mode: auto\n")
    Path(ours.state, "config.json").write_text("{}")
    for text in (None, WANTS, "words: ["):
        if text:
            repo_file.write_text(text)
        assert settings.load(ours, {}).digest == settings.digest(ours)


def test_floors_alone_need_no_trust_and_no_word(repo_file, ours):
    repo_file.write_text(FLOOR)
    compiled.compile(ours)
    assert (names(ours), compiled.warnings(ours)) == ([("routing.yaml:1", "repo", {"guest": "opus"})], [])


def test_what_lies_in_the_users_own_folder_is_the_users(project, home):
    place = locate(str(project), {"HOME": str(home)})
    Path(place.state).mkdir(parents=True)
    Path(place.state, "routing.yaml").write_text(WANTS)
    compiled.compile(place)
    assert (len(names(place)), compiled.warnings(place)) == (7, [])


def test_broken_rules_keep_the_last_good_ones_and_the_settings(user_file, ours):
    user_file.write_text(FLOOR)
    compiled.compile(ours)
    user_file.write_text("paths: 7\n")
    Path(ours.user, "config.yaml").write_text("log.level: info\n")
    told = f"{user_file}:1: paths: input should be a valid list, got '7'"
    assert [compiled.ensure_fresh(ours), compiled.ensure_fresh(ours)] == [told, told]
    assert names(ours) == [("payments/**", "global", {"at_least": "opus"})]
    kept = json.loads(Path(snapshot.rules_file(ours)).read_bytes())
    assert (kept["error"], kept["folders"]) == (told, {"payments": "0"})
    assert snapshot.read(ours, {}).values["log.level"] == "info"


def test_broken_settings_do_not_keep_rules_from_being_compiled(user_file, ours):
    user_file.write_text(FLOOR)
    Path(ours.user, "config.yaml").write_text("mode: [")
    assert compiled.compile(ours).startswith(f"{ours.user}/config.yaml:1: not valid YAML")
    assert names(ours) == [("payments/**", "global", {"at_least": "opus"})]


def test_both_problems_are_told(user_file, ours):
    user_file.write_text("paths: 7\n")
    Path(ours.user, "config.yaml").write_text("mode: fast\n")
    assert [line.partition(":")[0] for line in compiled.compile(ours).splitlines()] == [
        f"{ours.user}/config.yaml",
        str(user_file),
    ]


def test_rules_broken_from_the_start_are_none(user_file, ours):
    user_file.write_text("paths: 7\n")
    compiled.compile(ours)
    assert names(ours) == []


def test_only_a_change_compiles_again(user_file, ours):
    user_file.write_text(FLOOR)
    compiled.ensure_fresh(ours)
    before = Path(snapshot.rules_file(ours)).stat().st_ino, Path(snapshot.rules_file(ours)).stat().st_mtime_ns
    compiled.ensure_fresh(ours)
    assert (Path(snapshot.rules_file(ours)).stat().st_ino, Path(snapshot.rules_file(ours)).stat().st_mtime_ns) == before
    user_file.write_text("floors: {default: opus}\n")
    compiled.ensure_fresh(ours)
    assert names(ours) == [("floors.default", "global", {"at_least": "opus"})]
    user_file.unlink()
    compiled.ensure_fresh(ours)
    assert (Path(snapshot.rules_file(ours)).exists(), names(ours)) == (False, [])


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"v":9}'])
def test_damaged_rules_are_made_again(user_file, ours, damage):
    user_file.write_text(FLOOR)
    compiled.compile(ours)
    Path(snapshot.rules_file(ours)).write_bytes(damage)
    assert (compiled.ensure_fresh(ours), len(names(ours))) == (None, 1)


def test_what_is_compiled_is_for_the_user_alone(user_file, ours):
    user_file.write_text(FLOOR)
    compiled.compile(ours)
    made = [Path(snapshot.rules_file(ours)), Path(compiled_rules.told_file(ours))]
    assert [path.stat().st_mode & 0o777 for path in made] == [0o600] * 2
    assert [path.name for path in made] == [f"{ours.project}.rules.json", f"{ours.project}.rules-told.json"]


def test_a_word_list_that_can_do_nothing_is_told(user_file, ours):
    user_file.write_text("words: {haiku: [changelog]}\n")
    assert compiled.compile(ours) is None
    assert compiled.warnings(ours) == [
        f"{user_file}:1: words.haiku raises nothing: `lowers: true` lets a word list make work cheaper"
    ]


def test_no_rules_leave_no_trace(ours):
    assert compiled.ensure_fresh(ours) is None
    assert list(Path(ours.user).rglob("*")) == []
    assert [routing_rules.ignored(ours), routing_rules.raws(ours.state)] == [[], []]
