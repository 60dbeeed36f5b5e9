"""Rows of BigQuery, by Google's client from a service on this machine."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import DefaultCredentialsError
from google.cloud import bigquery
from google.cloud.bigquery import client

from components.queries.bigquery import read_bigquery
from components.queries.statement import Statement
from configs.query import Query
from schemas.errors import DataError
from schemas.features import FeatureTable
from schemas.raw_columns import RawColumns
from tests.unit.components.queries.bigquery_service import BigQueryService

pytestmark = pytest.mark.slow  # Google's client takes seconds to import

TABLE = RawColumns.of(
    FeatureTable.model_validate(
        {
            "features": {"fare": {"kind": "numeric"}, "payment": {"kind": "categorical"}},
            "label": {"kind": "binary", "expression": "tips > 1"},
        }
    )
)
FIELDS = (
    ("id", "INTEGER", "NULLABLE"),
    ("fare", "FLOAT", "NULLABLE"),
    ("payment", "STRING", "NULLABLE"),
    ("tips", "NUMERIC", "NULLABLE"),
    ("tags", "STRING", "REPEATED"),
)
ROWS = (
    ("1", "1.5", "Cash", "0", [{"v": "a"}]),
    ("2", None, "Card", "2.5", []),
    ("3", "7.0", None, "1.25", []),
)


def _read(
    service: BigQueryService, text: str, span: int | None = None, request_seconds: float = 60.0, **limits: Any
) -> list[dict[str, Any]]:
    query = Query.model_validate({"text": text, "project": "trips", "location": "EU", **limits})
    batches: list[pa.RecordBatch] = []

    def make_client(query: Query) -> Any:
        return bigquery.Client(
            project=query.project,
            location=query.location,
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": service.endpoint},
        )

    statement = Statement(text, "bigquery", span)
    read_bigquery(
        query, statement, TABLE, batches.append, make_client, retry_seconds=1.0, request_seconds=request_seconds
    )
    return [row for batch in batches for row in batch.to_pylist()]


def test_three_rows_on_two_pages() -> None:
    with BigQueryService(FIELDS, ROWS) as service:
        rows = _read(service, "SELECT * FROM trips")
    assert [(row["fare"], row["payment"], row["tips"]) for row in rows] == [
        (1.5, "Cash", Decimal("0")),
        (None, "Card", Decimal("2.5")),
        (7.0, None, Decimal("1.25")),
    ]
    assert set(rows[0]) == {"fare", "payment", "tips"}


def test_what_is_asked_for() -> None:
    text = "SELECT * FROM trips WHERE day = {YYYY}-{MM}-{DD}"
    with BigQueryService(FIELDS, ROWS) as service:
        _read(service, text, 18262, maximum_bytes_billed=10**9, timeout_seconds=5)
    dry, run = service.configurations
    assert (dry["dryRun"], run["dryRun"]) == (True, False)
    assert run["query"]["query"] == "SELECT * FROM trips WHERE day = @date"
    (parameter,) = run["query"]["queryParameters"]
    assert parameter["name"] == "date"
    assert parameter["parameterType"] == {"type": "DATE"}
    assert parameter["parameterValue"] == {"value": datetime.date(2020, 1, 1).isoformat()}
    assert run["query"]["maximumBytesBilled"] == str(10**9)
    assert run["query"]["useLegacySql"] is False
    assert run["jobTimeoutMs"] == "5000"


@pytest.mark.parametrize(
    ("call", "status", "reason", "message", "what"),
    [
        ("dry", 403, "accessDenied", "Access Denied: Table trips", "The user may not read this."),
        ("dry", 404, "notFound", "Not found: Table trips", "The query names something that is not there."),
        ("dry", 400, "invalidQuery", "Syntax error: ...", "The database does not understand the query."),
        ("dry", 503, "backendError", "Try again", "The database cannot be reached."),
        ("insert", 400, "bytesBilledLimitExceeded", "Query exceeded limit for bytes billed", "would be billed"),
        ("insert", 400, "invalid", "Job timed out after 1 s", "The query takes too long."),
        ("results", 500, "internalError", "broken", "The connection to the database was lost"),
    ],
)
def test_faults(call: str, status: int, reason: str, message: str, what: str) -> None:
    service = BigQueryService(FIELDS, ROWS, errors={call: (status, reason, message)})
    with service, pytest.raises(DataError) as caught:
        _read(service, "SELECT * FROM trips")
    assert what in caught.value.what
    assert message in str(caught.value.received)
    assert caught.value.where == "data.query, bigquery, project trips"


@pytest.mark.parametrize(
    ("call", "limits", "what"),
    [
        ("dry", {}, "The database cannot be reached."),
        ("insert", {}, "The connection to the database was lost"),
        ("results", {}, "The connection to the database was lost"),
        ("results", {"timeout_seconds": 0.1}, "The query takes too long."),
    ],
)
def test_silence(call: str, limits: dict[str, float], what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Two minutes, which Google's client gives answers with rows at least.
    monkeypatch.setattr(client, "_MIN_GET_QUERY_RESULTS_TIMEOUT", 2.0)
    with BigQueryService(FIELDS, ROWS, silent=call) as service, pytest.raises(DataError) as caught:
        _read(service, "SELECT * FROM trips", request_seconds=2.0, **limits)
    assert what in caught.value.what


def test_no_rows() -> None:
    with BigQueryService(FIELDS, ()) as service:
        assert _read(service, "SELECT * FROM trips") == []


def test_what_is_no_select_is_not_run() -> None:
    with BigQueryService(FIELDS, ROWS, statement="SCRIPT") as service, pytest.raises(DataError) as caught:
        _read(service, "WITH a AS (SELECT 1) SELECT * FROM a")
    assert caught.value.received == "a statement of the kind SCRIPT"
    assert len(service.configurations) == 1


def test_an_array_that_is_read() -> None:
    fields = [(name, kind, "REPEATED" if name == "payment" else mode) for name, kind, mode in FIELDS]
    with BigQueryService(fields, ROWS) as service, pytest.raises(DataError, match="holds several values") as caught:
        _read(service, "SELECT * FROM trips")
    assert caught.value.received == "REPEATED STRING"


def test_no_credentials() -> None:
    def refuse(query: Query) -> Any:
        raise DefaultCredentialsError("Your default credentials were not found.")

    query = Query(text="SELECT 1")
    with pytest.raises(DataError, match="GOOGLE_APPLICATION_CREDENTIALS"):
        read_bigquery(query, Statement("SELECT 1", "bigquery", None), TABLE, print, refuse)
