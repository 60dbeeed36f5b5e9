"""TFMA's result as plain metrics by slice, so that nobody needs TFMA to read them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

OVERALL = "Overall"
"""The slice of all rows."""
FILE_NAME = "metrics.json"

_COUNTS = ("truePositives", "falsePositives", "trueNegatives", "falseNegatives")
_NAMES = ("true_positives", "false_positives", "true_negatives", "false_negatives")


def metrics_table(result: Any) -> dict[str, dict[str, Any]]:
    """Metrics by slice and name: `{"Overall": {"auc": 0.95, ...}, "payment_type:Cash": {...}}`.

    Args:
        result: a `tfma.EvalResult` (`tfma.load_eval_result`), of the candidate where there is a baseline too.

    Returns:
        JSON-ready; slices in name order with Overall first. A number that is not finite is None. A confusion matrix is
        `{"0.5": {"true_positives": ..., ...}, ...}` for yes/no labels, and for classes rows of counts, label by
        prediction. Differences from the baseline are left out.
    """
    table = {slice_name(key): _metrics(metrics) for key, metrics in result.slicing_metrics}
    return {name: table[name] for name in sorted(table, key=lambda name: (name != OVERALL, name))}


def slice_name(key: Iterable[tuple[Any, ...]]) -> str:
    """`payment_type:Cash`; several columns are joined by a comma and a space; the empty key is Overall."""
    return ", ".join(f"{column}:{_text(value)}" for column, value in sorted(key)) or OVERALL


def _text(value: Any) -> str:
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)


def _metrics(metrics: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, Any]:
    values = metrics[""][""]
    return {name: _value(values[name]) for name in sorted(values) if not name.endswith("_diff")}


def _value(value: Mapping[str, Any]) -> Any:
    if "confusionMatrixAtThresholds" in value:
        # Zeros are absent: the result comes from protos.
        matrices = value["confusionMatrixAtThresholds"].get("matrices", ())
        return {
            str(matrix.get("threshold", 0.0)): {
                name: _number(matrix.get(count, 0.0)) for name, count in zip(_NAMES, _COUNTS, strict=True)
            }
            for matrix in matrices
        }
    if "arrayValue" in value:
        rows, columns = value["arrayValue"]["shape"]
        flat = [_number(number) for number in value["arrayValue"]["float64Values"]]
        return [flat[row * columns : (row + 1) * columns] for row in range(rows)]
    return _number(value.get("doubleValue"))


def _number(value: Any) -> float | None:
    # Numbers that are not finite come as text.
    number = math.nan if value is None else float(value)
    return number if math.isfinite(number) else None
