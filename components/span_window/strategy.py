"""Resolver strategies over spans: the window of a training, and the statistics of the span before."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from tfx.dsl.components.common.resolver import ResolverStrategy

from components.example_gen.executor import INGESTION_KEY, PREPARE_KEY, QUERY_KEY
from components.example_gen.spans import shown_spans
from components.span_window.choice import RUN_ONE, choose
from components.span_window.history import (
    CACHE_TYPE,
    EXAMPLES_TYPE,
    STATISTICS_TYPE,
    Accepted,
    Nodes,
    SpanHistory,
    is_sound,
)
from configs.window import Window
from schemas.errors import DataError, RunError

EXAMPLES = "examples"
CACHE = "analyzer_cache"
STATISTICS = "statistics"

_LOG = logging.getLogger(__name__)
_SPLITS_KEY = "output_config"
_DECIDES = (INGESTION_KEY, _SPLITS_KEY, PREPARE_KEY, QUERY_KEY)
_FREE = ("block_bytes", "max_rejected_fraction", "unlabelled")
"""Settings of the ingestion that decide which rows there are and in how many files, but not what a row is."""


class SpanWindowStrategy(ResolverStrategy):
    """The examples of a window's spans, from the oldest, and the analyzer cache of the window before it.

    Input `examples` has the run's own, which are the newest span; AnomalyGate has let them pass. Of an earlier span it
    takes the examples that AnomalyGate accepted last. `analyzer_cache` is an input without artifacts: the cache is
    that of the newest window that ends before the run's span, so that an unchanged second run resolves the same one.

    Args:
        nodes: JSON of `history.Nodes`.
        window: JSON of the section of the settings.
        dated: whether spans are days since 1970-01-01.
    """

    def __init__(self, nodes: str, window: str, dated: int) -> None:
        self._nodes = Nodes(**json.loads(nodes))
        self._window = Window.model_validate_json(window)
        self._dated = bool(dated)

    def resolve_artifacts(self, store: Any, input_dict: dict[str, list[Any]]) -> dict[str, list[Any]]:
        """The artifacts by input.

        Raises:
            DataError: there are too few spans or too many gaps, or a span was ingested with other settings.
            RunError: the examples of a span were removed or altered.
        """
        (own,) = input_dict[EXAMPLES]
        history = SpanHistory(store, self._nodes)
        numbers = self._window.numbers(own.span)
        first = numbers[0] if numbers else 0
        found = history.ingested(first, own.span - 1)
        accepted = history.accepted(found)
        chosen = choose(
            self._window,
            own.span,
            accepted=accepted.keys(),
            ingested={one.properties["span"].int_value for one in found},
            is_first=not first or not history.ingested(0, first - 1),
            dated=self._dated,
        )
        earlier = [accepted[span] for span in chosen if span != own.span]
        self._check_there(earlier)
        self._check_alike(history, own, earlier)
        _LOG.info("The window of %s has %s", self._shown([own.span]), self._shown(chosen))
        examples = history.tfx_artifacts([one.examples for one in earlier], EXAMPLES_TYPE) if earlier else []
        caches = [one for one in history.caches((one.examples for one in earlier), own.span - 1)[:1] if is_sound(one)]
        found_caches = history.tfx_artifacts(caches, CACHE_TYPE) if caches else []
        return {EXAMPLES: [*examples, own], CACHE: found_caches}

    def _check_there(self, earlier: Sequence[Accepted]) -> None:
        gone = [one for one in earlier if not is_sound(one.examples)]
        if gone:
            raise RunError(
                "The examples of spans in the window were removed or altered.",
                where=f"SpanWindow: {self._shown([one.span for one in gone])}",
                received=", ".join(one.examples.uri for one in gone),
                fix=f"Ingest these spans anew, each with\n    {RUN_ONE}",
            )

    def _check_alike(self, history: SpanHistory, own: Any, earlier: Sequence[Accepted]) -> None:
        """Rows of different columns or splits do not make one data set."""
        if not earlier:
            return
        made = history.made_by([own.mlmd_artifact, *(one.examples for one in earlier)], _DECIDES)
        expected = _decisive(made[own.id])
        other = [one.span for one in earlier if _decisive(made[one.examples.id]) != expected]
        if other:
            differences = {name for one in earlier for name in _differing(expected, _decisive(made[one.examples.id]))}
            raise DataError(
                "Spans in the window were ingested with other settings than the newest one.",
                where=f"SpanWindow: {self._shown(other)}",
                received=f"they differ in {', '.join(sorted(differences))}",
                fix=f"Ingest these spans anew, each with\n    {RUN_ONE}",
            )

    def _shown(self, spans: Sequence[int]) -> str:
        return shown_spans(spans, self._dated)


class PreviousSpanStrategy(ResolverStrategy):
    """The statistics of the accepted span before the run's own, if there is one: what drift is measured from.

    Args:
        nodes: JSON of `history.Nodes`.
        dated: whether spans are days since 1970-01-01.
    """

    def __init__(self, nodes: str, dated: int) -> None:
        self._nodes = Nodes(**json.loads(nodes))
        self._dated = bool(dated)

    def resolve_artifacts(self, store: Any, input_dict: dict[str, list[Any]]) -> dict[str, list[Any]]:
        """The artifacts by input: of `statistics`, which has the run's own, those of the span before.

        Raises:
            RunError: they were removed or altered.
        """
        (own,) = input_dict[STATISTICS]
        history = SpanHistory(store, self._nodes)
        previous = history.accepted_before(own.span)
        if previous is None:
            _LOG.info("No span before %s was accepted: there is no drift to measure", self._shown(own.span))
            return {STATISTICS: []}
        statistics = history.statistics(previous.statistics)
        if not is_sound(statistics):
            raise RunError(
                "The statistics of the span before were removed or altered: drift cannot be measured.",
                where=f"PreviousSpan: {self._shown(previous.span)}",
                received=statistics.uri,
                fix=f"Make them anew with\n    {RUN_ONE}",
            )
        _LOG.info("Drift of %s is measured from %s", self._shown(own.span), self._shown(previous.span))
        return {STATISTICS: history.tfx_artifacts([statistics], STATISTICS_TYPE)}

    def _shown(self, span: int) -> str:
        return shown_spans([span], self._dated)


def nodes_json(nodes: Nodes) -> str:
    """As the strategies take them."""
    return json.dumps(asdict(nodes), sort_keys=True)


def _decisive(properties: dict[str, str]) -> dict[str, Any]:
    """What decides columns, types and splits of examples, by the name of the setting."""
    ingestion = json.loads(properties[INGESTION_KEY] or "{}")
    found = {name: value for name, value in ingestion.items() if name not in _FREE}
    if "columns" in found:
        found["columns"] = {name: value for name, value in found["columns"].items() if name != "readers"}
    return {
        **found,
        "splits": properties[_SPLITS_KEY],
        "prepare": properties[PREPARE_KEY],
        "query": properties[QUERY_KEY],
    }


def _differing(one: dict[str, Any], other: dict[str, Any]) -> Iterable[str]:
    return (name for name in {*one, *other} if one.get(name) != other.get(name))
