"""`scalable-tf settings show | schema`."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from configs.json_schema import settings_json_schema
from configs.show import show
from runners.commands.exit_codes import EXIT_OK
from runners.commands.options import add_settings, load

if TYPE_CHECKING:
    from runners.commands.options import Commands


def add(commands: Commands) -> None:
    """Makes the parsers."""
    parser = commands.add_parser("settings", help="show resolved settings, or their JSON Schema for editors")
    actions = parser.add_subparsers(required=True, metavar="show|schema")
    resolved = actions.add_parser("show", help="resolved settings, secrets masked")
    add_settings(resolved)
    resolved.set_defaults(run=_show)
    schema = actions.add_parser("schema", help="JSON Schema of the settings files")
    schema.set_defaults(run=_schema)


def _show(arguments: argparse.Namespace) -> int:
    print(show(load(arguments)), end="")
    return EXIT_OK


def _schema(arguments: argparse.Namespace) -> int:
    print(json.dumps(settings_json_schema(), indent=2))
    return EXIT_OK
