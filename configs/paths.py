"""Paths as the settings write them: plain, in an installed package, or remote."""

from __future__ import annotations

import os
import re
from pathlib import Path

from configs.modules import locations
from schemas.errors import SettingsError

_PACKAGE = "package:"
_REMOTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def resolve(path: str) -> str:
    """The path that file systems understand; whether something is there is for its reader to find out.

    | written                    | resolved                                                      |
    |----------------------------|---------------------------------------------------------------|
    | `data/*.csv`, `~/data.csv` | absolute, from the current directory or the home              |
    | `package:tfx/examples/a`   | in the folder of that installed package, which is not imported |
    | `file:///data/a.csv`       | `/data/a.csv`                                                 |
    | `s3://bucket/a`            | unchanged, as every other remote URI                          |

    Args:
        path: a path, a glob, or a pattern such as `data/{SPAN}/*.csv`.

    Raises:
        SettingsError: there is no such package, or the path leads out of it.
    """
    if path.startswith(_PACKAGE):
        return _in_package(path)
    if path.startswith("file://"):
        return os.path.abspath(path.removeprefix("file://"))
    if _REMOTE.match(path):
        return path
    return os.path.abspath(os.path.expanduser(path))


def _in_package(path: str) -> str:
    name, _, inside = path.removeprefix(_PACKAGE).partition("/")
    if not inside or ".." in inside.split("/") or inside.startswith("/"):
        raise SettingsError(
            "A path in a package is package:NAME/FILE, with FILE inside the package's folder.",
            received=path,
            fix="For example package:tfx/examples/chicago_taxi_pipeline/data/simple/data.csv",
        )
    folders = [folder for folder in locations(name, wanted_by=path) if folder.is_dir()]
    if not folders:
        raise SettingsError(f"{name!r} is a module of one file, not a package with files.", received=path)
    # A namespace package has several folders: the one that holds the path, up to where a glob or a pattern begins.
    fixed = re.split(r"[*?\[{]", inside, maxsplit=1)[0].rpartition("/")[0] if re.search(r"[*?\[{]", inside) else inside
    return str(Path(next((folder for folder in folders if (folder / fixed).exists()), folders[0]), inside))
