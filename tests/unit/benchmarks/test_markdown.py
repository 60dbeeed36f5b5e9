from __future__ import annotations

import pytest

from benchmarks.markdown import markdown_table


def test_by_hand() -> None:
    table = markdown_table(("node", "stock", "ours"), [("Trainer", 7.5, 2.25), ("A|B", None, 1234)])

    assert table == (
        "| node    | stock |  ours |\n"
        "| ------- | ----: | ----: |\n"
        "| Trainer | 7.500 | 2.250 |\n"
        "| A\\|B    |     - |  1234 |\n"
    )


def test_large_numbers_have_one_decimal() -> None:
    assert "| 1037.6 |" in markdown_table(("", "peak"), [("MiB", 1037.6445)])


def test_every_row_has_the_cells_of_the_header() -> None:
    with pytest.raises(ValueError, match="2 cells"):
        markdown_table(("a", "b"), [("only one",)])
