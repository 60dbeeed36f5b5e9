"""Metrics in Prometheus' text format, with TensorFlow Serving's names."""

from __future__ import annotations

import itertools

from serving.server.metrics import BOUNDS, Metrics

_COUNT = ":tensorflow:serving:request_count"
_LATENCY = ":tensorflow:serving:request_latency"


def metrics_text(metrics: Metrics) -> str:
    """The page at `/monitoring/prometheus/metrics`: counters by model and status, a histogram of microseconds."""
    lines = [f"# HELP {_COUNT} Requests by model and status.", f"# TYPE {_COUNT} counter"]
    for (model, status), count in sorted(metrics.counts().items()):
        lines.append(f'{_COUNT}{{model_name="{_escaped(model)}",status="{_escaped(status)}"}} {count}')
    lines += [f"# HELP {_LATENCY} Microseconds from a request to its answer.", f"# TYPE {_LATENCY} histogram"]
    for (model, api, entrypoint), latency in sorted(metrics.latencies().items()):
        labels = f'model_name="{_escaped(model)}",API="{_escaped(api)}",entrypoint="{_escaped(entrypoint)}"'
        bounds = [*(f"{bound:g}" for bound in BOUNDS), "+Inf"]
        counts = list(itertools.accumulate(latency.buckets))
        for bound, count in zip(bounds, counts, strict=True):
            lines.append(f'{_LATENCY}_bucket{{{labels},le="{bound}"}} {count}')
        lines.append(f"{_LATENCY}_sum{{{labels}}} {latency.total}")
        lines.append(f"{_LATENCY}_count{{{labels}}} {counts[-1]}")
    return "\n".join(lines) + "\n"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
