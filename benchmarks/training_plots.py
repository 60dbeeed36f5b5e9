"""Plots of the training benchmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def plot_curves(result: Sequence[Mapping[str, Any]], file: Path) -> None:
    """Loss by step and by second, a row of two plots for each learning rate.

    Args:
        result: as `benchmarks.training_curves.measure_curves` gives it.
        file: PNG to write.
    """
    from matplotlib.figure import Figure

    rates = list(dict.fromkeys(found["learning_rate"] for found in result))
    figure = Figure(figsize=(10, 3.2 * len(rates)), layout="constrained")
    plots = figure.subplots(len(rates), 2, squeeze=False)
    for row, rate in enumerate(rates):
        for column, along in enumerate(("steps", "seconds")):
            axes = plots[row][column]
            for found in result:
                if found["learning_rate"] == rate:
                    axes.plot(found[along], found["val_loss"], marker=".", label=found["name"])
            axes.set(xlabel=f"{along} of training", ylabel="loss, eval split", title=f"learning rate {rate:g}")
            axes.grid(alpha=0.3)
    plots[0][0].legend(fontsize="small")
    figure.savefig(file, dpi=80, metadata={"Software": None})


def plot_scaling(result: Mapping[str, Any], file: Path) -> None:
    """Two workers' speed as a multiple of one's, beside what they reach without exchange.

    Args:
        result: as `benchmarks.training_scaling.measure_scaling` gives it.
        file: PNG to write.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3), layout="constrained")
    axes = figure.subplots()
    names = list(result["strategies"])
    found = list(result["strategies"].values())
    axes.bar([place - 0.2 for place in range(len(names))], [one["ratio"] for one in found], 0.4, label="measured")
    axes.bar(
        [place + 0.2 for place in range(len(names))],
        [one["apart_ratio"] for one in found],
        0.4,
        label="without exchange",
    )
    axes.set(xticks=range(len(names)), xticklabels=names, ylabel="examples/s, 2 workers / 1 worker")
    axes.axhline(1.7, color="grey", linestyle="--", linewidth=1)
    axes.legend(fontsize="small")
    figure.savefig(file, dpi=80, metadata={"Software": None})
