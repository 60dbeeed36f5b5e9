"""The SELECT of a query and its span."""

from __future__ import annotations

import datetime

import pytest

from components.queries.statement import Dialect, Statement, Value
from schemas.errors import SettingsError


def _shown(value: Value) -> str:
    return f"<{value}>"


def test_a_date_and_a_number() -> None:
    # 18,262 days after 1970-01-01: 50 years with 12 leap days.
    text = "SELECT * FROM trips WHERE day = {YYYY}-{MM}-{DD} AND batch < {SPAN} OR day < {YYYY}-{MM}-{DD}"
    statement = Statement(text, "postgresql", 18262)
    assert statement.values == (datetime.date(2020, 1, 1), 18262)
    assert statement.bound(_shown) == (
        "SELECT * FROM trips WHERE day = <2020-01-01> AND batch < <18262> OR day < <2020-01-01>"
    )


@pytest.mark.parametrize(
    ("dialect", "text", "expected"),
    [
        ("postgresql", "SELECT 1;", "SELECT 1"),
        ("postgresql", "SELECT 1 ; -- the end;\n", "SELECT 1"),
        ("postgresql", "SELECT 1 -- the end;", "SELECT 1 -- the end;"),
        ("postgresql", "/* SELECT; */ (select ';' AS \";\")", "/* SELECT; */ (select ';' AS \";\")"),
        ("postgresql", r"SELECT 'C:\', E'\';', 2", r"SELECT 'C:\', E'\';', 2"),
        ("postgresql", "SELECT $a$;'$a$, 'it''s;'", "SELECT $a$;'$a$, 'it''s;'"),
        ("mysql", r"SELECT 'it\'s;' AS `;` # ;", r"SELECT 'it\'s;' AS `;` # ;"),
        ("bigquery", "SELECT '''a';b''', r\"\\\";\" FROM `a.b`", "SELECT '''a';b''', r\"\\\";\" FROM `a.b`"),
        ("mysql", "WITH a AS (SELECT 1) SELECT * FROM a", "WITH a AS (SELECT 1) SELECT * FROM a"),
        ("postgresql", "SELECT '{\"YYYY\": {}}', 'x{2}'", "SELECT '{\"YYYY\": {}}', 'x{2}'"),
    ],
)
def test_what_is_quoted_or_a_comment_does_not_count(dialect: Dialect, text: str, expected: str) -> None:
    assert Statement(text, dialect, None).bound(_shown) == expected


@pytest.mark.parametrize(
    ("text", "span", "what", "received"),
    [
        ("DELETE FROM trips", None, "The query is not a SELECT.", "DELETE"),
        ("-- nothing", None, "The query is not a SELECT.", "nothing"),
        ("EXPLAIN SELECT 1", None, "The query is not a SELECT.", "EXPLAIN"),
        (
            "SELECT 1; DROP TABLE trips",
            None,
            "The query holds several statements.",
            "... SELECT 1; DROP TABLE trips ...",
        ),
        ("SELECT * INTO other FROM trips", None, "The query would write.", "... SELECT * INTO other FROM trips ..."),
        ("SELECT '{SPAN}'", 1, "A placeholder of the query is in quotes.", "... SELECT '{SPAN}' ..."),
        ('SELECT 1 FROM "{SPAN}"', 1, "A placeholder of the query is in quotes.", '... SELECT 1 FROM "{SPAN}" ...'),
        ("SELECT {SPAN:3}", 1, "The query holds a placeholder that means nothing there.", "{SPAN:3}"),
        ("SELECT {YYYY}", 1, "The query holds a placeholder that means nothing there.", "{YYYY}"),
        ("SELECT {SPAN}", None, "The query reads one span, and it is not said which.", "{SPAN}"),
        ("SELECT 1", 0, "A span is asked for, but the query does not name one.", "0"),
        ("SELECT {YYYY}-{MM}-{DD}", 10**7, "The span is no date.", "10000000"),
    ],
)
def test_what_is_refused(text: str, span: int | None, what: str, received: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Statement(text, "postgresql", span)
    assert (caught.value.what, caught.value.received) == (what, received)
    assert caught.value.fix
