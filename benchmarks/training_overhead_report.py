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
    names = ("batch", "our examples/s", "of Keras's default", "of the same steps an execution")
    speed, processor = (
        [
            (str(one["batch_size"]), round(one["examples_per_second"]), one[f"{kind}of_keras_default"],
             one[f"{kind}of_bare_together"])
            for one in result
        ]
        for kind in ("", "processor_")
    )  # fmt: skip
    pipeline = [
        (str(one["batch_size"]), one["step_ms"], one["input_ms"], f"{100 * one['input_of_step']:.0f} %",
         f"{100 * one['input_of_step_processor']:.0f} %")
        for one in result
    ]  # fmt: skip
    first = result[0]
    return (
        f"{first['rows']} rows, {first['steps_per_execution']} steps an execution, {len(first['ours'])} turn(s); "
        "ours as a multiple of bare, examples a second\n\n"
        + markdown_table(names, speed)
        + "\nThe same, examples a second of processor time\n\n"
        + markdown_table(names, processor)
        + "\nThe input pipeline alone\n\n"
        + markdown_table(("batch", "ms a step", "ms of input", "of a step", "of its processor time"), pipeline)
    )
