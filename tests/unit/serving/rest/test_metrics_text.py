from __future__ import annotations

import grpc
from prometheus_client.parser import text_string_to_metric_families

from serving.rest.metrics_text import metrics_text
from serving.server.metrics import Metrics


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


def test_prometheus_reads_it() -> None:
    metrics = Metrics()
    metrics.record("half", grpc.StatusCode.OK, api="predict", entrypoint="GRPC", seconds=1)
    families = {family.name: family for family in text_string_to_metric_families(metrics_text(metrics))}
    assert families[":tensorflow:serving:request_count"].type == "counter"
    assert families[":tensorflow:serving:request_latency"].type == "histogram"
