"""The plot of the pipeline benchmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_SIDES = {"stock": "stock TFX", "ours": "ours"}


def plot_sizes(results: Sequence[Mapping[str, Any]], file: Path) -> None:
    """Bars of each node's seconds, a plot for each size, and the growth of all with the rows, log-log.

    Args:
        results: as `benchmarks.comparison.compare` gives them, the smallest first.
        file: PNG to write.
    """
    from matplotlib.figure import Figure

    number = len(results) + (len(results) > 1)
    figure = Figure(figsize=(9, 3.4 * number), layout="constrained")
    plots = figure.subplots(number, 1, squeeze=False)[:, 0]
    for axes, result in zip(plots, results, strict=False):
        _bars(axes, result)
    if len(results) > 1:
        _growth(plots[-1], results)
    figure.savefig(file, dpi=80, metadata={"Software": None})


def _bars(axes: Any, result: Mapping[str, Any]) -> None:
    nodes = list(dict.fromkeys(node for side in _SIDES for node in result["per_node"][side]))
    for shift, (side, label) in zip((-0.2, 0.2), _SIDES.items(), strict=True):
        found = result["per_node"][side]
        there = [place for place, node in enumerate(nodes) if node in found]
        axes.bar([place + shift for place in there], [found[nodes[place]] for place in there], 0.4, label=label)
    axes.set(yscale="log", ylabel="seconds", title=f"Nodes, {result['rows']:,} rows")
    axes.set_xticks(range(len(nodes)), nodes, rotation=30, ha="right", fontsize="small")
    axes.grid(axis="y", alpha=0.3)
    axes.legend(fontsize="small")


def _growth(axes: Any, results: Sequence[Mapping[str, Any]]) -> None:
    rows = [result["rows"] for result in results]
    for side, label in _SIDES.items():
        seconds = [result[f"{side}_seconds"] for result in results]
        axes.plot(rows, seconds, marker="o", label=label)
        for place, value in zip(rows, seconds, strict=True):
            axes.annotate(f"{value:.1f}", (place, value), textcoords="offset points", xytext=(0, 6), ha="center")
    last = results[-1]["ours_seconds"]
    axes.plot(rows, [last * number / rows[-1] for number in rows], color="grey", linestyle="--", label="linear")
    axes.set(xscale="log", yscale="log", xlabel="rows", ylabel="seconds", title="All of it, start to exit")
    axes.grid(which="both", alpha=0.3)
    axes.legend(fontsize="small")
