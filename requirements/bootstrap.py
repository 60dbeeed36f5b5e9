"""Makes the environment in .venv, from nothing but a Python 3: `python3 requirements/bootstrap.py`.

It chooses the stack by the machine's C library, finds an interpreter for it, gets uv, and installs the locked packages
and this project. A second call finds everything done and returns at once; an interrupted one is made good by the next.
Standard library only, and this file keeps to syntax that any Python understands, so that an old one gets a message.
"""

import sys

OLDEST = (3, 6)

if sys.version_info < OLDEST:
    sys.stderr.write(
        "error: The set-up needs a newer Python to start with.\n"
        "  Received: Python %d.%d at %s\n"
        "  Fix: name one, e.g. make demo PYTHON3=/usr/bin/python3; any from %d.%d on will do.\n"
        % (sys.version_info[0], sys.version_info[1], sys.executable, OLDEST[0], OLDEST[1])
    )
    sys.exit(2)

import os  # noqa: E402

from environment import ensure_environment  # noqa: E402
from setup_error import exit_code_of  # noqa: E402

if __name__ == "__main__":
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    sys.exit(exit_code_of(lambda: ensure_environment(root)))
