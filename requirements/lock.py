"""Resolves the locks anew: `make lock`. The same inputs give the same locks: what is newer than a date is left out."""

import os
import subprocess
import sys
from typing import Dict, List

from machine import STACKS, say
from setup_error import SetupError, exit_code_of
from uv_tool import environment_for_uv, get_uv


def resolve_locks(root: str) -> None:
    """Writes requirements/build.txt and, for each stack, the product's lock and that with tests and checks.

    Raises:
        SetupError: no uv, or no versions that fit together.
    """
    environ = environment_for_uv(dict(os.environ))
    uv = get_uv(os.path.join(root, ".cache"), environ, exact=True)
    here = os.path.join(root, "requirements")
    _compile(uv, here, environ, "build.txt", ["build.in", *STACKS[-1].resolution])
    for stack in STACKS:
        product = f"{stack.name}.txt"
        inputs = ["base.in", f"{stack.name}.in", *stack.resolution]
        _compile(uv, here, environ, product, inputs)
        _compile(uv, here, environ, f"{stack.name}-dev.txt", ["dev.in", "--constraint", product, *inputs])


def _compile(uv: str, folder: str, environ: Dict[str, str], output: str, arguments: List[str]) -> None:
    say(f"resolving requirements/{output}")
    command = [uv, "pip", "compile", "--quiet", "--no-config", "--upgrade", "--generate-hashes"]
    command += ["--custom-compile-command", "make lock", "--output-file", output, *arguments]
    if subprocess.run(command, cwd=folder, env=environ).returncode:
        raise SetupError(
            f"requirements/{output} could not be resolved.",
            "uv's lines above",
            "change what they name in requirements/*.in.",
        )


if __name__ == "__main__":
    project = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    sys.exit(exit_code_of(lambda: resolve_locks(project)))
