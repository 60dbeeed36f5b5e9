"""The inline engine: a Beam runner for work that fits one machine, in this process and without serialisation."""

from __future__ import annotations

import logging
from typing import Any

from apache_beam import Pipeline
from apache_beam.io import iobase
from apache_beam.metrics.execution import MetricsContainer
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.options.value_provider import RuntimeValueProvider
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.runner import PipelineResult, PipelineRunner
from apache_beam.runners.worker import statesampler
from apache_beam.utils.counters import CounterFactory

from runners.crew import Crew
from runners.inline_execution import Execution
from runners.inline_plan import Plan, make_plan
from runners.inline_result import InlineResult

_LOG = logging.getLogger(__name__)


class InlineRunner(PipelineRunner):
    """Runs a bounded pipeline in the global window, handing elements on as Python objects.

    One thread does it all, but for what a crew takes over. Of metrics, those of this process are collected.

    What it cannot do (state, timers, splittable DoFns, windows, triggers, streaming, transforms of other languages or
    unknown ones) it notices before anything runs, and hands the pipeline to the direct runner.

    Args:
        max_bytes: pipelines that read more than this go to the direct runner; default: no limit.
        crew: other processes, which take a share of the work; default: none.
    """

    def __init__(self, max_bytes: int | None = None, crew: Crew | None = None) -> None:
        self._max_bytes = max_bytes
        self._crew = crew

    def run_pipeline(self, pipeline: Pipeline, options: PipelineOptions) -> PipelineResult:
        """Runs the pipeline to its end.

        Raises:
            Exception: what a DoFn or CombineFn raised, as it is.
        """
        plan = make_plan(pipeline)
        reasons = plan.obstacles or self._too_large(plan)
        if reasons:
            _LOG.warning("This pipeline goes to the direct engine: %s", "; ".join(dict.fromkeys(reasons)))
            return FnApiRunner().run_pipeline(pipeline, options)
        _LOG.info("This pipeline runs inline: %d steps in %d levels.", len(plan.steps), plan.levels)
        RuntimeValueProvider.set_runtime_options({})
        container = MetricsContainer("inline")
        sampler = statesampler.StateSampler("inline", CounterFactory())
        before = statesampler.get_current_tracker()
        statesampler.set_current_tracker(sampler)
        try:
            with sampler.scoped_state("inline", "process", metrics_container=container):
                Execution(plan, self._crew).run()
        finally:
            statesampler.set_current_tracker(before)
        return InlineResult(container)

    def _too_large(self, plan: Plan) -> list[str]:
        if self._max_bytes is None:
            return []
        sources: list[Any] = [step.node.transform.source for step in plan.steps if step.kind == "read"]
        size = sum(source.estimate_size() or 0 for source in sources if isinstance(source, iobase.BoundedSource))
        if size <= self._max_bytes:
            return []
        return [f"it reads {size:,} bytes, more than engine.inline_max_bytes ({self._max_bytes:,})"]
