"""Becomes another program, which the kernel ends with the process that started it.

python -m components.smoke_check.bound_process PARENT PROGRAM ARGUMENTS...
"""

from __future__ import annotations

import os
import sys

from distribution.parent_death import die_with


def main(arguments: list[str]) -> None:
    """Does not return.

    Args:
        arguments: process id of the parent, the program, and what it is given.
    """
    parent, *command = arguments
    die_with(int(parent))
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
