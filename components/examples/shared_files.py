"""Files as the first elements of a Beam pipeline."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import apache_beam as beam

_WORTH_SHARING = 32 << 20  # bytes; a process that takes a share needs a second of its own first


def shared_files(elements: Mapping[str, Any]) -> beam.Create:
    """Elements that stand for files, redistributed among processes or machines where the files are large.

    Args:
        elements: an element for each path.
    """
    size = sum(os.path.getsize(path) for path in elements)
    return beam.Create(list(elements.values()), reshuffle=size > _WORTH_SHARING)
