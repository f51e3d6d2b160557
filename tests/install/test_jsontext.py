import json

import pytest

from orchestrate.install import jsontext


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", '{\n  "k": {\n    "a": [\n      1\n    ]\n  }\n}'),
        ('{\n  "x": 1\n}\n', '{\n  "x": 1,\n  "k": {\n    "a": [\n      1\n    ]\n  }\n}\n'),
        ('{\n\t"x": 1\n}', '{\n\t"x": 1,\n\t"k": {\n\t\t"a": [\n\t\t\t1\n\t\t]\n\t}\n}'),
        (
            '{\r\n    "x": 1\r\n}',
            '{\r\n    "x": 1,\r\n    "k": {\r\n        "a": [\r\n            1\r\n        ]\r\n    }\r\n}',
        ),
        ('{"x":1}', '{"x":1,"k":{"a":[1]}}'),
        ('{"x": 1}', '{"x": 1, "k": {"a": [1]}}'),
        ("\ufeff{ }", '\ufeff{\n  "k": {\n    "a": [\n      1\n    ]\n  }\n}'),
        ('  {\n    "x": 1\n  }', '  {\n    "x": 1,\n    "k": {\n      "a": [\n        1\n      ]\n    }\n  }'),
        ('{\r"x": 1\r}', '{\r"x": 1,\r"k": {\r"a": [\r1\r]\r}\r}'),
        ('{ "x": 1\n}', '{ "x": 1, "k": {"a": [1]}\n}'),
    ],
)
def test_a_member_is_appended_in_the_manner_of_the_file(text, expected):
    assert jsontext.append(text, jsontext.root(text), {"a": [1]}, "k") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": []}', '{"a": [7]}'),
        ('{\n  "a": []\n}', '{\n  "a": [\n    7\n  ]\n}'),
        ('{\n  "a": [1, 2]\n}', '{\n  "a": [1, 2, 7]\n}'),
        ('{\n  "a": [\n    1,\n    2\n  ]\n}', '{\n  "a": [\n    1,\n    2,\n    7\n  ]\n}'),
        ('{\n  "a": [{\n    "b": 1\n  }]\n}', '{\n  "a": [{\n    "b": 1\n  }, 7]\n}'),
    ],
)
def test_an_element_is_appended_in_the_manner_of_its_list(text, expected):
    inside = jsontext.member(text, jsontext.root(text), "a")
    assert jsontext.append(text, inside.at, 7) == expected


@pytest.mark.parametrize(
    ("index", "expected"),
    [(0, "[ 2 ,\n3 ]"), (1, "[ 1, 3 ]"), (2, "[ 1, 2 ]")],
)
def test_removing_an_element_takes_its_comma_along(index, expected):
    assert jsontext.remove("[ 1, 2 ,\n3 ]", 0, index) == expected


def test_removing_the_only_element_empties_the_list():
    assert jsontext.remove('{"a" : [\n 1\n]}', 7, 0) == '{"a" : []}'


@pytest.mark.parametrize("text", ['{"a": {"b": [1, "]"]}, "c": 2}', '{\n  "a": 1,\n  "c" : [ { } ]\n}', "[1]"])
def test_what_was_appended_last_is_removed_without_a_trace(text):
    key = "new" if text[0] == "{" else None
    longer = jsontext.append(text, 0, {"deep": [{}]}, key)
    assert json.loads(longer) != json.loads(text)
    assert jsontext.remove(longer, 0, len(jsontext.items(longer, 0)[0]) - 1) == text


def test_a_value_is_replaced_where_it_stands():
    text = '{\n    "a": [\n        {"old": 1},\n        2\n    ]\n}'
    inside = jsontext.member(text, 0, "a")
    element = jsontext.items(text, inside.at)[0][0]
    assert jsontext.replace(text, element, {"new": 1}) == (
        '{\n    "a": [\n        {\n            "new": 1\n        },\n        2\n    ]\n}'
    )


def test_strings_that_look_like_structure_are_strings():
    text = '{"a}": "],{\\"", "b": "\\\\", "ü": "\\u007d"}'
    held, close = jsontext.items(text, 0)
    assert [(item.key, jsontext.value(text, item.at)) for item in held] == [("a}", '],{"'), ("b", "\\"), ("ü", "}")]
    assert text[close:] == "}"


def test_of_a_repeated_name_the_last_counts_as_for_every_reader():
    text = '{"a": 1, "b": 2, "a": 3}'
    assert jsontext.value(text, jsontext.member(text, 0, "a").at) == json.loads(text)["a"] == 3


@pytest.mark.parametrize("text", ['{"a": NaN}', '{"a": -Infinity}', "// c\n{}", '{"a": 1,}', "{'a': 1}", "{} {}", ""])
def test_what_is_not_json_is_refused(text):
    with pytest.raises(ValueError):
        jsontext.decode(text)
