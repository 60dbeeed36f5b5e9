"""Label expressions such as `tips > 0.2 * fare`: a small, safe subset of Python.

Allowed: column names, numbers, quoted strings, `+ - * /`, unary minus, the six comparisons, `and`, `or`, `not`,
parentheses. The same expression is evaluated on NumPy arrays (ingestion) and on tensors (Transform), since both overload
the same operators; a comparison with a missing (NaN) number is false on both.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

from schemas.errors import SchemaError

_BINARY: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.And: operator.and_,
    ast.Or: operator.or_,
}
_UNARY: dict[type[ast.AST], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.invert,
}


class Expression:
    """A parsed expression.

    Args:
        text: the expression, for example `tips > 0.2 * fare`.

    Raises:
        SchemaError: the text is not an expression of the subset above.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            self._body = ast.parse(text.strip(), mode="eval").body
        except SyntaxError as error:
            raise self._refused(f"it cannot be parsed: {error.msg}") from error
        self._check(self._body)
        names = (node.id for node in ast.walk(self._body) if isinstance(node, ast.Name))
        self.columns: tuple[str, ...] = tuple(dict.fromkeys(names))
        strings = {
            side.id
            for node in ast.walk(self._body)
            if isinstance(node, ast.Compare)
            and any(isinstance(s, ast.Constant) and isinstance(s.value, str) for s in (node.left, *node.comparators))
            for side in (node.left, *node.comparators)
            if isinstance(side, ast.Name)
        }
        self.string_columns: frozenset[str] = frozenset(strings)

    def __call__(self, columns: Mapping[str, Any]) -> Any:
        """The value of the expression, of the same shape as the columns.

        Args:
            columns: an array or tensor for each name in `self.columns`; numbers as floats, text as bytes or strings.
        """
        return self._value(self._body, columns)

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def _refused(self, why: str) -> SchemaError:
        return SchemaError(
            f"The label expression is not usable: {why}.",
            where="label.expression",
            received=self.text,
            fix="Use column names, numbers, quoted strings, + - * /, comparisons, and / or / not. Example: tips > 0.2 * fare",
        )

    def _check(self, node: ast.AST) -> None:
        if isinstance(node, ast.BoolOp):
            parts: list[ast.AST] = list(node.values)
        elif isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
            parts = [node.left, node.right]
        elif isinstance(node, ast.UnaryOp) and type(node.op) in _UNARY:
            parts = [node.operand]
        elif isinstance(node, ast.Compare) and all(type(op) in _BINARY for op in node.ops):
            parts = [node.left, *node.comparators]
        elif isinstance(node, ast.Name) or (
            isinstance(node, ast.Constant) and isinstance(node.value, (int, float, str))
        ):
            parts = []
        else:
            raise self._refused(f"{ast.unparse(node)!r} is not allowed")
        for part in parts:
            self._check(part)

    def _value(self, node: ast.AST, columns: Mapping[str, Any]) -> Any:
        if isinstance(node, ast.Name):
            return columns[node.id]
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.BinOp):
            return _BINARY[type(node.op)](self._value(node.left, columns), self._value(node.right, columns))
        if isinstance(node, ast.UnaryOp):
            return _UNARY[type(node.op)](self._value(node.operand, columns))
        if isinstance(node, ast.BoolOp):
            result = self._value(node.values[0], columns)
            for part in node.values[1:]:
                result = _BINARY[type(node.op)](result, self._value(part, columns))
            return result
        if not isinstance(node, ast.Compare):  # unreachable after _check; narrows the type
            raise self._refused(f"{ast.unparse(node)!r} is not allowed")
        result = None
        left = self._value(node.left, columns)
        for op, comparator in zip(node.ops, node.comparators, strict=True):
            right = self._value(comparator, columns)
            step = _BINARY[type(op)](left, right)
            result = step if result is None else operator.and_(result, step)
            left = right
        return result
