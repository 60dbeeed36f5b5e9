"""The command line: `scalable-tf run | node | doctor | settings | schema`.

This is the process edge: the one place that sets environment variables for the libraries below, and that turns errors
into messages and exit codes. Modules that need TensorFlow are imported by the command that needs them.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from configs.secret import check_secrets
from configs.settings import Settings
from configs.version import VERSION
from schemas.errors import ScalableTFError

EXIT_OK = 0
EXIT_ERROR = 1
EXIT_NOT_BLESSED = 3  # 2 is argparse's, for a wrong command line


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code: 0 only when it did what was asked."""
    arguments = _parser().parse_args(argv)
    _prepare_environment()
    try:
        code: int = arguments.run(arguments)
        return code
    except ScalableTFError as error:
        if arguments.debug:
            traceback.print_exc()
        print(f"error: {error}", file=sys.stderr)
        return EXIT_ERROR
    except Exception as error:  # the last resort: a defect of ours, or of a library; still no wall of text
        if arguments.debug:
            traceback.print_exc()
        print(f"error: {type(error).__name__}: {error}\n  Fix: --debug shows where it comes from.", file=sys.stderr)
        return EXIT_ERROR
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130


def _prepare_environment() -> None:
    os.environ["TF_USE_LEGACY_KERAS"] = "1"  # Keras 3 cannot train on several workers (contract 3)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scalable-tf", description="TensorFlow pipelines at production scale.")
    parser.add_argument("--version", action="version", version=VERSION)
    parser.add_argument("--debug", action="store_true", help="show tracebacks")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="run a pipeline: from raw data to a released model")
    _add_settings(run)
    run.add_argument("--runner", metavar="NAME", help="who walks the graph; default: runner.kind of the settings")
    run.add_argument("--engine", metavar="NAME", help="where Beam work executes; default: engine.kind of the settings")
    run.add_argument(
        "--force-bless", metavar="REASON", default="", help="release the model whatever its metrics; recorded"
    )
    run.set_defaults(run=_run)

    node = commands.add_parser("node", help="run one node of an existing run again, for debugging and orchestrators")
    node.add_argument(
        "--run", dest="folder", type=Path, required=True, metavar="FOLDER", help="<output_dir>/logs/<run id>"
    )
    node.add_argument("--node", required=True, metavar="ID", help="which one, e.g. Trainer")
    node.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help="show tracebacks")
    node.set_defaults(run=_node)

    doctor = commands.add_parser("doctor", help="check this machine and, with -c, the settings' store and folders")
    _add_settings(doctor, required=False)
    doctor.set_defaults(run=_doctor)

    settings = commands.add_parser("settings", help="show resolved settings, or their JSON Schema for editors")
    settings_commands = settings.add_subparsers(required=True, metavar="show|schema")
    show = settings_commands.add_parser("show", help="resolved settings, secrets masked")
    _add_settings(show)
    show.set_defaults(run=_settings_show)
    schema = settings_commands.add_parser("schema", help="JSON Schema of the settings files")
    schema.set_defaults(run=_settings_schema)

    curated = commands.add_parser("schema", help="move an inferred data schema to the curated one, under review")
    curated_commands = curated.add_subparsers(required=True, metavar="infer|diff|accept")
    infer = curated_commands.add_parser("infer", help="print the schema inferred by the newest run")
    _add_settings(infer)
    infer.add_argument("-o", "--output", type=Path, help="write it to this file instead")
    infer.set_defaults(run=_schema_infer)
    diff = curated_commands.add_parser("diff", help="how the newest run's schema differs from the curated one")
    _add_settings(diff)
    diff.set_defaults(run=_schema_diff)
    accept = curated_commands.add_parser("accept", help="take the differences into the curated schema")
    _add_settings(accept)
    accept.add_argument("--feature", action="append", default=[], help="only this feature; may be repeated")
    accept.set_defaults(run=_schema_accept)
    return parser


