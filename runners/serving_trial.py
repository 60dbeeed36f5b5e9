"""A look at a model server that has just started: the same rows by REST and by gRPC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from schemas.errors import ServingError
from serving.client.client_tls import ClientTls, is_secure
from serving.client.columns import Columns, columns_of_rows
from serving.client.grpc_client import GrpcClient
from serving.client.rest_client import RestClient

_SHOWN_COLUMNS = 5


def ask_both(
    rest: str, grpc: str, model: str, rows: Sequence[Mapping[str, Any]], tls: ClientTls | None = None
) -> tuple[Columns, int]:
    """Predictions for rows, by both protocols.

    Args:
        rest: `http://HOST:PORT`, or `https://` before it.
        grpc: `HOST:PORT`, or `grpcs://` before it.
        model: its name.
        rows: values by key.
        tls: for those of the two that have TLS.

    Returns:
        The outputs, and the version that gave them.

    Raises:
        DataError: a value is not what the model takes.
        ServingError: the server refuses, or the protocols give different answers.
    """
    with (
        RestClient(rest, model, tls=tls if is_secure(rest) else None) as one,
        GrpcClient(grpc, model, tls=tls if is_secure(grpc) else None) as other,
    ):
        asked = one.signature()
        columns = columns_of_rows(rows, asked)
        by_rest = one.predict(columns, signature=asked.name).outputs
        found = other.predict(columns, signature=asked.name)
    for key, values in found.outputs.items():
        if not _equal(by_rest[key], values):
            raise ServingError(
                "REST and gRPC give different answers.",
                where=f"{model}, output {key}",
                received=f"{by_rest[key].tolist()} and {values.tolist()}",
                fix="Ask again: a new version may have come between the two.",
            )
    return found.outputs, found.version or 0


def print_answers(rows: Sequence[Mapping[str, Any]], outputs: Columns, title: str, console: Console) -> None:
    """Prints rows, the first of their columns, with what the model says of them."""
    shown = list(rows[0])[:_SHOWN_COLUMNS]
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for key in shown:
        table.add_column(key, overflow="ellipsis")
    for key in outputs:
        table.add_column(key, style="bold")
    for place, row in enumerate(rows):
        table.add_row(
            *(str(row.get(key, "")) for key in shown),
            *(_text(one[place] if one.ndim else one) for one in outputs.values()),
        )
    console.print(table)


def _equal(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> bool:
    if one.dtype.kind == "f":
        return one.shape == other.shape and bool(np.allclose(one, other, rtol=1e-6, equal_nan=True))
    return bool(np.array_equal(one, other))


def _text(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.ndim:
        return ", ".join(_text(one) for one in value)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return f"{value:.4g}" if isinstance(value, np.floating) else str(value)
