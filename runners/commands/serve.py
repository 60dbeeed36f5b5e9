"""`scalable-tf serve`: models behind TensorFlow Serving's protocols."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import gc
import logging
import os
import queue
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from runners.commands.console import console
from runners.commands.exit_codes import EXIT_OK
from runners.commands.libraries import libraries
from runners.commands.options import add_debug
from runners.commands.tls_options import add_tls, tls_of
from runners.commands.watched_file import WatchedFile
from schemas.errors import DataError, ScalableTFError, SettingsError

if TYPE_CHECKING:
    from runners.commands.options import Commands
    from serving.model_server import ModelServer
    from serving.server.batching import BatchingOptions
    from serving.server.free_memory import FreeMemory
    from serving.server.model_config import ModelConfig
    from serving.server.server_tls import ServerTls

_BATCHES = {"max_batch_size": 64, "batch_timeout_micros": 1000, "max_queued_batches": 100}  # with --batching


def add(commands: Commands) -> None:
    """Makes the parser."""
    parser = commands.add_parser("serve", help="serve models with TensorFlow Serving's gRPC and REST protocols")
    parser.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="NAME=DIR",
        help="a model: its name, and the folder with a directory for each version, as releases/<name>; also "
        "gs://BUCKET/FOLDER or s3://BUCKET/FOLDER; may be repeated",
    )
    parser.add_argument(
        "--model-config",
        type=Path,
        metavar="FILE",
        help="models as a ModelServerConfig in protocol buffer text; it is read again at SIGHUP",
    )
    parser.add_argument(
        "--model-config-poll-seconds",
        type=float,
        default=0.0,
        metavar="S",
        help="how often --model-config is looked at for changes; default: 0, only at SIGHUP",
    )
    parser.add_argument(
        "--ssl-config",
        type=Path,
        metavar="FILE",
        help="TLS for gRPC and REST: an SSLConfig in protocol buffer text, as --ssl_config_file of TensorFlow Serving; "
        "it is read again when it changes",
    )
    parser.add_argument("--rest-plain", action="store_true", help="with --ssl-config: REST without TLS")
    parser.add_argument("--bind", default="127.0.0.1", metavar="ADDRESS", help="default: 127.0.0.1, this machine only")
    parser.add_argument("--grpc-port", type=int, default=8500, metavar="N", help="0 picks one; default: 8500")
    parser.add_argument("--rest-port", type=int, default=8501, metavar="N", help="0 picks one; default: 8501")
    parser.add_argument(
        "--rest-timeout-ms", type=int, default=30_000, metavar="N", help="for a request; then 504; default: 30000"
    )
    parser.add_argument(
        "--rest-body-mib", type=int, default=256, metavar="N", help="largest body of a request; then 413; default: 256"
    )
    parser.add_argument("--cors", action="store_true", help="let pages of other origins read what REST answers")
    parser.add_argument(
        "--poll-seconds",
        type=float,
        default=1.0,
        metavar="S",
        help="how often the folders are looked at for versions; 0: only at the start; default: 1",
    )
    parser.add_argument("--batching", action="store_true", help="run requests that come at the same time together")
    parser.add_argument("--max-batch-size", type=int, metavar="ROWS", help="of a batch; default: 64")
    parser.add_argument(
        "--batch-timeout-micros", type=int, metavar="N", help="how long a batch fills up; default: 1000"
    )
    parser.add_argument(
        "--max-queued-batches", type=int, metavar="N", help="above, requests are UNAVAILABLE; default: 100"
    )
    parser.set_defaults(**_BATCHES)
    parser.add_argument(
        "--grace-seconds", type=float, default=30.0, metavar="S", help="for requests that run at SIGTERM; default: 30"
    )
    parser.add_argument(
        "--ask", type=Path, metavar="FILE", help="ask the models for these rows, by REST and gRPC, print it, and end"
    )
    add_tls(parser, "with --ask and --ssl-config")
    add_debug(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    _check(arguments)
    tls = _tls(arguments)
    # Else oneDNN's allocator keeps for ever what the largest requests, and two versions at a time, have taken.
    os.environ.setdefault("TF_ONEDNN_USE_SYSTEM_ALLOCATOR", "1")
    with libraries():
        from serving.model_server import ModelServer, ServerOptions
        from serving.rest.limits import RestLimits
        from serving.server.free_memory import FreeMemory
    # What the libraries have made stays: the collector need not look at it at every large request. Before models are
    # loaded, which come and go.
    gc.collect()
    gc.freeze()
    _log(logging.INFO if arguments.ask is None else logging.WARNING)
    config = WatchedFile(arguments.model_config, arguments.model_config_poll_seconds)
    models = _models(arguments)
    server = ModelServer(
        ServerOptions(
            models=models,
            host=arguments.bind,
            grpc_port=arguments.grpc_port,
            rest_port=arguments.rest_port,
            rest_limits=RestLimits(
                body_bytes=arguments.rest_body_mib << 20, request_seconds=arguments.rest_timeout_ms / 1000
            ),
            cors=arguments.cors,
            poll_seconds=arguments.poll_seconds,
            batching=_batching(arguments),
            tls=tls,
            rest_tls=not arguments.rest_plain,
        )
    )
    signals: queue.SimpleQueue[int] = queue.SimpleQueue()
    for ending in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(ending, lambda number, frame: signals.put(number))
    server.start(lambda: not signals.empty())
    grpc = f"{'grpcs://' if tls else ''}{arguments.bind}:{server.grpc_port}"
    rest = f"{'https' if tls and not arguments.rest_plain else 'http'}://{arguments.bind}:{server.rest_port}"
    print(f"gRPC: {grpc}\nREST: {rest}", flush=True)
    _tell_empty(models)
    if arguments.ask is not None:
        try:
            _ask(rest, grpc, server.manager.names(), arguments)
        finally:
            server.stop(0.0)
        _leave()
    memory = FreeMemory()
    while (number := _next(signals, config, memory)) == signal.SIGHUP:
        if not _reload(server, arguments):
            config.forget()
    print(f"Stopped by {signal.Signals(number).name}: ending what is being answered.", flush=True)
    server.stop(arguments.grace_seconds)
    _leave()


def _leave() -> NoReturn:
    """Ends the process, not the interpreter.

    Python would wait for the threads that are left, without end where a model does not; and its last collection crashes
    now and then among what TensorFlow and gRPC have already let go.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(EXIT_OK)


