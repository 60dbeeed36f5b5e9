"""The SELECT of `data.query`: that it is one, and its span, in the words of `data.path`.

    SELECT ... WHERE day = {YYYY}-{MM}-{DD} ORDER BY id        a date
    SELECT ... WHERE batch = {SPAN} ORDER BY id                a whole number

A placeholder is a value, so it stands where a value may stand: neither in quotes nor in a name. What is a string or a
comment differs from one database to the next; in doubt, the server judges.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from typing import Literal

from schemas.errors import SettingsError

Dialect = Literal["postgresql", "mysql", "bigquery"]
Value = int | datetime.date
"""Of a placeholder."""

_EPOCH = datetime.date(1970, 1, 1)
_PLACEHOLDER = re.compile(r"\{YYYY\}-\{MM\}-\{DD\}|\{(?:YYYY|MM|DD|SPAN|VERSION)(?::\d+)?\}")
_KNOWN = ("{SPAN}", "{YYYY}-{MM}-{DD}")
_ESCAPED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_QUOTED: dict[Dialect, str] = {
    "postgresql": r"[eE]'(?:[^'\\]|\\.)*'|'[^']*'|\"[^\"]*\"|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$",
    "mysql": rf"{_ESCAPED}|`[^`]*`",
    "bigquery": rf"'''(?:[^\\]|\\.)*?'''|\"\"\"(?:[^\\]|\\.)*?\"\"\"|{_ESCAPED}|`[^`]*`",
}
_COMMENT: dict[Dialect, str] = {
    "postgresql": r"--[^\n]*|/\*.*?\*/",
    "mysql": r"--(?=\s)[^\n]*|#[^\n]*|/\*.*?\*/",
    "bigquery": r"--[^\n]*|#[^\n]*|/\*.*?\*/",
}
_SELECT = re.compile(r"[\s(]*(?:SELECT|WITH|VALUES|TABLE)\b", re.IGNORECASE)
_INTO = re.compile(r"\bINTO\b", re.IGNORECASE)
_WORD = re.compile(r"[\s(]*(\S{1,40})")


class Statement:
    """One SELECT, whose placeholders have values.

    Args:
        text: as in the settings.
        dialect: of the database.
        span: data.span.

    Raises:
        SettingsError: it is not one SELECT, or its placeholders and the span do not fit together.
    """

    def __init__(self, text: str, dialect: Dialect, span: int | None) -> None:
        bare = _without(text, _QUOTED[dialect], _COMMENT[dialect])
        if not _SELECT.match(bare):
            found = _WORD.match(bare)
            raise _refused("The query is not a SELECT.", found[1] if found else "nothing", "Give one SELECT statement.")
        if into := _INTO.search(bare):  # a table, or a file of the server
            raise _refused("The query would write.", _around(text, into.start()), "Leave INTO out: rows are only read.")
        end = len(bare.rstrip().rstrip(";").rstrip())
        if ";" in bare[:end]:
            raise _refused("The query holds several statements.", _around(text, bare.index(";")), "Give one SELECT.")
        # Behind the last semicolon there is nothing but comments.
        self._text = text[:end] if ";" in bare[end:] else text
        self._values = _values(self._text, bare, span)

    def bound(self, place: Callable[[Value], str]) -> str:
        """The statement for the server.

        Args:
            place: gives what stands for a value: a parameter's name, or the value as the database writes it.
        """
        return _PLACEHOLDER.sub(lambda found: place(self._values[found.group()]), self._text)

    @property
    def values(self) -> tuple[Value, ...]:
        """Of the placeholders, each once."""
        return tuple(self._values.values())


def _values(text: str, bare: str, span: int | None) -> dict[str, Value]:
    found = list(_PLACEHOLDER.finditer(text))
    if not found:
        if span is not None:
            raise SettingsError(
                "A span is asked for, but the query does not name one.",
                where="data.span",
                received=span,
                fix=f"Put {' or '.join(_KNOWN)} into data.query, or remove data.span.",
            )
        return {}
    for each in found:
        if each.group() not in _KNOWN:
            fix = f"Use {' or '.join(_KNOWN)}; the database's own functions make the rest of them."
            raise _refused("The query holds a placeholder that means nothing there.", each.group(), fix)
        if bare[each.start() : each.end()] != each.group():
            fix = "Write it without quotes, outside of names and comments: {SPAN} is a number, the other one a date."
            raise _refused("A placeholder of the query is in quotes.", _around(text, each.start()), fix)
    if span is None:
        raise SettingsError(
            "The query reads one span, and it is not said which.",
            where="data.span",
            received=", ".join(sorted({each.group() for each in found})),
            fix="Set data.span, for a date the number of days since 1970-01-01. The newest is not looked for: what a "
            "table holds of today may not be all of it.",
        )
    values: dict[str, Value] = {}
    for each in found:
        values[each.group()] = span if each.group() == "{SPAN}" else _date(span)
    return values


def _date(span: int) -> datetime.date:
    try:
        return _EPOCH + datetime.timedelta(days=span)
    except OverflowError as error:
        raise SettingsError(
            "The span is no date.", where="data.span", received=span, fix="Give the number of days since 1970-01-01."
        ) from error


def _without(text: str, quoted: str, comment: str) -> str:
    """The text with as many dots for what is quoted, and as many blanks for comments."""
    either = re.compile(f"(?P<comment>{comment})|{quoted}", re.DOTALL)
    return either.sub(lambda found: (" " if found["comment"] else ".") * len(found.group()), text)


def _around(text: str, place: int) -> str:
    return f"... {' '.join(text[max(0, place - 20) : place + 40].split())} ..."


def _refused(what: str, received: str, fix: str) -> SettingsError:
    return SettingsError(what, where="data.query", received=received, fix=fix)
