"""What a run says at its end."""

from __future__ import annotations

import io

from rich.console import Console

from runners.report import _classes_table


def test_classes_with_their_rows_precision_recall_and_confusion() -> None:
    out = io.StringIO()
    # 10 cats, of which 8 are seen as cats, 2 as dogs; 5 dogs, of which 1 is seen as a cat; no cow.
    Console(file=out, width=100).print(_classes_table([[8, 2, 0], [1, 4, 0], [0, 0, 0]], ("cat", "[dog]", "cow")))
    lines = [line.split() for line in out.getvalue().splitlines()]
    assert lines[1:] == [
        ["cat", "10", "0.8889", "0.8000", "[dog]"],
        ["[dog]", "5", "0.6667", "0.8000", "cat"],
        ["cow", "0", "-", "-", "-"],
    ]
