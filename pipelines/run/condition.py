"""Conditions as KFP compiles them (`dsl.If`, `Elif`, `Else`): comparisons, `!` and `&&` of CEL, read once, decided without surprises."""

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from robo_poet.errors import BadInput

Decision = Callable[[Mapping[str, Any]], Any]
_COMPARE = {ast.Eq: eq, ast.NotEq: ne, ast.Lt: lt, ast.Gt: gt, ast.LtE: le, ast.GtE: ge}
# The few words in which CEL and Python differ; what stands in quotes is left alone, and a backslash in there is not ours to interpret.
_WORDS = re.compile(r"'[^'\\]*'|&&|!(?!=)|\btrue\b|\bfalse\b|\bdouble\b|\\")
_PYTHON = {"&&": " and ", "!": " not ", "true": "True", "false": "False", "double": "float", "\\": "?"}


@dataclass(frozen=True)
class Condition:
    """A condition and the names of the parameters it looks at."""

    text: str
    names: frozenset[str]
    decision: Decision

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Decide the condition.

        Raises:
            BadInput: it compares values of two types, which the cluster refuses as well.
        """
        return bool(self.decision(values))


def parse(text: str, where: str) -> Condition:
    """Read a condition.

    Raises:
        BadInput: it uses more than comparisons of parameters and literals, `!`, `&&` and brackets.
    """
    names: set[str] = set()
    try:
        tree = ast.parse(_WORDS.sub(lambda match: _PYTHON.get(match[0], match[0]), text).strip(), mode="eval")
        decision = _truth(tree.body, names)
    except (SyntaxError, NotImplementedError):
        raise BadInput(f"the condition {text!r} is not supported by the local executor", where=where) from None
    return Condition(text, frozenset(names), decision)


def _truth(node: ast.expr, names: set[str]) -> Decision:
    match node:
        case ast.BoolOp(op=ast.And(), values=parts):
            terms = [_truth(part, names) for part in parts]
            return lambda values: all(term(values) for term in terms)
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            term = _truth(inner, names)
            return lambda values: not term(values)
        case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in _COMPARE:
            first, second, compare = _operand(left, names), _operand(right, names), _COMPARE[type(sign)]

            def decide(values: Mapping[str, Any]) -> bool:
                a, b = first(values), second(values)
                if _kind(a) is not _kind(b):
                    raise BadInput(f"a condition compares {a!r} with {b!r}")
                return bool(compare(a, b))

            return decide
    raise NotImplementedError


def _operand(node: ast.expr, names: set[str]) -> Decision:
    match node:
        case ast.Subscript(value=ast.Attribute(value=ast.Name(id="inputs"), attr="parameter_values"), slice=ast.Constant(value=str(name))):
            names.add(name)
            return lambda values: values[name]
        case ast.Call(func=ast.Name(id=("int" | "float") as cast), args=[inner], keywords=[]):
            number, operand = {"int": int, "float": float}[cast], _operand(inner, names)
            return lambda values: number(operand(values))
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=(int() | float()) as literal)):
            return lambda values: -literal
        case ast.Constant(value=(str() | int() | float()) as constant):
            return lambda values: constant
    raise NotImplementedError


def _kind(value: Any) -> type:
    return float if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value)
