"""Two groups of servers, compared by TensorFlow Serving's own metrics."""

from __future__ import annotations

import contextlib

import pytest

from schemas.errors import ReleaseError
from serving.canary import LATENCY_BOUNDS, Limits
from serving.scraped_traffic import ScrapedTraffic, fine_latencies
from tests.unit.serving.page_server import page_server

LIMITS = Limits(minimum_requests=100)


def page(ok: int, errors: int = 0, micros: float = 1000.0) -> bytes:
    """Of a server that answered `ok` requests to taxi in `micros`, and others to another model."""
    count, latency = ":tensorflow:serving:request_count", ":tensorflow:serving:request_latency"
    lines = [f"# TYPE {count} counter"]
    for model, requests in (("taxi", ok), ("other", 7)):
        lines.append(f'{count}{{model_name="{model}",status="OK"}} {requests}')
    lines += [f'{count}{{model_name="taxi",status="INVALID_ARGUMENT"}} {errors}', f"# TYPE {latency} histogram"]
    for bound in (10.0, 1000.0, 100_000.0, float("inf")):
        labels = f'model_name="taxi",API="predict",entrypoint="REST",le="{bound:g}"'.replace("inf", "+Inf")
        lines.append(f"{latency}_bucket{{{labels}}} {ok if bound >= micros else 0}")
    return ("\n".join(lines) + "\n").encode()


def test_a_wide_bucket_is_shared_out_evenly() -> None:
    # 100 within 10 to 1,000 microseconds: half of them within 505.
    fine = fine_latencies({10.0: 0, 1000.0: 100, float("inf"): 103})
    below = sum(count for bound, count in zip(LATENCY_BOUNDS, fine, strict=False) if bound <= 505e-6)
    assert abs(below - 50) <= 5
    assert (sum(fine), fine[-1]) == (103, 3)


def test_what_was_before_does_not_count_and_a_restart_does_not_matter() -> None:
    # 1000 before; 400 more; then it starts anew, and 100 more.
    with (
        page_server(page(1000, 50), page(1400, 50), page(100)) as stable,
        page_server(page(0), page(100)) as canary,
        ScrapedTraffic([stable], [canary], "taxi", 0.01) as traffic,
    ):
        traffic.start()
        said: list[str] = []
        assert traffic.watch(LIMITS, 60.0, said.append).decision == "promote"
    assert said[-1].startswith("500 live requests, 20.0 % canary: promote: error rate 0, stable 0; p99 of latency")


def test_a_canary_with_errors_is_rolled_back() -> None:
    with (
        page_server(page(0), page(400)) as stable,
        page_server(page(0), page(30, 20)) as canary,
        ScrapedTraffic([stable], [canary], "taxi") as traffic,
    ):
        traffic.start()
        verdict = traffic.watch(LIMITS, 0.0)
    assert verdict.decision == "roll back"
    assert verdict.reasons[0].startswith("20 of 50 requests failed, of stable's 0 of 400")


def test_a_slow_canary_is_rolled_back() -> None:
    with (
        page_server(page(0), page(400)) as stable,
        page_server(page(0), page(200, micros=50_000.0)) as canary,
        ScrapedTraffic([stable], [canary], "taxi") as traffic,
    ):
        traffic.start()
        assert traffic.watch(LIMITS, 0.0).reasons[0].startswith("p99 of latency")


def test_a_server_without_metrics_is_told() -> None:
    with (
        page_server(b"") as url,
        ScrapedTraffic([url], [url], "taxi") as traffic,
        pytest.raises(ReleaseError, match=f"Where: {url}/monitoring/prometheus/metrics\n  Received: HTTP 404"),
    ):
        traffic.start()


@pytest.mark.parametrize("page", [b"<html>", b':tensorflow:serving:request_latency_bucket{model_name="taxi"} 1\n'])
def test_a_page_without_metrics_is_told(page: bytes) -> None:
    with (
        page_server(page) as url,
        ScrapedTraffic([url], [url], "taxi") as traffic,
        pytest.raises(ReleaseError, match="Received: no page of metrics: "),
    ):
        traffic.start()


def test_a_line_that_is_cut_off_is_told_or_passed_over() -> None:
    with (
        page_server(b"# HELP") as url,
        ScrapedTraffic([url], [url], "taxi") as traffic,
        contextlib.suppress(ReleaseError),  # by prometheus_client up to 0.20
    ):
        traffic.start()


def test_a_server_of_this_machine_is_asked_without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with page_server(page(1)) as url, ScrapedTraffic([url], [url], "taxi") as traffic:
        traffic.start()
