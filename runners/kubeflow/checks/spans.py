"""Runs that would read whatever span happens to be the newest."""

from __future__ import annotations

from collections.abc import Iterator

from configs.settings import Settings
from pipeline.span_window import has_spans
from runners.kubeflow.finding import Finding


def span_findings(settings: Settings) -> Iterator[Finding]:
    """The span of a run is said, by the settings or by whoever submits it."""
    if has_spans(settings.data) and settings.data.span is None:
        what = (
            "The settings name no span: a run that is given none reads the newest one, twice if nothing new has come."
        )
        remedy = "Submit with --parameter span=N; or let scalable-tf schedule find out which spans are due."
        yield Finding("warning", what, "data.span", "", remedy)
