"""Label expressions such as `tips > 0.2 * fare`: a small, safe subset of Python.

Allowed: column names, numbers, quoted strings (compared with == and != only), `+ - * /`, signs, the six comparisons,
`and`, `or`, `not`, parentheses. A column whose name is not a Python identifier stands in backquotes, as in pandas'
`query`: "`Trip Tips` > 0.2 * Fare". The same expression is evaluated on NumPy arrays (ingestion) and on tensors
(Transform), since both overload the same operators; a comparison with a missing (NaN) number is false on both, except
`!=`, which is true.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from keyword import iskeyword
from typing import Any, Literal
from unicodedata import normalize

from schemas.errors import SchemaError

Operation = Callable[[Any, Any], Any]

_ARITHMETIC: dict[type[ast.AST], Operation] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARISONS: dict[type[ast.AST], Operation] = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_LOGIC: dict[type[ast.AST], Operation] = {ast.And: operator.and_, ast.Or: operator.or_}
_UNARY: dict[type[ast.AST], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.invert,
}
_NAMES = {"truth": "a comparison", "number": "a number", "text": "text", None: "a column"}

_QUOTED = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?P<column>[^`]+)`""", re.DOTALL)
"""A quoted string, in which a backquote is a character as any other, or a column in backquotes."""

Kind = Literal["truth", "number", "text"]


class Expression:
    """A parsed expression.

    Args:
        text: the expression, for example `tips > 0.2 * fare`.

    Attributes:
        columns: the columns that it reads, in the order in which they appear.
        string_columns: those compared with quoted strings.

    Raises:
        SchemaError: the text is not an expression of the subset above, or reads no column.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            self._body = _parsed(text)
            self._strings: set[str] = set()
            self._numbers: set[str] = set()
            self._check(self._body)
        except SyntaxError as error:
            raise self._refused(f"it cannot be parsed: {error.msg}") from error
        except (RecursionError, MemoryError) as error:
            raise self._refused("it nests too deep") from error
        except ValueError as error:  # such as null bytes
            raise self._refused(f"it cannot be parsed: {error}") from error
        if both := sorted(self._strings & self._numbers):
            raise self._refused(f"{both[0]!r} is used both as text and as a number")
        names = (node for node in ast.walk(self._body) if isinstance(node, ast.Name))
        ordered = sorted(names, key=lambda node: (node.lineno, node.col_offset))
        self.columns: tuple[str, ...] = tuple(dict.fromkeys(_column(node) for node in ordered))
        self.string_columns: frozenset[str] = frozenset(self._strings)
        if not self.columns:
            raise self._refused("it reads no column")

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
            fix="Use column names, numbers, quoted strings, + - * /, comparisons, and / or / not, "
            "for example tips > 0.2 * fare; put a column whose name has spaces or signs in backquotes: `Trip Tips`.",
        )

    def _check(self, node: ast.AST) -> Kind | None:
        """What the node gives; None for a column, which may be anything."""
        if isinstance(node, ast.BoolOp):
            self._expect(node.values, "truth")
            return "truth"
        if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
            self._expect((node.left, node.right), "number")
            return "number"
        if isinstance(node, ast.UnaryOp) and type(node.op) in _UNARY:
            kind: Kind = "truth" if isinstance(node.op, ast.Not) else "number"
            self._expect((node.operand,), kind)
            return kind
        if isinstance(node, ast.Compare) and all(type(op) in _COMPARISONS for op in node.ops):
            self._check_comparison(node)
            return "truth"
        if isinstance(node, ast.Name):
            return None
        if isinstance(node, ast.Constant) and type(node.value) in (int, float, str):
            return "text" if isinstance(node.value, str) else "number"
        raise self._refused(f"{ast.unparse(node)!r} is not allowed")

    def _expect(self, nodes: Iterable[ast.AST], wanted: Kind) -> None:
        for node in nodes:
            found = self._check(node)
            if isinstance(node, ast.Name) and wanted == "truth":
                raise self._refused(
                    f"{_column(node)!r} is a column, not a comparison; write for example {node.id} == 1"
                )
            if isinstance(node, ast.Name):
                (self._strings if wanted == "text" else self._numbers).add(_column(node))
            elif found != wanted:
                raise self._refused(f"{ast.unparse(node)!r} is {_NAMES[found]} where {_NAMES[wanted]} belongs")

    def _check_comparison(self, node: ast.Compare) -> None:
        sides = (node.left, *node.comparators)
        if all(isinstance(side, ast.Constant) for side in sides):
            raise self._refused(f"{ast.unparse(node)!r} compares no column")
        if any(isinstance(side, ast.Constant) and isinstance(side.value, str) for side in sides):
            if not all(isinstance(op, (ast.Eq, ast.NotEq)) for op in node.ops):
                raise self._refused(f"{ast.unparse(node)!r}: text can only be compared with == and !=")
            self._expect(sides, "text")
        else:
            self._expect(sides, "number")

    def _value(self, node: ast.AST, columns: Mapping[str, Any]) -> Any:
        if isinstance(node, ast.Name):
            return columns[_column(node)]
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.BinOp):
            return _ARITHMETIC[type(node.op)](self._value(node.left, columns), self._value(node.right, columns))
        if isinstance(node, ast.UnaryOp):
            return _UNARY[type(node.op)](self._value(node.operand, columns))
        if isinstance(node, ast.BoolOp):
            return reduce(_LOGIC[type(node.op)], (self._value(part, columns) for part in node.values))
        if not isinstance(node, ast.Compare):  # unreachable after _check; narrows the type
            raise self._refused(f"{ast.unparse(node)!r} is not allowed")
        sides = [self._value(side, columns) for side in (node.left, *node.comparators)]
        steps = (
            _COMPARISONS[type(op)](_like(left, right), _like(right, left))
            for op, left, right in zip(node.ops, sides, sides[1:], strict=False)
        )
        return reduce(operator.and_, steps)


def _parsed(text: str) -> ast.expr:
    """The tree of the expression; the name of a column in backquotes keeps them, so that messages show them."""
    known = normalize("NFKC", text)  # As Python reads identifiers.
    prefix = "_"
    while prefix in known:
        prefix += "_"
    columns: list[str] = []

    def named(match: re.Match[str]) -> str:
        if match["column"] is None:
            return match[0]
        columns.append(match["column"])
        return f" {prefix}{len(columns) - 1} "

    body = ast.parse(_QUOTED.sub(named, text).strip(), mode="eval").body
    for node in ast.walk(body):
        if isinstance(node, ast.Name) and node.id.startswith(prefix):
            column = columns[int(node.id[len(prefix) :])]
            node.id = column if column.isidentifier() and not iskeyword(column) else f"`{column}`"
    return body


def _column(node: ast.Name) -> str:
    return node.id.strip("`")


def _like(value: Any, other: Any) -> Any:
    """A quoted string as bytes where it is compared with a NumPy array of bytes, which never equal a str."""
    if not isinstance(value, str):
        return value
    kind = getattr(getattr(other, "dtype", None), "kind", None)
    if kind == "O":
        there = next((item for item in other.flat if item is not None), None)
        return value.encode() if isinstance(there, bytes) else value
    return value.encode() if kind == "S" else value
