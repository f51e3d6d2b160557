"""`when:` and `gate:`: a comparison of values, bounded in size, with no attributes and a short table of calls.

The tree is checked node by node before anything is evaluated; simpleeval evaluates what passed.
"""

import ast
import operator
import warnings
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import ModuleType
from typing import NamedTuple

from orchestrate.workflow.spec import Value
from state.errors import UserError

CHARACTERS_MOST = 1000
NODES_MOST = 200
DEPTH_MOST = 20
CONSTANTS = {"true": True, "false": False, "True": True, "False": False}
CALLS = {"len": 1, "lower": 1, "number": 1, "contains": 2, "status": 1}
STATUSES = ("finished", "failed", "skipped")
_OPERATORS: dict[type[ast.AST], Callable[..., object]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Gt: operator.gt,
    ast.Lt: operator.lt,
    ast.GtE: operator.ge,
    ast.LtE: operator.le,
    ast.Not: operator.not_,
    ast.USub: operator.neg,
    ast.In: lambda one, many: one in many,
    ast.NotIn: lambda one, many: one not in many,
}
_NODES = (ast.BoolOp, ast.UnaryOp, ast.Compare, ast.List, ast.Tuple)
_SIGNS: tuple[type[ast.AST], ...] = (ast.Load, ast.And, ast.Or, *_OPERATORS)


class Condition(NamedTuple):
    tree: ast.expr
    names: tuple[str, ...]  # values it uses
    steps: tuple[str, ...]  # whose status it asks for
    is_constant: bool


@lru_cache(maxsize=16_384)
def parse(text: str) -> Condition:
    """A UserError says what a condition may not have."""
    if len(text) > CHARACTERS_MOST:
        raise UserError(f"longer than {CHARACTERS_MOST} characters")
    try:
        with warnings.catch_warnings():  # of a text with a backslash
            warnings.simplefilter("ignore")
            tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise UserError(f"no condition: {text[:60]!r} (as in: lower(verdict) == 'yes' and len(found) > 0)") from None
    names: dict[str, None] = {}
    steps: dict[str, None] = {}
    waiting: list[tuple[ast.AST, int]] = [(tree, 1)]
    for node, depth in waiting:  # which grows meanwhile: no recursion
        if len(waiting) > NODES_MOST or depth > DEPTH_MOST:
            raise UserError("too much for one condition: split it over two steps")
        if isinstance(node, ast.Name):
            names[node.id] = None
        elif isinstance(node, ast.Call):
            if _called(node) == "status":
                steps[_asked(node)] = None
            waiting += [(argument, depth + 1) for argument in node.args]
        elif _is_fit(node):
            waiting += [(child, depth + 1) for child in ast.iter_child_nodes(node) if not isinstance(child, _SIGNS)]
    used = tuple(name for name in names if name not in CONSTANTS)
    return Condition(tree, used, tuple(steps), not used and not steps)


def holds(text: str, values: Mapping[str, Value], statuses: Mapping[str, str] | None = None) -> bool:
    """`statuses`: of the steps before, by id."""
    simpleeval = _evaluator()
    condition = parse(text)
    unknown = [name for name in condition.names if name not in values]
    if unknown:
        raise UserError(f"{text}: no value named {unknown[0]!r} (have: {', '.join(sorted(values)) or 'none'})")
    evaluator = simpleeval.EvalWithCompoundTypes(
        operators=_OPERATORS,
        functions={**_FUNCTIONS, "status": lambda step: (statuses or {}).get(step, "")},
        names={**{name: values[name] for name in condition.names}, **CONSTANTS},
    )
    try:
        found = evaluator.eval(text, previously_parsed=condition.tree)
    except (TypeError, ValueError, simpleeval.InvalidExpression) as error:
        raise UserError(f"{text}: {str(error).splitlines()[0]}: number(x) makes a number of a text") from None
    if not isinstance(found, bool):
        raise UserError(f"{text}: is {type(found).__name__}, not true or false: compare it, as {text} == 'yes'")
    return found


def _evaluator() -> ModuleType:
    try:
        import simpleeval  # type: ignore[import-untyped]  # noqa: PLC0415  it has none; only runs of workflows owe it
    except ModuleNotFoundError:
        raise UserError("what reads conditions is not installed: pip install 'orchestrate[workflows]'") from None
    found: ModuleType = simpleeval
    return found


def _called(node: ast.Call) -> str:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name not in CALLS or node.keywords or len(node.args) != CALLS[name]:
        raise UserError(f"a condition calls {', '.join(CALLS)} alone, as contains(report, 'error')")
    return name


def _asked(node: ast.Call) -> str:
    found = node.args[0]
    if not isinstance(found, ast.Constant) or not isinstance(found.value, str):
        raise UserError("status() takes a step's id in quotes")
    return found.value


def _is_fit(node: ast.AST) -> bool:
    """Whether it is more than a value; a UserError where a condition may not have it."""
    if isinstance(node, ast.Constant):
        if not isinstance(node.value, str | bool | int | float):
            raise UserError(f"a condition has texts, numbers, true and false, not {node.value!r}")
        return False
    if not isinstance(node, _NODES):
        word = next((word for kind, word in _WORDS.items() if isinstance(node, kind)), "")
        raise UserError(f"a condition has no {word or 'such signs'}")
    return True


_WORDS: dict[type[ast.AST], str] = {
    ast.Attribute: "attributes (a dot)",
    ast.Subscript: "brackets",
    ast.BinOp: "arithmetic",
    ast.Lambda: "lambda",
    ast.NamedExpr: "assignment",
    ast.JoinedStr: "f-strings",
    ast.ListComp: "loops",
    ast.GeneratorExp: "loops",
    ast.IfExp: "if … else",
    ast.Starred: "star",
}


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise TypeError("no number")
    try:
        return float(value)
    except ValueError:
        raise TypeError(f"no number: {str(value)[:40]!r}") from None


def _contains(whole: object, part: object) -> bool:
    if isinstance(whole, str):
        return str(part) in whole
    if isinstance(whole, list | tuple):
        return part in whole
    raise TypeError("contains() takes a text or a list")


_FUNCTIONS: dict[str, Callable[..., object]] = {
    "len": len,
    "lower": lambda text: str(text).lower(),
    "number": _number,
    "contains": _contains,
}