def _next(signals: queue.SimpleQueue[int], config: WatchedFile, memory: FreeMemory) -> int:
    """The next signal; SIGHUP also when the file of models has changed. Meanwhile memory is given back.

    Python notes a signal that another thread received, or that came just before the main thread began to wait, and
    calls the handler when that wakes up: it has to do so by itself.
    """
    while True:
        with contextlib.suppress(queue.Empty):
            return signals.get(timeout=0.5)
        if config.changed():
            return signal.SIGHUP
        memory.look()


def _check(arguments: argparse.Namespace) -> None:
    if not arguments.model and arguments.model_config is None:
        raise SettingsError("There is no model to serve.", fix="Give --model NAME=DIR, or --model-config FILE.")
    if arguments.rest_plain and arguments.ssl_config is None:
        raise SettingsError("There is no TLS that REST could be without.", where="--rest-plain", fix="Leave it out.")
    files = [file for file in (arguments.tls_ca, arguments.tls_cert, arguments.tls_key) if file]
    if files and (arguments.ask is None or arguments.ssl_config is None):
        raise SettingsError(
            "Nobody is asked with TLS.",
            where="--tls-ca, --tls-cert, --tls-key",
            received=", ".join(map(str, files)),
            fix="They are for --ask with --ssl-config; the latter says what the server shows.",
        )
    for option in ("poll_seconds", "model_config_poll_seconds", "batch_timeout_micros", "grace_seconds"):
        if not getattr(arguments, option) >= 0:
            raise _wrong(option, getattr(arguments, option), "0 or more")
    for option in ("max_batch_size", "max_queued_batches", "rest_timeout_ms", "rest_body_mib"):
        if getattr(arguments, option) < 1:
            raise _wrong(option, getattr(arguments, option), "1 or more")
    if not arguments.batching:
        for option, default in _BATCHES.items():
            if getattr(arguments, option) != default:
                raise SettingsError(
                    "Nothing is batched, so this option would do nothing.",
                    where=f"--{option.replace('_', '-')}",
                    received=getattr(arguments, option),
                    fix="Add --batching, or leave it out.",
                )
    for option in ("grpc_port", "rest_port"):
        if not 0 <= getattr(arguments, option) < 1 << 16:
            raise _wrong(option, getattr(arguments, option), "a port, 0 to 65535")


