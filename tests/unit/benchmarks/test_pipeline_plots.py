from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.pipeline_plots import plot_sizes
from tests.unit.benchmarks.results import made_result

pytestmark = pytest.mark.slow


def height(file: Path) -> int:
    """Of a PNG."""
    assert file.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    return int.from_bytes(file.read_bytes()[20:24], "big")


@pytest.mark.parametrize(("sizes", "plots"), [((10_000,), 1), ((10_000, 100_000), 3)])
def test_a_plot_for_each_size_and_one_of_the_growth(tmp_path: Path, sizes: tuple[int, ...], plots: int) -> None:
    plot_sizes([made_result(rows) for rows in sizes], tmp_path / "plot.png")
    assert height(tmp_path / "plot.png") == round(3.4 * 80 * plots)
