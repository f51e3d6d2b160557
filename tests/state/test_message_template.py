import pytest

from state.message_template import expand, wrong

VALUES = {
    "sprint_code": "SPR-1",
    "task_code": "TSK-001",
    "task_title": "Add {task_code} $HOME `id`",
    "phase": "execute",
}
HAVE = "(have: sprint_code, task_code, task_title, phase)"
DEFAULT = "feat({sprint_code}): {task_title} [{task_code}]"


@pytest.mark.parametrize(
    ("template", "values", "text"),
    [
        (DEFAULT, {}, "feat(SPR-1): Add {task_code} $HOME `id` [TSK-001]"),
        (DEFAULT, {"sprint_code": "", "task_title": "t"}, "feat: t [TSK-001]"),
        ("{task_code} {phase}", {}, "TSK-001 execute"),
        ("[{phase}] {task_code}", {"phase": ""}, " TSK-001"),
        ("({phase}] {task_code}", {"phase": ""}, "(] TSK-001"),
        ("\\1 %s $x", {}, "\\1 %s $x"),
    ],
)
def test_a_template_is_expanded_once(template, values, text):
    assert wrong(template) is None
    assert expand(template, {**VALUES, **values}) == text


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        ("", "expected some text"),
        (" \n", "expected some text"),
        ("{title}", f"no placeholder named 'title' {HAVE}"),
        ("{}", f"no placeholder named '' {HAVE}"),
        ("{task_code.__class__}", f"no placeholder named 'task_code.__class__' {HAVE}"),
        ("{task_code!r:>9}", f"no placeholder named 'task_code!r:>9' {HAVE}"),
        ("a { b", "a brace stands alone: a placeholder reads {task_code}"),
        ("{{task_code}}", "a brace stands alone: a placeholder reads {task_code}"),
    ],
)
def test_a_template_that_cannot_be_expanded_is_told(template, complaint):
    assert wrong(template) == complaint
