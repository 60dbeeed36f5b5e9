from __future__ import annotations

from typing import Any

import grpc
from prometheus_client.parser import text_string_to_metric_families

from serving.rest.metrics_text import metrics_text
from serving.server.canary_traffic import CanaryTraffic
from serving.server.metrics import Metrics
from serving.server.run_metrics import RunMetrics
from serving.traffic_split import TrafficSplit


def test_counts_and_times() -> None:
    metrics = Metrics()
    metrics.record("half", grpc.StatusCode.OK, api="predict", entrypoint="REST", seconds=20e-6)
    metrics.record("half", grpc.StatusCode.OK, api="predict", entrypoint="REST", seconds=30e-6)
    metrics.record('a"b', grpc.StatusCode.INVALID_ARGUMENT, api="predict", entrypoint="REST", seconds=1)
    lines = metrics_text(metrics).splitlines()
    assert ':tensorflow:serving:request_count{model_name="half",status="OK"} 2' in lines
    assert ':tensorflow:serving:request_count{model_name="a\\"b",status="INVALID_ARGUMENT"} 1' in lines
    labels = 'model_name="half",API="predict",entrypoint="REST"'
    times = [line.removeprefix(":tensorflow:serving:request_latency_") for line in lines if labels in line]
    assert times[:4] == [
        f'bucket{{{labels},le="10"}} 0',
        f'bucket{{{labels},le="18"}} 0',
        f'bucket{{{labels},le="32.4"}} 2',
        f'bucket{{{labels},le="58.32"}} 2',
    ]
    assert times[-3:] == [f'bucket{{{labels},le="+Inf"}} 2', f"sum{{{labels}}} 50.0", f"count{{{labels}}} 2"]


def test_computations_and_examples() -> None:
    runs = RunMetrics()
    runs.took("half", "Predict", 20e-6)
    runs.examples("half", 3)
    page = metrics_text(Metrics(), runs=runs)
    lines = [line.removeprefix(":tensorflow:serving:") for line in page.splitlines()]
    labels = 'model_name="half",API="Predict",runtime="TF1"'
    assert f'runtime_latency_bucket{{{labels},le="18"}} 0' in lines
    assert f'runtime_latency_bucket{{{labels},le="32.4"}} 1' in lines
    assert f"runtime_latency_sum{{{labels}}} 20.0" in lines
    assert 'request_example_counts_bucket{model="half",le="2"} 0' in lines
    assert 'request_example_counts_bucket{model="half",le="4"} 1' in lines
    assert lines[-1] == 'request_example_count_total{model="half"} 3'
    families = {family.name.removeprefix(":tensorflow:serving:"): family.type for family in _families(page)}
    assert families["runtime_latency"] == families["request_example_counts"] == "histogram"
    assert families["request_example_count"] == "counter"


def _families(page: str) -> list[Any]:
    return list(text_string_to_metric_families(page))


def test_prometheus_reads_it() -> None:
    metrics = Metrics()
    metrics.record("half", grpc.StatusCode.OK, api="predict", entrypoint="GRPC", seconds=1)
    families = {family.name: family for family in text_string_to_metric_families(metrics_text(metrics))}
    assert families[":tensorflow:serving:request_count"].type == "counter"
    assert families[":tensorflow:serving:request_latency"].type == "histogram"


def test_versions_are_told_apart_while_a_canary_is_tried() -> None:
    canary = CanaryTraffic(TrafficSplit(id="a", stable=1, canary=2, percent=10))
    canary.answered(2, 15e-6, {})
    canary.failed(2)
    page = metrics_text(Metrics(), {"half": canary})
    lines = page.splitlines()
    count, latency = ":scalable_tf:serving:canary_request_count", ":scalable_tf:serving:canary_request_latency"
    assert f'{count}{{model_name="half",version="2",status="OK"}} 1' in lines
    assert f'{count}{{model_name="half",version="2",status="ERROR"}} 1' in lines
    assert f'{count}{{model_name="half",version="1",status="OK"}} 0' in lines
    labels = 'model_name="half",version="2"'
    times = [line for line in lines if line.startswith(f"{latency}_") and labels in line]
    assert times[:2] == [f'{latency}_bucket{{{labels},le="10"}} 0', f'{latency}_bucket{{{labels},le="17.7156"}} 1']
    assert times[-3:] == [
        f'{latency}_bucket{{{labels},le="+Inf"}} 1',
        f"{latency}_sum{{{labels}}} 15.0",
        f"{latency}_count{{{labels}}} 1",
    ]
    families = {family.name: family for family in text_string_to_metric_families(page)}
    assert families[latency].type == "histogram"
