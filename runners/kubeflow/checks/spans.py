"""Spans that a run could not be given by the plan of the schedule."""

from __future__ import annotations

from collections.abc import Iterator

from configs.settings import Settings
from pipeline.span_window import has_spans
from runners.kubeflow.finding import Finding
from runners.schedule.inventory import check_spans
from schemas.errors import ScalableTFError


def span_findings(settings: Settings) -> Iterator[Finding]:
    """Where the settings name no span, begin takes the one that is due, and so must be able to tell spans apart."""
    if not has_spans(settings.data) or settings.data.span is not None:
        return
    try:
        check_spans(settings)
    except ScalableTFError as error:
        what = f"A run that is given no span will be refused. {error.what}"
        yield Finding("warning", what, error.where, error.received or "", f"{error.fix} Or submit with span=N.")
