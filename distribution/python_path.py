"""Where another Python process finds what this one can import."""

from __future__ import annotations

import os
import sys


def python_path() -> str:
    """PYTHONPATH: the folders that this process imports from, but those of the interpreter, which the other has too.

    What lies inside installed packages, such as a notebook's extensions, must not hide modules of the same name.
    """
    installed = tuple(os.path.join(prefix, "") for prefix in (sys.prefix, sys.base_prefix))
    return os.pathsep.join(path for path in sys.path if path and not path.startswith(installed))
