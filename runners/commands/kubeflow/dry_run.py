"""`scalable-tf kubeflow dry-run`: executes a compiled pipeline on this machine."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from runners.commands.console import console
from runners.commands.exit_codes import EXIT_ERROR, EXIT_OK
from runners.commands.libraries import libraries
from runners.commands.options import add_debug
from schemas.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runners.commands.options import Commands


def add(commands: Commands) -> None:
    """Makes the parser."""
    parser = commands.add_parser(
        "dry-run",
        help="execute a compiled pipeline on this machine, without a cluster",
        description="Runs each task's command as the KFP backend would: in dependency order, placeholders replaced, "
        "in a process of its own with a clean environment, which sees system folders, the interpreter and the task's "
        "volumes. What it makes is thrown away unless the run fails or --root is given.",
    )
    parser.add_argument("file", type=Path, metavar="OUT.yaml", help="what `kubeflow compile --target kfp` wrote")
    add_parameters(parser)
    parser.add_argument("--root", type=Path, metavar="DIR", help="keep volumes and logs in this folder")
    _several(parser, "--volume", "CLAIM=DIR", "folder for a PersistentVolumeClaim")
    _several(parser, "--secret", "NAME=FILE", "KEY=VALUE lines of a Secret; default: throw-away values")
    _several(parser, "--config-map", "NAME=FILE", "KEY=VALUE lines of a ConfigMap")
    _several(parser, "--env", "NAME=VALUE", "variable for every task, as an image would set it")
    store = parser.add_mutually_exclusive_group()
    store.add_argument("--metadata-url", metavar="URL", help="metadata store instead of a throw-away database")
    store.add_argument("--keep-metadata", action="store_true", help="the metadata store that was compiled")
    store.add_argument("--database", choices=("postgresql", "mysql"), help="default: as compiled, if installed")
    parser.add_argument("--tell-webhook", action="store_true", help="also post the outcome to kubeflow.webhook")
    parser.add_argument("--in-image", metavar="IMAGE", help="run each task in this image")
    parser.add_argument(
        "--engine", choices=("docker", "podman", "buildah"), help="for --in-image; default: what has it"
    )
    parser.add_argument(
        "--time-limit", type=float, metavar="SECONDS", help="for each task that the pipeline gives none"
    )
    parser.add_argument("--no-retries", action="store_true", help="run each task once, whatever its policy says")
    parser.add_argument("--json", action="store_true", help="the result as JSON, for programs")
    add_debug(parser)
    parser.set_defaults(run=_run)


def _several(parser: argparse.ArgumentParser, option: str, metavar: str, text: str) -> None:
    parser.add_argument(option, action="append", default=[], metavar=metavar, help=text)


def add_parameters(parser: argparse.ArgumentParser) -> None:
    """Adds --parameter."""
    parser.add_argument(
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="of the pipeline, e.g. steps=100; NAME=@FILE takes the value from a file",
    )


def _run(arguments: argparse.Namespace) -> int:
    with libraries():
        from runners.interrupt import interruptible
        from runners.kubeflow.dry_run.report import as_json, print_dry_run, print_task
        from runners.kubeflow.dry_run.run import Options, dry_run
        from runners.kubeflow.parameters import given_parameters
        from runners.kubeflow.specification import read_specification
    specification = read_specification(arguments.file)
    options = Options(
        root=arguments.root,
        claims={name: _folder(value) for name, value in _pairs("--volume", arguments.volume)},
        secrets={name: _lines("--secret", Path(value)) for name, value in _pairs("--secret", arguments.secret)},
        config_maps={
            name: _lines("--config-map", Path(value)) for name, value in _pairs("--config-map", arguments.config_map)
        },
        environment=dict(_pairs("--env", arguments.env)),
        metadata_url=arguments.metadata_url,
        keep_metadata=arguments.keep_metadata,
        tell_webhook=arguments.tell_webhook,
        database=arguments.database,
        image=arguments.in_image,
        engine=arguments.engine,
        limit=arguments.time_limit,
        retries=not arguments.no_retries,
    )
    screen = console(stderr=arguments.json)

    def say(line: str) -> None:
        screen.print(line, highlight=False, markup=False, soft_wrap=True)

    with interruptible():
        result = dry_run(
            specification,
            given_parameters(specification, arguments.parameter),
            options,
            say=say,
            started=lambda name, before, count: say(f"{name}: task {before + 1} of {count}"),
            ended=lambda task: print_task(task, screen),
        )
    if arguments.json:
        json.dump(as_json(result, specification.name), sys.stdout, indent=2)
        print()
    else:
        print_dry_run(result, screen)
    return EXIT_OK if result.succeeded else EXIT_ERROR


def _pairs(option: str, words: Sequence[str]) -> list[tuple[str, str]]:
    pairs = [word.partition("=") for word in words]
    for name, separator, value in pairs:
        if not (name and separator and value):
            received = name if option == "--env" else f"{name}{separator}{value}"  # a variable may be a secret
            raise SettingsError(
                "Name and value are missing.", where=option, received=received, fix=f"Write {option} NAME=VALUE."
            )
    return [(name, value) for name, _, value in pairs]


def _folder(value: str) -> Path:
    folder = Path(value).absolute()
    if not folder.is_dir():
        raise SettingsError(
            "The folder for a claim is missing.", where="--volume", received=folder, fix="Make it first."
        )
    return folder


def _lines(option: str, file: Path) -> dict[str, str]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            "The file cannot be read.", where=option, received=error, fix="Name a text file."
        ) from error
    found = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        key, separator, value = line.partition("=")
        if not separator:
            fix = "Write KEY=VALUE, one a line."
            raise SettingsError("A line holds no KEY=VALUE.", where=f"{file}, line {number}", fix=fix)
        found[key.strip()] = value
    return found
