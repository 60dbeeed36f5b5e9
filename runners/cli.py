"""The command line, `scalable-tf`; its commands are in runners/commands/.

This is the process edge: the one place that sets environment variables for the libraries below, and that turns errors
into messages and exit codes.
"""

from __future__ import annotations

import argparse
import os
import select
import sys
import traceback
from collections.abc import Sequence
from typing import TextIO

from configs.version import VERSION
from runners.commands import (
    clean,
    doctor,
    infer,
    kubeflow,
    lineage,
    manifests,
    metadata,
    node,
    predict,
    release,
    run,
    runs,
    schedule,
    schema,
    serve,
    settings,
)
from runners.commands.exit_codes import EXIT_ERROR, EXIT_INTERRUPTED, EXIT_UNREAD
from runners.commands.options import check_set
from runners.interrupt import Interrupted
from schemas.errors import ScalableTFError
from schemas.storage_error import storage_error

COMMANDS = (
    *(run, schedule, infer, serve, predict, release, runs, lineage, clean, node, doctor, settings, schema),
    *(metadata, manifests, kubeflow),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code: 0 only when it did what was asked."""
    arguments = argument_parser().parse_args(argv)
    _prepare_environment()
    try:
        check_set(arguments)
        code: int = arguments.run(arguments)
        return code
    except ScalableTFError as error:
        if arguments.debug:
            traceback.print_exc()
        print(f"error: {error}", file=sys.stderr)
        return EXIT_ERROR
    except BrokenPipeError as error:
        if not _is_unread(sys.stdout):
            return _unknown(error, arguments.debug)
        # Whoever reads what we print has enough of it, as `head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_UNREAD
    except Exception as error:  # the last resort: a defect of ours, or of a library; still no wall of text
        return _unknown(error, arguments.debug)
    except Interrupted as signal:
        run_again = f" Run {signal.run_id} can be continued with --resume." if signal.run_id else ""
        print(f"Stopped by {signal}.{run_again}", file=sys.stderr)
        return signal.exit_code
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return EXIT_INTERRUPTED


def _unknown(error: Exception, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    unknown = f"{type(error).__name__}: {error}\n  Fix: --debug shows where it comes from."
    print(f"error: {storage_error(error) or unknown}", file=sys.stderr)
    return EXIT_ERROR


def _is_unread(stream: TextIO) -> bool:
    """Whether the other end of a pipe is closed."""
    waiting = select.poll()
    waiting.register(stream, 0)
    return any(event & select.POLLERR for _, event in waiting.poll(0))


def _prepare_environment() -> None:
    os.environ["TF_USE_LEGACY_KERAS"] = "1"  # Keras 3 cannot train on several workers (contract 3)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "1")  # nodes are forked, and may talk to a metadata service
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # it logs what it also raises, and each handshake that fails
    os.environ.setdefault("GLOG_minloglevel", "3")  # ML Metadata's library logs what it also raises


def argument_parser() -> argparse.ArgumentParser:
    """Of all commands and their options."""
    parser = argparse.ArgumentParser(prog="scalable-tf", description="TensorFlow pipelines at production scale.")
    parser.add_argument("--version", action="version", version=VERSION)
    parser.add_argument("--debug", action="store_true", help="show tracebacks")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
