"""Predictions for many rows: requests of some rows each, several at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from serving.client.columns import Columns, columns_of, joined, length
from serving.client.prediction import Prediction
from serving.client.signature import Signature

ROWS = 256
REQUESTS = 4


class Client(Protocol):
    """RestClient or GrpcClient."""

    def signature(self, name: str = "") -> Signature:
        """A signature of the model."""

    def predict(self, columns: Mapping[str, Any], *, signature: str = "") -> Prediction:
        """Predictions for rows."""


class AsyncClient(Protocol):
    """AsyncRestClient or AsyncGrpcClient."""

    async def signature(self, name: str = "") -> Signature:
        """A signature of the model."""

    async def predict(self, columns: Mapping[str, Any], *, signature: str = "") -> Prediction:
        """Predictions for rows."""


def predict_all(
    client: Client, columns: Mapping[str, Any], *, signature: str = "", rows: int = ROWS, requests: int = REQUESTS
) -> Columns:
    """The outputs for any number of rows, in their order.

    Where a version is swapped meanwhile, some rows are answered by it and some by the one before: name a version, or a
    label that stays, where that matters.

    Args:
        client: of the model.
        columns: the inputs, [rows, ...] each.
        signature: default: as the client's.
        rows: in a request, at most.
        requests: at a time.

    Raises:
        DataError: a column is not what the model takes, or columns are of different lengths.
        ServingError: the server does not answer in time, or refuses; no part of the answers is given then.
    """
    asked = client.signature(signature)
    with ThreadPoolExecutor(requests) as pool:
        futures = [
            pool.submit(client.predict, part, signature=asked.name) for part in _parts(columns_of(columns, asked), rows)
        ]
        try:
            return joined(future.result().outputs for future in futures)
        finally:
            for future in futures:  # after an error nobody wants the rest
                future.cancel()


async def predict_all_async(
    client: AsyncClient, columns: Mapping[str, Any], *, signature: str = "", rows: int = ROWS, requests: int = REQUESTS
) -> Columns:
    """As predict_all, for asyncio."""
    asked = await client.signature(signature)
    allowed = asyncio.Semaphore(requests)

    async def ask(part: Columns) -> Columns:
        async with allowed:
            return (await client.predict(part, signature=asked.name)).outputs

    tasks = [asyncio.ensure_future(ask(part)) for part in _parts(columns_of(columns, asked), rows)]
    try:
        return joined(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()


def _parts(columns: Columns, rows: int) -> Iterator[Columns]:
    for begin in range(0, max(length(columns), 1), rows):
        yield {key: column[begin : begin + rows] for key, column in columns.items()}
