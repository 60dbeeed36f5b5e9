"""Examples whose columns are what a model predicts, so that every metric is known beforehand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline_testing import examples
from pipeline_testing.rows import to_rows

Row = Mapping[str, Any]


@pytest.fixture(scope="session")
def write_examples() -> Callable[[Path, Sequence[Row]], Path]:
    """Writes rows as the split `eval` of an Examples artifact and returns the artifact's folder."""

    def write(folder: Path, rows: Sequence[Row]) -> Path:
        examples.write(to_rows(rows), folder / "Split-eval")
        return folder

    return write
