"""TFDV's statistics as one HTML page that loads nothing: clusters and browsers without the internet show it, too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from tensorflow_metadata.proto.v0 import path_pb2, statistics_pb2

_HEAD = ("feature", "type", "rows with a value", "missing", "mean", "std", "zeros", "min", "median", "max", "values")
_TOP = 5
_STYLE = "body{font-family:sans-serif}table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:2px 6px}"


def statistics_page(statistics: Mapping[str, Any]) -> str:
    """The page.

    Args:
        statistics: DatasetFeatureStatisticsList of each split.
    """
    parts = [f"<!doctype html><meta charset='utf-8'><title>Statistics</title><style>{_STYLE}</style>"]
    for split, found in sorted(statistics.items()):
        for dataset in found.datasets:
            slice_name = "" if dataset.name in ("", "All Examples") else f", {escape(dataset.name)}"
            parts.append(f"<h2>{escape(split)}{slice_name}: {dataset.num_examples:,} rows</h2><table>")
            parts.append(_row("th", _HEAD))
            parts += [_row("td", _cells(feature, dataset.num_examples)) for feature in dataset.features]
            parts.append("</table>")
    return "\n".join(parts) + "\n"


def _cells(feature: Any, rows: int) -> Iterable[str]:
    kind = feature.WhichOneof("stats")
    common = getattr(feature, kind).common_stats if kind else statistics_pb2.CommonStatistics()
    missing = f"{100.0 * (rows - common.num_non_missing) / rows:.1f} %" if rows else ""
    name = feature.name or ".".join(path_pb2.Path.FromString(feature.path.SerializeToString()).step)
    type_name = statistics_pb2.FeatureNameStatistics.Type.Name(feature.type)
    yield from (name, type_name, f"{common.num_non_missing:,}", missing)
    if kind == "num_stats":
        found = feature.num_stats
        yield from (f"{value:.6g}" for value in (found.mean, found.std_dev, found.num_zeros))
        yield from (f"{value:.6g}" for value in (found.min, found.median, found.max))
        yield ""
    elif kind == "string_stats":
        found = feature.string_stats
        yield from ("",) * 6
        top = ", ".join(f"{one.value} ({one.frequency:,.0f})" for one in found.top_values[:_TOP])
        yield f"{found.unique:,} distinct{': ' if top else ''}{top}"
    else:
        yield from ("",) * 7


def _row(tag: str, cells: Iterable[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"
