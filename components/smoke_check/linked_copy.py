"""A SavedModel in another place, which costs no disk space where files can have two names."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def linked_copy(source: Path, target: Path) -> None:
    """Gives every file of a folder a second name; where the file system has none, copies it.

    Args:
        source: the folder.
        target: is made; what is added to it does not change the source, but files that are in both are one file.
    """
    shutil.copytree(source, target, copy_function=_link)


def _link(source: str, target: str) -> None:
    try:
        os.link(os.path.realpath(source), target)
    except OSError:  # another file system, or one that knows no links, as a mounted bucket
        shutil.copyfile(source, target)
