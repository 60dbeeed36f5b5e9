"""Takes files out of an environment of the image that nothing in it opens: `python3 leave_out.py LIST ENVIRONMENT`."""

import glob
import os
import shutil
import sys

from machine import say
from setup_error import SetupError, exit_code_of


def leave_out(patterns: str, place: str) -> None:
    """Removes what the patterns match.

    Args:
        patterns: file of globs, one a line, relative to site-packages; what follows a # is a comment.
        place: folder of the virtual environment.

    Raises:
        SetupError: a pattern matches nothing: the packages have changed, and the list has to follow.
    """
    (packages,) = glob.glob(os.path.join(place, "lib", "python3*", "site-packages"))
    with open(patterns) as file:
        lines = [line.partition("#")[0].strip() for line in file]
    for line in filter(None, lines):
        found = glob.glob(os.path.join(packages, line), recursive=True)
        if not found:
            raise SetupError(
                "There is nothing to leave out of the image.", line + " in " + patterns, "take it out there."
            )
        size = 0
        for path in found:
            # One may lie inside another.
            if os.path.isdir(path):
                size += sum(
                    os.path.getsize(os.path.join(top, name)) for top, _, names in os.walk(path) for name in names
                )
                shutil.rmtree(path)
        say("left out {:4.0f} MB  {}".format(size / 1e6, line))


if __name__ == "__main__":
    sys.exit(exit_code_of(lambda: leave_out(sys.argv[1], sys.argv[2])))
