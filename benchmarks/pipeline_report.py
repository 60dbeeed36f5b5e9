"""The pipeline benchmark as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from benchmarks.growth import growth
from benchmarks.markdown import markdown_table

_SIDES = ("stock", "ours")
_KINDS = {False: "cold: fresh processes, fresh output folders", True: "warm: the second run of one process"}

Result = Mapping[str, Any]


def report_size(result: Result) -> str:
    """One size as two tables: totals, then nodes."""
    totals = [
        ("seconds, start to exit", *_both(result, "seconds")),
        ("processor seconds", *_both(result, "cpu_seconds")),
        ("peak memory, MiB", *_both(result, "peak_mb")),
        ("AUC on the eval split", result["stock_auc"], result["ours_auc"], None),
    ]
    return (
        f"{result['rows']} rows\n\n"
        + markdown_table(("", "stock TFX", "ours", "stock / ours"), totals)
        + "\nSeconds of each node (ours may overlap)\n\n"
        + markdown_table(("node", "stock TFX", "ours", "stock / ours"), _nodes(result))
    )


def report_sizes(results: Sequence[Result]) -> str:
    """Several sizes: totals, growth, nodes, and what was compared.

    Args:
        results: as `benchmarks.comparison.compare` gives them, the smallest first.
    """
    first = results[0]
    return "\n".join(
        [
            "# Our pipeline beside stock TFX\n",
            f"Made by `python -m benchmarks.pipeline`, {_KINDS[first['warm']]}; {_turns(first)}. "
            f"[README.md](README.md) says how it measures.\n",
            _machine(first["machine"]) + "\n",
            "![Seconds of nodes, and growth with rows](pipeline.png)\n",
            "## Totals\n",
            _totals(results),
            _growth(results),
            *(f"## Nodes, {result['rows']:,} rows\n\n{_node_table(result)}" for result in results),
            "## Results compared\n",
            "Rows are counted in the examples that both sides wrote; values, means and texts are of their statistics; "
            "vocabularies of their transforms; AUC is what each side's Evaluator says of the eval split.\n",
            _checks(results),
        ]
    )


def _both(result: Result, key: str) -> tuple[float, float, float]:
    stock, ours = result[f"stock_{key}"], result[f"ours_{key}"]
    return stock, ours, stock / ours


def _nodes(result: Result) -> list[tuple[str, float | None, float | None, float | None]]:
    stock, ours = (result["per_node"][side] for side in _SIDES)
    return [
        (
            node,
            stock.get(node),
            ours.get(node),
            stock[node] / ours[node] if stock.get(node) and ours.get(node) else None,
        )
        for node in dict.fromkeys((*stock, *ours))
    ]


def _node_table(result: Result) -> str:
    table = markdown_table(("node", "stock TFX, s", "ours, s", "stock / ours"), _nodes(result))
    # What no node is in: start, imports, exit; ours may be negative, because its nodes overlap.
    rest = " and ".join(
        f"{result[f'{side}_seconds'] - sum(result['per_node'][side].values()):.1f} s ({side})" for side in _SIDES
    )
    return f"{table}\nAll of it less the sum of the nodes: {rest}; nodes of ours run side by side.\n"


def _totals(results: Sequence[Result]) -> str:
    header = (
        *("rows", "steps", "stock, s", "ours, s", "stock / ours", "stock, CPU s", "ours, CPU s"),
        *("stock, peak MiB", "ours, peak MiB", "stock, AUC", "ours, AUC"),
    )
    return markdown_table(
        header,
        [
            (
                *(f"{result['rows']:,}", str(result["steps"])),
                *(*_both(result, "seconds"), *_both(result, "cpu_seconds")[:2]),
                *(*_both(result, "peak_mb")[:2], result["stock_auc"], result["ours_auc"]),
            )
            for result in results
        ],
    )


def _growth(results: Sequence[Result]) -> str:
    """Nothing where there is one size."""
    if len(results) < 2:
        return ""
    rows = [result["rows"] for result in results]
    lines: list[tuple[str | float | None, ...]] = [
        (f"{side}, total", *growth(rows, [result[f"{side}_seconds"] for result in results])) for side in _SIDES
    ]
    for side in _SIDES:
        for node in results[-1]["per_node"][side]:
            seconds = [result["per_node"][side].get(node) for result in results]
            lines.append((f"{side}, {node}", *growth(rows, seconds)))
    header = [f"{smaller:,} to {larger:,}" for smaller, larger in pairwise(rows)]
    return (
        "## Growth\n\nSeconds grow as the rows to this power; 1 is linear.\n\n"
        + markdown_table(("", *header), lines)
    )  # fmt: skip


def _checks(results: Sequence[Result]) -> str:
    rows = [
        (f"{result['rows']:,} rows: {check['what']}", check["stock"], check["ours"], "yes" if check["holds"] else "NO")
        for result in results
        for check in result["checks"]
    ]
    return markdown_table(("what", "stock TFX", "ours", "holds"), rows)


def _turns(result: Result) -> str:
    number = len(result["runs"]["ours"])
    return "one turn" if number == 1 else f"medians of {number} turns"


def _machine(facts: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    return (
        f"{facts['cores']} cores, {facts['memory_gb']} GB, {facts['platform']}, Python {facts['python']}, {versions}; "
        f"load average {facts['load']} at the start."
    )
