"""`scalable-tf predict`: rows of a file, and what a model server answers."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from runners.commands.exit_codes import EXIT_OK
from runners.commands.grpc_address import grpc_address
from runners.commands.libraries import libraries
from runners.commands.options import add_settings, load
from runners.commands.tls_options import add_tls, tls_of
from schemas.errors import DataError, ServingError, SettingsError
from schemas.request import request_key

if TYPE_CHECKING:
    from runners.commands.options import Commands
    from serving.client.grpc_client import GrpcClient
    from serving.client.rest_client import RestClient
    from serving.client.signature import Signature


def add(commands: Commands) -> None:
    """Makes the parser."""
    parser = commands.add_parser("predict", help="ask a model server for predictions of rows in a file")
    address = parser.add_mutually_exclusive_group(required=True)
    address.add_argument(
        "--url", metavar="URL", help="REST: http(s)://HOST:PORT, or with the model, http://HOST:PORT/v1/models/NAME"
    )
    address.add_argument("--grpc", type=grpc_address, metavar="HOST:PORT", help="gRPC; with TLS grpcs://HOST:PORT")
    add_tls(parser)
    parser.add_argument("--model", default="", metavar="NAME", help="the model, where the URL does not name it")
    version = parser.add_mutually_exclusive_group()
    version.add_argument("--version", type=int, metavar="N", help="default: the newest")
    version.add_argument("--label", metavar="LABEL", help="such as stable")
    parser.add_argument("--signature", default="", metavar="NAME", help="default: predict, or else serving_default")
    parser.add_argument(
        "--input",
        type=Path,
        required=True,
        metavar="FILE",
        help="rows: CSV with a header, JSON, or an object a line; with -c the texts of data.missing_values are missing",
    )
    parser.add_argument("--batch", type=int, default=256, metavar="N", help="rows in a request; default: 256")
    parser.add_argument("--timeout", type=float, default=30.0, metavar="S", help="seconds for a request; default: 30")
    add_settings(parser, required=False)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from serving.client.batches import predict_all
    from serving.client.columns import columns_of_rows
    from serving.client.rows_file import read_rows

    if arguments.batch < 1 or not arguments.timeout > 0:
        raise SettingsError(
            "--batch and --timeout must be greater than 0.", received=f"{arguments.batch}, {arguments.timeout}"
        )
    rows = read_rows(arguments.input, load(arguments).data.missing_values if arguments.config else ())
    if not rows:
        raise DataError("There are no rows to predict for.", where=str(arguments.input), fix="Name a file with rows.")
    how = {"timeout": arguments.timeout, "tls": tls_of(arguments, [arguments.url or arguments.grpc])}
    with _client(arguments, how) as client:
        with _versions_told(client, how):
            asked = client.signature(arguments.signature)
        _tell(rows, asked)
        columns = columns_of_rows(rows, asked)
        found = predict_all(client, columns, signature=asked.name, rows=arguments.batch)
    for place in range(len(rows)):
        print(json.dumps({key: _plain(column[place] if column.ndim else column) for key, column in found.items()}))
    return EXIT_OK


@contextlib.contextmanager
def _client(arguments: argparse.Namespace, how: Mapping[str, Any]) -> Iterator[RestClient | GrpcClient]:
    """The client, whose libraries are loaded only where it is the one."""
    named = {"version": arguments.version, "label": arguments.label, **how}
    if arguments.url:
        from serving.client.rest_client import RestClient

        with RestClient(arguments.url, arguments.model, **named) as client:
            yield client
        return
    from serving.client.target import Target

    Target(arguments.model, arguments.version, arguments.label)  # refused before TensorFlow is loaded
    with libraries():  # it is TensorFlow that they load
        from serving.client.grpc_client import GrpcClient
    with GrpcClient(arguments.grpc, arguments.model, **named) as other:
        yield other


@contextlib.contextmanager
def _versions_told(client: RestClient | GrpcClient, how: Mapping[str, Any]) -> Iterator[None]:
    """Adds which versions there are to the error of a version or label that there is not."""
    try:
        yield
    except ServingError as error:
        refused = any(mark in (error.received or "") for mark in ("not found", "version label"))
        if not refused or (client.target.version is None and client.target.label is None):
            raise
        try:
            with type(client)(client.address, client.target.model, **how) as other:
                states = {one["version"]: one["state"] for one in other.status()}
        except ServingError:
            raise error from None
        has = ", ".join(version for version in sorted(states, key=int) if states[version] == "AVAILABLE")
        fix = f"The model has the versions {has}. {error.fix}" if has else error.fix
        raise ServingError(error.what, where=error.where, received=error.received, fix=fix) from error


def _tell(rows: list[dict[str, Any]], asked: Signature) -> None:
    """Says which columns are missing, for the model then takes its defaults, and which it does not take."""
    names = {request_key(name): name for row in rows for name in row}
    missing, unknown = sorted(asked.inputs.keys() - names.keys()), sorted(names.keys() - asked.inputs.keys())
    small = {name.casefold(): name for name in missing}
    if len(missing) == len(asked.inputs):
        raise DataError(
            "The rows have none of the columns that the model takes.",
            where=f"signature {asked.name}",
            received=", ".join(sorted(names.values())) or "rows without any column",
            fix=f"It takes {', '.join(asked.inputs)}. Another one of the model: --signature NAME.",
        )
    if missing:
        print(f"note: not in the rows, so missing values for the model: {', '.join(missing)}", file=sys.stderr)
    if unknown:
        texts = []
        for key in unknown:
            near = get_close_matches(key.casefold(), small, n=1)
            texts.append(f"{names[key]} (or is it {small[near[0]]}?)" if near else names[key])
        print(f"note: not for the model, left out: {', '.join(texts)}", file=sys.stderr)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    if isinstance(value, np.ndarray) and value.ndim:
        return [_plain(one) for one in value]
    # Shortest in its own precision: 0.2 as float32 is 0.20000000298 as float64.
    return float(str(value)) if isinstance(value, np.floating) else value.item()
