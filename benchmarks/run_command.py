"""The command of a run."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from schemas.errors import SetupError


def run_command() -> list[str]:
    """`scalable-tf run`; what `settings_arguments` gives is to follow.

    Raises:
        SetupError: the product is not installed in the environment of this interpreter.
    """
    program = Path(sys.executable).with_name("scalable-tf")
    if not program.exists():
        raise SetupError("scalable-tf is not installed.", where=str(program), fix="make setup")
    return [str(program), "run"]


def settings_arguments(configs: Sequence[Path], overrides: Mapping[str, object]) -> list[str]:
    """Arguments that say what is run.

    Args:
        configs: settings files, as for `-c`.
        overrides: settings by dotted name, as for `--set`.
    """
    arguments = []
    for config in configs:
        arguments += ["-c", str(config.absolute())]
    for name, value in overrides.items():
        arguments += ["--set", f"{name}={value}"]
    return arguments
