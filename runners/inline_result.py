"""What the inline runner gives back: a finished pipeline and its metrics."""

from __future__ import annotations

from typing import Any

from apache_beam.metrics.execution import MetricResult, MetricsContainer
from apache_beam.metrics.metric import MetricResults
from apache_beam.runners.runner import PipelineResult, PipelineState


class InlineResult(PipelineResult):
    """A pipeline that has run to its end.

    Args:
        container: its metrics. They belong to the pipeline as a whole: attributing them to steps would cost time with
            every element, so a query by step finds nothing.
    """

    def __init__(self, container: MetricsContainer) -> None:
        super().__init__(PipelineState.DONE)
        self._metrics = _Metrics(container)

    def wait_until_finish(self, duration: int | None = None) -> str:
        """Returns at once."""
        del duration
        return str(self.state)

    def cancel(self) -> str:
        """Too late."""
        return str(self.state)

    def metrics(self) -> MetricResults:
        """Counters, distributions and the other metrics that DoFns have updated."""
        return self._metrics


class _Metrics(MetricResults):
    def __init__(self, container: MetricsContainer) -> None:
        self._updates = container.get_cumulative()

    def query(self, filter: Any = None) -> dict[str, list[MetricResult]]:
        """The metrics that a MetricsFilter lets through, by kind."""
        found = {}
        for kind in ("counters", "distributions", "gauges", "string_sets", "bounded_tries", "histograms"):
            cells = getattr(self._updates, kind, None) or {}
            found[kind] = [MetricResult(key, value, value) for key, value in cells.items() if self.matches(filter, key)]
        return found
