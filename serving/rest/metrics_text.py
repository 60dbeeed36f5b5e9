"""Metrics in Prometheus' text format, with TensorFlow Serving's names."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from serving.canary import LATENCY_BOUNDS
from serving.server.canary_traffic import CanaryTraffic
from serving.server.metrics import BOUNDS, Metrics
from serving.server.run_metrics import EXAMPLE_BOUNDS, RunMetrics

_COUNT = ":tensorflow:serving:request_count"
_LATENCY = ":tensorflow:serving:request_latency"
_RUNTIME = ":tensorflow:serving:runtime_latency"
_EXAMPLES = ":tensorflow:serving:request_example_counts"
_EXAMPLE_TOTAL = ":tensorflow:serving:request_example_count_total"
_CANARY_COUNT = ":scalable_tf:serving:canary_request_count"
_CANARY_LATENCY = ":scalable_tf:serving:canary_request_latency"
_REFUSED = ":scalable_tf:serving:refused_handshakes"
_EVERY = 6  # of the fine bounds, which makes them as coarse as TensorFlow Serving's
_NONE: Mapping[str, CanaryTraffic] = MappingProxyType({})


def metrics_text(
    metrics: Metrics, canaries: Mapping[str, CanaryTraffic] = _NONE, runs: RunMetrics | None = None
) -> str:
    """The page at `/monitoring/prometheus/metrics`: counters by model and status, a histogram of microseconds.

    While canaries are tried, the same of both versions by names of ours; what TensorFlow Serving names stays as it is.
    """
    lines = [f"# HELP {_COUNT} Requests by model and status.", f"# TYPE {_COUNT} counter"]
    for (model, status), count in sorted(metrics.counts().items()):
        lines.append(f'{_COUNT}{{model_name="{_escaped(model)}",status="{_escaped(status)}"}} {count}')
    lines += [f"# HELP {_LATENCY} Microseconds from a request to its answer.", f"# TYPE {_LATENCY} histogram"]
    for (model, api, entrypoint), latency in sorted(metrics.latencies().items()):
        labels = f'model_name="{_escaped(model)}",API="{_escaped(api)}",entrypoint="{_escaped(entrypoint)}"'
        lines += _histogram(_LATENCY, labels, BOUNDS, latency.buckets, latency.total)
    if refused := metrics.refused.counts():
        lines += [f"# HELP {_REFUSED} Connections that TLS did not come about on.", f"# TYPE {_REFUSED} counter"]
        lines += [
            f'{_REFUSED}{{entrypoint="REST",reason="{reason}"}} {count}' for reason, count in sorted(refused.items())
        ]
    if runs is not None:
        lines += _run_lines(runs)
    if canaries:
        lines += _canary_lines(canaries)
    return "\n".join(lines) + "\n"


def _run_lines(runs: RunMetrics) -> Iterator[str]:
    yield f"# HELP {_RUNTIME} Microseconds that TensorFlow computed."
    yield f"# TYPE {_RUNTIME} histogram"
    for (model, api), latency in sorted(runs.latencies().items()):
        # The runtime is that of sessions, which TensorFlow Serving tells from TFRT.
        labels = f'model_name="{_escaped(model)}",API="{api}",runtime="TF1"'
        yield from _histogram(_RUNTIME, labels, BOUNDS, latency.buckets, latency.total)
    examples = [(f'model="{_escaped(model)}"', one) for model, one in sorted(runs.example_counts().items())]
    yield f"# HELP {_EXAMPLES} Requests by their number of tf.Examples."
    yield f"# TYPE {_EXAMPLES} histogram"
    for labels, one in examples:
        yield from _histogram(_EXAMPLES, labels, EXAMPLE_BOUNDS, one.buckets, one.total)
    yield f"# HELP {_EXAMPLE_TOTAL} The tf.Examples of all requests."
    yield f"# TYPE {_EXAMPLE_TOTAL} counter"
    for labels, one in examples:
        yield f"{_EXAMPLE_TOTAL}{{{labels}}} {one.total}"


def _histogram(name: str, labels: str, bounds: Sequence[float], buckets: Sequence[int], total: float) -> Iterator[str]:
    counts = list(itertools.accumulate(buckets))
    for bound, count in zip([*(f"{bound:g}" for bound in bounds), "+Inf"], counts, strict=True):
        yield f'{name}_bucket{{{labels},le="{bound}"}} {count}'
    yield f"{name}_sum{{{labels}}} {total}"
    yield f"{name}_count{{{labels}}} {counts[-1]}"


def _canary_lines(canaries: Mapping[str, CanaryTraffic]) -> Iterator[str]:
    seen = [
        (f'model_name="{_escaped(model)}",version="{version}"', one)
        for model, traffic in sorted(canaries.items())
        for version, one in sorted(traffic.snapshot(predictions=False).items())
    ]
    yield f"# HELP {_CANARY_COUNT} Requests to stable and canary since the canary began."
    yield f"# TYPE {_CANARY_COUNT} counter"
    for labels, one in seen:
        yield f'{_CANARY_COUNT}{{{labels},status="OK"}} {one.requests - one.errors}'
        yield f'{_CANARY_COUNT}{{{labels},status="ERROR"}} {one.errors}'
    yield f"# HELP {_CANARY_LATENCY} Microseconds in which a version answered."
    yield f"# TYPE {_CANARY_LATENCY} histogram"
    for labels, one in seen:
        counts = list(itertools.accumulate(one.latencies))
        for index in range(0, len(LATENCY_BOUNDS), _EVERY):
            yield f'{_CANARY_LATENCY}_bucket{{{labels},le="{LATENCY_BOUNDS[index] * 1e6:.6g}"}} {counts[index]}'
        yield f'{_CANARY_LATENCY}_bucket{{{labels},le="+Inf"}} {counts[-1]}'
        yield f"{_CANARY_LATENCY}_sum{{{labels}}} {one.seconds * 1e6}"
        yield f"{_CANARY_LATENCY}_count{{{labels}}} {counts[-1]}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