def _tls(arguments: argparse.Namespace) -> ServerTls | None:
    if arguments.ssl_config is None:
        return None
    from serving.server.server_tls import ServerTls

    return ServerTls(arguments.ssl_config)


def _wrong(option: str, received: object, fix: str) -> SettingsError:
    name = f"--{option.replace('_', '-')}"
    return SettingsError(f"{name} is out of range.", where=name, received=received, fix=f"Give {fix}.")


def _models(arguments: argparse.Namespace) -> tuple[ModelConfig, ...]:
    from serving.server.model_config import from_file, from_option, unique

    given = [_released(from_option(text)) for text in arguments.model]
    return unique([*given, *(from_file(arguments.model_config) if arguments.model_config else ())])


def _released(model: ModelConfig) -> ModelConfig:
    """With the labels and versions that `release` has given it: its newest version may be one that was rolled back."""
    from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

    from serving.object_store.bucket_folder import BucketFolder
    from serving.served_models import FILE_NAME
    from serving.server.model_config import from_proto
    from serving.server.model_folder import model_folder

    folder = model_folder(model)
    folder.look()
    if isinstance(model.base_path, BucketFolder) and (trouble := folder.trouble()) is not None:
        raise trouble  # what labels there are is not known
    try:
        moved = folder.split() is not None
    except ScalableTFError:  # the server tells of what is there and cannot be read
        moved = True
    entry = folder.entry_beside(model.name) if moved else None
    if entry is None:
        return model
    file = f"{model.base_path.parent}/{FILE_NAME}"
    text = f"note: {model.name} has the labels and versions that {file} says, which `scalable-tf release` changes"
    print(text, file=sys.stderr, flush=True)
    config = ModelServerConfig()
    config.model_config_list.config.append(entry)
    (known,) = from_proto(config, where=file)
    return dataclasses.replace(known, base_path=model.base_path)


def _batching(arguments: argparse.Namespace) -> BatchingOptions | None:
    from serving.server.batching import BatchingOptions

    if not arguments.batching:
        return None
    return BatchingOptions(arguments.max_batch_size, arguments.batch_timeout_micros, arguments.max_queued_batches)


def _tell_empty(models: Sequence[ModelConfig]) -> None:
    """Says which models have no version yet: often the folder is the wrong one."""
    from serving.server.model_folder import model_folder

    for model in models:
        folder = model_folder(model)
        folder.look()
        if folder.trouble() is None and not folder.versions():
            inside = model.base_path / model.name if folder.holds(model.name) else None
            # Of a version: whoever names it wants the folder that it is in.
            likely = model.base_path.parent if folder.holds("variables") else inside
            hint = f"; or is it {likely}?" if likely is not None else ""
            text = f"note: no version of {model.name} is in {model.base_path} yet, a directory named by a number{hint}"
            print(text, file=sys.stderr, flush=True)


def _ask(rest: str, grpc: str, models: Sequence[str], arguments: argparse.Namespace) -> None:
    from runners.serving_trial import ask_both, print_answers
    from serving.client.rows_file import read_rows

    rows, tls = read_rows(arguments.ask), tls_of(arguments, [rest, grpc])
    if not rows:
        raise DataError("There are no rows to ask for.", where=str(arguments.ask), fix="Name a file with rows.")
    for name in models:
        outputs, version = ask_both(rest, grpc, name, rows, tls)
        print_answers(rows, outputs, f"{name}, version {version}, by REST and gRPC", console())


def _reload(server: ModelServer, arguments: argparse.Namespace) -> bool:
    """Reads the models again; what is wrong with them is told, and what can be served is. Whether all is well."""
    from serving.server.request_error import RequestError

    log = logging.getLogger(__name__)
    try:
        models = _models(arguments)
        # Whoever wrote the file is not there to try again.
        server.manager.reload(models, labels_wait=True)
        log.info("Read again; now served: %s.", ", ".join(model.name for model in models))
    except (ScalableTFError, RequestError) as error:
        log.error("Read again: %s", error)
        return False
    return True


def _log(level: int) -> None:
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(message)s", force=True)
    # Its client tells of every file that it copies.
    logging.getLogger("botocore").setLevel(logging.WARNING)
    # It warns of every function of TensorFlow 1 that loads a model.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    # It tells of each message that is none: who sent it is told, and could fill the disk.
    logging.getLogger("grpc._common").setLevel(logging.CRITICAL)
