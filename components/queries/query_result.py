"""The result of a query as a folder of Parquet files.

Each run asks the database anew, because only it knows whether its rows have changed. A folder is named by a digest of
the rows, whatever their order: the same rows are the same folder, in the order in which they first came, and what was
made of them comes from the cache. Of each query, and of no other, the newest folder is kept, and those that another
process may have been given a short time ago: it reads them when it no longer holds the lock.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow as pa

from components.example_gen.kept_folder import alone, is_whole, keep, staging
from components.queries.result_files import ResultFiles
from components.queries.statement import Dialect, Statement
from configs.account import Account
from configs.paths import resolve
from configs.query import Query
from configs.store_url import parse_store_url
from schemas.errors import DataError, SettingsError
from schemas.raw_columns import RawColumns

READ_SECONDS = 6 * 3600
"""How long a folder is kept for whoever was given it; ExampleGen has read it by then."""
_PREFIX = "query-"


def query_text(query: Query) -> str:
    """The SELECT of a query, read where it is in a file.

    Raises:
        SettingsError: the file cannot be read.
    """
    if query.text is not None:
        return query.text
    path = resolve(query.file or "")
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(
            "The file of the query cannot be read.",
            where="data.query.file",
            received=f"{path}: {reason}",
            fix="Name a file with one SELECT, or give the query as data.query.text.",
        ) from error


def query_statement(query: Query, span: int | None) -> Statement:
    """The query with the values of its placeholders.

    Raises:
        SettingsError: it is not one SELECT, or it does not fit to the span.
    """
    dialect: Dialect = "bigquery"
    if query.url is not None:
        dialect = "mysql" if query.url.startswith("mysql:") else "postgresql"
    return Statement(query_text(query), dialect, span)


def query_result(
    query: Query, span: int | None, table: RawColumns, parent: Path, environment: Mapping[str, str]
) -> Path:
    """Runs a query and keeps what it gives.

    Args:
        query: what to read.
        span: data.span.
        table: the feature table, whose columns are kept.
        parent: where kept folders are.
        environment: holds the password.

    Returns:
        A folder of Parquet files.

    Raises:
        DataError: the rows cannot be read, or there are none.
        SettingsError: the password cannot be found, or the query is not one SELECT.
    """
    statement = query_statement(query, span)
    key = hashlib.sha256(f"{query.url or query.project}\n{query_text(query)}".encode()).hexdigest()[:8]
    with alone(parent), staging(parent) as staged:
        with ResultFiles(staged) as result:
            _read(query, statement, table, environment, result.write)
        if not result.digest.rows:
            raise DataError(
                "The query gives no row.",
                where="data.query",
                received="0 rows" if span is None else f"0 rows of span {span}",
                fix="Check its conditions and data.span, or wait for the data.",
            )
        folder = parent / f"{_PREFIX}{key}-{result.digest.hexdigest()}"
        if not is_whole(folder, "parquet"):
            keep(staged, folder, result.files)
        os.utime(folder)  # the newest, also where it was there before
        for old in parent.glob(f"{_PREFIX}{key}-*"):
            if old.stat().st_mtime < time.time() - READ_SECONDS:
                shutil.rmtree(old)
    return folder


def _read(
    query: Query,
    statement: Statement,
    table: RawColumns,
    environment: Mapping[str, str],
    write: Callable[[pa.RecordBatch], None],
) -> None:
    # Drivers are imported where one is used.
    if query.url is None:
        from components.queries.bigquery import read_bigquery

        read_bigquery(query, statement, table, write)
        return
    url = parse_store_url(query.url)
    account = Account.of(query.url, url, environment, "data.query.url")
    if url.scheme == "mysql":
        from components.queries.mysql import read_mysql

        read_mysql(url, account, statement, query.timeout_seconds, table, write)
        return
    from components.queries.postgresql import read_postgresql

    sslpassword = query.url.reveal_part(url.parameters.get("sslpassword", ""), environment)
    read_postgresql(url, account, sslpassword, statement, query.timeout_seconds, table, write)
