"""Rows of BigQuery, through Google's client and its REST interface, a page at a time.

A dry run comes first, which is free: it says whether the query is a SELECT, which columns it gives and how many bytes
it will read. The span is a parameter of the query. Types are those that the client gives them in Arrow.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pyarrow as pa
from google.api_core import exceptions
from google.auth import exceptions as auth
from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_RETRY

from components.queries.columns import choose_columns
from components.queries.failure import Failure, Place
from components.queries.statement import Statement
from components.queries.time_limit import TimeLimit
from configs.query import Query
from schemas.raw_columns import RawColumns

MakeClient = Callable[[Query], Any]
"""Gives the client of a query's project."""

CREDENTIALS = "Google's default credentials (gcloud auth application-default login, GOOGLE_APPLICATION_CREDENTIALS)"
RETRY_SECONDS = 60.0
"""How long a call that may succeed later is tried."""
REQUEST_SECONDS = 60.0
"""How long an answer may take; the client gives those that hold rows two minutes at least."""
_POLL_SECONDS = 1.0
_PARAMETERS: Mapping[type, tuple[str, str]] = {int: ("span", "INT64"), datetime.date: ("date", "DATE")}
_SEVERAL = ("RECORD", "STRUCT", "RANGE")
# https://cloud.google.com/bigquery/docs/error-messages
_FAILURES: Mapping[str, Failure] = {
    "accessDenied": Failure.PERMISSION,
    "authError": Failure.ACCOUNT,
    "bytesBilledLimitExceeded": Failure.COSTLY,
    "invalidQuery": Failure.SYNTAX,
    "notFound": Failure.NAME,
    "quotaExceeded": Failure.BUSY,
    "rateLimitExceeded": Failure.BUSY,
    "timeout": Failure.TIMEOUT,
}


def default_client(query: Query) -> Any:
    """A client with Google's default credentials.

    Raises:
        google.auth.exceptions.GoogleAuthError: there are none.
    """
    return bigquery.Client(project=query.project, location=query.location)


def read_bigquery(
    query: Query,
    statement: Statement,
    table: RawColumns,
    write: Callable[[pa.RecordBatch], None],
    make_client: MakeClient = default_client,
    retry_seconds: float = RETRY_SECONDS,
    request_seconds: float = REQUEST_SECONDS,
) -> None:
    """Reads the rows of a query.

    Args:
        query: project, location and limits.
        statement: the query.
        table: the feature table, whose columns are kept.
        write: takes the rows, a page at a time.
        make_client: makes Google's client.
        retry_seconds: how long a call that may succeed later is tried.
        request_seconds: how long an answer may take.

    Raises:
        DataError: why they cannot be read.
    """
    place = Place(f"bigquery, project {query.project or 'of the credentials'}", CREDENTIALS)
    limit = TimeLimit(query.timeout_seconds)
    with _told(place, limit, Failure.UNREACHABLE):
        client = make_client(query)
    with contextlib.closing(client):
        retry = DEFAULT_RETRY.with_timeout(retry_seconds)
        start = functools.partial(
            client.query,
            statement.bound(lambda value: f"@{_PARAMETERS[type(value)][0]}"),
            retry=retry,
            timeout=request_seconds,
            job_retry=None,  # which some versions do for ten minutes and more, around the other one
        )
        with _told(place, limit, Failure.UNREACHABLE):
            dry = start(job_config=_config(query, statement, dry_run=True))
        if dry.statement_type != "SELECT":
            raise place.error(Failure.READ_ONLY, f"a statement of the kind {dry.statement_type}")
        logging.info("The query reads %s bytes.", dry.total_bytes_processed)
        several = {
            field.name: f"{field.mode} {field.field_type}"
            for field in dry.schema
            if field.mode == "REPEATED" or field.field_type in _SEVERAL
        }
        chosen = choose_columns([field.name for field in dry.schema], table, several, place.name)
        with _told(place, limit, Failure.LOST):
            job = start(job_config=_config(query, statement, dry_run=False))
            # To wait in result() takes one limit for both, the answers and the query.
            while not job.done(retry=retry, timeout=request_seconds):
                limit.check()
                time.sleep(_POLL_SECONDS)
            result = job.result(retry=retry, timeout=min(request_seconds, limit.rest or request_seconds))
            batches = iter(result.to_arrow_iterable())
        while True:
            with _told(place, limit, Failure.LOST):
                limit.check()
                batch = next(batches, None)
            if batch is None:
                return
            if batch.num_rows:
                names = [batch.schema.names[number] for number in chosen]
                write(pa.RecordBatch.from_arrays([batch.column(number) for number in chosen], names))


def _config(query: Query, statement: Statement, *, dry_run: bool) -> Any:
    config = bigquery.QueryJobConfig(
        use_legacy_sql=False,
        dry_run=dry_run,
        query_parameters=[
            bigquery.ScalarQueryParameter(*_PARAMETERS[type(value)], value) for value in statement.values
        ],
    )
    if query.maximum_bytes_billed is not None:
        config.maximum_bytes_billed = query.maximum_bytes_billed
    if query.timeout_seconds is not None:
        config.job_timeout_ms = max(1, round(query.timeout_seconds * 1000))
    return config


@contextlib.contextmanager
def _told(place: Place, limit: TimeLimit, gone: Failure) -> Iterator[None]:
    """Translates what the client raises."""
    try:
        yield
    except exceptions.GoogleAPICallError as error:
        raise place.error(_failure(error, gone), error) from error
    except (auth.DefaultCredentialsError, auth.RefreshError) as error:
        raise place.error(Failure.ACCOUNT, error) from error
    except (exceptions.RetryError, auth.GoogleAuthError, OSError) as error:  # requests' own are OSErrors
        raise place.error(Failure.TIMEOUT if limit.over else gone, error) from error


def _failure(error: Any, gone: Failure) -> Failure:
    if "timed out" in str(error):
        return Failure.TIMEOUT
    reason = error.errors[0].get("reason", "") if error.errors else ""
    if reason in _FAILURES:
        return _FAILURES[reason]
    if isinstance(error, exceptions.Unauthorized):
        return Failure.ACCOUNT
    if isinstance(error, exceptions.Forbidden):
        return Failure.PERMISSION
    return gone if isinstance(error, exceptions.ServerError) else Failure.OTHER
