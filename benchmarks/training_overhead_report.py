"""What the sides of `benchmarks.training_overhead` took, by batch."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.markdown import markdown_table
from benchmarks.timed_process import TimedProcess
from benchmarks.training_data import TrainingData


def measure_overhead(
    data: TrainingData, folder: Path, *, batches: Sequence[int], epochs: int, turns: int
) -> list[dict[str, Any]]:
    """Runs the comparison in a process for each batch.

    Args:
        data: rows and settings.
        folder: to work in.
        batches: examples a step.
        epochs: two or more; the first is not counted.
        turns: how often; medians count.
    """
    found = []
    for batch in batches:
        place = folder / str(batch)
        place.mkdir(parents=True)
        result = place / "run" / "overhead.json"
        arguments = data.arguments(place, {"batch_size": batch, "epochs": epochs}, {})
        arguments["overhead"] = {"turns": turns, "result": str(result)}
        file = place / "arguments.json"
        file.write_text(json.dumps(arguments), encoding="utf-8")
        found.append(TimedProcess(["benchmarks.training_overhead", str(file)], result).outcome())
    return found


def report_overhead(result: Sequence[Mapping[str, Any]]) -> str:
    """The result as Markdown."""
    names = ("batch", "our examples/s", "steps an execution", "of Keras's default", "same steps")
    rows = [
        (
            str(found["batch_size"]), round(found["examples_per_second"]), found["steps_per_execution"],
            found["of_keras_default"], found["of_bare_together"],
        )
        for found in result
    ]  # fmt: skip
    pipeline = [
        (
            str(found["batch_size"]), found["step_ms"], found["input_ms"], found["input_processor_ms"],
            f"{100 * found['input_of_step']:.0f} %",
        )
        for found in result
    ]  # fmt: skip
    return (
        f"{result[0]['rows']} rows; ours / bare, examples a second\n\n"
        + markdown_table(names, rows)
        + "\nThe input pipeline alone\n\n"
        + markdown_table(("batch", "ms a step", "ms of input", "processor ms of input", "input / step"), pipeline)
    )
