"""What the commands' parsers share: the options that name the settings."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from configs.load import load_settings
from configs.settings import Settings
from schemas.errors import SettingsError

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_settings(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Adds -c, --set and --debug."""
    parser.add_argument(
        "-c",
        "--config",
        action="append",
        required=required,
        metavar="FILE",
        help="settings file; later ones overlay earlier ones",
    )
    parser.add_argument("--set", action="append", default=[], metavar="A.B=VALUE", help="override one setting")
    add_debug(parser)


def add_debug(parser: argparse.ArgumentParser) -> None:
    """Adds --debug, so that it may stand before and after the command."""
    # SUPPRESS: without it the subcommand's default would undo a --debug given before the command.
    parser.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help="show tracebacks")


def check_set(arguments: argparse.Namespace) -> None:
    """Refuses --set where no settings are named that it could change.

    Raises:
        SettingsError: there is a --set and no -c.
    """
    if getattr(arguments, "set", None) and not arguments.config:
        raise SettingsError(
            "There are no settings that --set could change.",
            where="--set",
            received=", ".join(text.partition("=")[0] for text in arguments.set),  # its value may be a password
            fix="Name the settings, too: -c FILE; or leave --set out.",
        )


def option_overrides(**options: tuple[str, object]) -> list[tuple[str, str]]:
    """Overrides for `load` that options of a command stand for; mistakes in them are told of the option.

    Args:
        options: by their names: a setting, dots between its keys, and its value; None: the option was not given.
    """
    return [(f"{key}={value}", f"--{name} {value}") for name, (key, value) in options.items() if value is not None]


def load(arguments: argparse.Namespace, *overrides: str | tuple[str, str]) -> Settings:
    """The settings that -c and --set describe, and then `overrides`, as `load_settings` takes them.

    Raises:
        SettingsError: something in them is wrong.
    """
    return load_settings([Path(file) for file in arguments.config], [*arguments.set, *overrides], os.environ)
