"""What a run says at its end."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from configs.load import load_settings
from runners.local import RunResult
from runners.node import NodeOutcome, Output
from runners.report import _classes_table, print_report

MINIMAL = Path(__file__).parents[3] / "configs/minimal.yaml"


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


def test_the_spans_of_a_window_are_told_from_the_oldest() -> None:
    out = io.StringIO()
    examples = [Output(f"/examples/{span}", {"span": span}) for span in (19785, 19783)]
    result = RunResult(
        "run", Path("/logs"), {"SpanWindow": NodeOutcome("SpanWindow", "complete", 1, {"examples": examples})}
    )
    settings = load_settings([MINIMAL], ["data.path=/data/{YYYY}-{MM}-{DD}.csv", "window.spans=3"], {})
    print_report(result, settings, "run", Console(file=out, width=100))
    assert out.getvalue().splitlines()[0] == "Window: spans 19783 (2024-03-01), 19785 (2024-03-03)"
