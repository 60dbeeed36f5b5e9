"""`scalable-tf metadata serve`: ML Metadata's gRPC service over a store."""

from __future__ import annotations

import argparse
import logging
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from runners.commands.exit_codes import EXIT_OK
from runners.commands.options import add_settings, load
from schemas.errors import PlacedValueError, SettingsError

if TYPE_CHECKING:
    from runners.commands.options import Commands
    from runners.metadata.backend import Backend

_GRACE = 10.0  # seconds for the call that is being made


def add(commands: Commands) -> None:
    """Makes the parser."""
    parser = commands.add_parser("metadata", help="serve a metadata store")
    serve = parser.add_subparsers(required=True, metavar="serve").add_parser(
        "serve", help="ML Metadata's gRPC service over the store of some settings, or at a URL"
    )
    add_settings(serve, required=False)
    serve.add_argument("--url", metavar="URL", help="sqlite:////path, mysql://... or postgresql://..., instead of -c")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on; default: this machine only")
    serve.add_argument("--port", type=int, default=8080, metavar="N", help="0 picks one and prints it; default: 8080")
    serve.add_argument("--tls-cert", type=Path, metavar="FILE", help="PEM certificate with its chain, for grpcs://")
    serve.add_argument("--tls-key", type=Path, metavar="FILE", help="PEM key of --tls-cert")
    serve.set_defaults(run=_serve)


def _serve(arguments: argparse.Namespace) -> int:
    if bool(arguments.tls_cert) != bool(arguments.tls_key):
        raise SettingsError("--tls-cert and --tls-key belong together.", fix="Give both, or none.")
    from runners.metadata.service_server import Tls, make_server

    logging.basicConfig(level=logging.WARNING)
    backend, retry_seconds = _store(arguments)
    host = f"[{arguments.host}]" if ":" in arguments.host else arguments.host
    tls = Tls(arguments.tls_cert, arguments.tls_key) if arguments.tls_cert else None
    server, port = make_server(backend, retry_seconds, f"{host}:{arguments.port}", tls)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    server.start()
    print(f"Serving {backend.place} at {'grpcs' if tls else 'grpc'}://{host}:{port}", flush=True)
    ended.wait()
    server.stop(_GRACE).wait()
    return EXIT_OK


def _store(arguments: argparse.Namespace) -> tuple[Backend, float]:
    from configs.secret import SecretUrl
    from configs.settings import Metadata
    from runners.metadata.store_backend import backend_of, store_backend

    if bool(arguments.config) == bool(arguments.url):
        raise SettingsError("The store to serve is not clear.", fix="Give either -c FILE or --url URL.")
    if arguments.config:
        settings = load(arguments)
        return store_backend(settings), settings.metadata.retry_seconds
    try:
        return backend_of(SecretUrl(arguments.url)), Metadata().retry_seconds
    except PlacedValueError as error:
        raise SettingsError(f"The URL {error}.", where="--url", received=error.received) from error