def _add_settings(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    parser.add_argument(
        "-c",
        "--config",
        action="append",
        required=required,
        metavar="FILE",
        help="settings file; later ones overlay earlier ones",
    )
    parser.add_argument("--set", action="append", default=[], metavar="A.B=VALUE", help="override one setting")
    # SUPPRESS: without it the subcommand's default would undo a --debug given before the command.
    parser.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help="show tracebacks")


def _load(arguments: argparse.Namespace, *overrides: str) -> Settings:
    from configs.load import load_settings

    return load_settings([Path(file) for file in arguments.config], [*arguments.set, *overrides], os.environ)


def _run(arguments: argparse.Namespace) -> int:
    overrides = [
        f"{key}={value}"
        for key, value in (("runner.kind", arguments.runner), ("engine.kind", arguments.engine))
        if value
    ]
    settings = _load(arguments, *overrides)
    check_secrets(settings, os.environ)
    console = _console()
    console.print(f"Pipeline {settings.name}: loading TensorFlow, TFX and Beam ...", markup=False, highlight=False)
    with _quiet():
        from runners.local import run_local
        from runners.report import print_errors, print_report
    result = run_local(settings, console, force_bless=arguments.force_bless)
    if result.errors:
        print_errors(result, _console(stderr=True))
        return EXIT_ERROR
    return EXIT_OK if print_report(result, settings, _command(arguments), console) else EXIT_NOT_BLESSED


def _node(arguments: argparse.Namespace) -> int:
    from runners.local import run_one_node

    outcome = run_one_node(arguments.folder, arguments.node)
    print(f"{outcome.node_id} {outcome.state}")
    for key, outputs in outcome.outputs.items():
        for output in outputs:
            print(f"  {key}: {output.uri}")
    return EXIT_OK


def _console(*, stderr: bool = False) -> Console:
    console = Console(stderr=stderr)
    # Without a terminal there is no width to respect: log files and CI show long lines well.
    return console if console.is_terminal else Console(stderr=stderr, width=160)


def _command(arguments: argparse.Namespace) -> str:
    """The command line of this run, for the ones that are suggested after it."""
    program = Path(sys.argv[0])
    name = program.name if str(program.parent) in os.get_exec_path() else os.path.relpath(program)
    options = [word for file in arguments.config for word in ("-c", file)]
    options += [word for override in arguments.set for word in ("--set", override)]
    return shlex.join([name, "run", *options])


def _doctor(arguments: argparse.Namespace) -> int:
    from runners.doctor import report, run_checks

    return report(run_checks(_load(arguments) if arguments.config else None))


def _settings_show(arguments: argparse.Namespace) -> int:
    from configs.show import show

    print(show(_load(arguments)), end="")
    return EXIT_OK


def _settings_schema(arguments: argparse.Namespace) -> int:
    import json

    from configs.json_schema import settings_json_schema

    print(json.dumps(settings_json_schema(), indent=2))
    return EXIT_OK


def _schema_infer(arguments: argparse.Namespace) -> int:
    with _quiet():
        from runners import schema_command
    return schema_command.infer(_load(arguments), arguments.output)


def _schema_diff(arguments: argparse.Namespace) -> int:
    with _quiet():
        from runners import schema_command
    return schema_command.diff(_load(arguments))


def _schema_accept(arguments: argparse.Namespace) -> int:
    with _quiet():
        from runners import schema_command
    return schema_command.accept(_load(arguments), arguments.feature)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps what libraries print while they are imported from the terminal, unless the import fails."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    with tempfile.TemporaryFile() as noise:
        os.dup2(noise.fileno(), 1)
        os.dup2(noise.fileno(), 2)
        try:
            yield
        except BaseException:
            noise.seek(0)
            os.write(kept[1], noise.read())
            raise
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for target, original in enumerate(kept, start=1):
                os.dup2(original, target)
                os.close(original)


if __name__ == "__main__":
    sys.exit(main())
