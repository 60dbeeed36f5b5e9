"""How the raw columns are named in a prediction request.

A column keeps its name where TensorFlow can hold it. The input of a signature becomes a graph operation and a Python
keyword, and neither takes every name, so that the rest is written in letters that both take:

    fare, a.b, a-b, 1st      as they are
    Trip Miles, fare ($)     Trip_Miles, fare____: any other ASCII character becomes _
    größe                    gr_xf6_xdfe: other characters become _ and their number in hexadecimal digits
    _id                      arg__id: the first character is an ASCII letter or a digit
    self, class              self_, class_: the words that a Python call cannot take as keywords

The key depends on the column's name alone. Serialized tf.Examples, Transform and slices have the raw names.

Source: `sanitize_arg_name` in tensorflow/core/function/polymorphism/function_type.py and `_VALID_OP_NAME_REGEX` in
tensorflow/python/framework/ops.py, both of TensorFlow 2.16 and 2.21.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from keyword import iskeyword

_STRANGE = re.compile(r"[^A-Za-z0-9_.-]")
_FIRST = re.compile(r"[A-Za-z0-9]")
_NO_KEYWORD = re.compile(r"[.-]")


def request_key(column: str) -> str:
    """The key of a raw column in a prediction request: ASCII letters, digits, `_`, `.` and `-`.

    >>> [request_key(column) for column in ("fare", "Trip Miles", "größe", "self")]
    ['fare', 'Trip_Miles', 'gr_xf6_xdfe', 'self_']
    """
    key = _STRANGE.sub("_", column.encode("ascii", "backslashreplace").decode())
    if not _FIRST.match(key):
        key = f"arg_{key}"
    return f"{key}_" if key == "self" or iskeyword(key) else key


def indistinct(columns: Iterable[str]) -> tuple[str, str] | None:
    """The first two columns whose keys one signature cannot hold together; None where there are none.

    TensorFlow tells inputs apart neither by upper and lower case nor by `.`, `-` and `_`: `Fare` and `fare`, `a.b` and
    `a_b`, and so `Trip Miles` and `Trip_Miles`, cannot be inputs of one signature.
    """
    seen: dict[str, str] = {}
    for column in columns:
        keyword = _NO_KEYWORD.sub("_", request_key(column)).lower()
        other = seen.setdefault(f"arg_{keyword}" if keyword[0].isdigit() else keyword, column)
        if other != column:
            return other, column
    return None
