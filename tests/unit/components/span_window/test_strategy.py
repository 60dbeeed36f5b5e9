from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.types import standard_artifacts

from components.span_window.history import Nodes, SpanHistory
from components.span_window.strategy import PreviousSpanStrategy, SpanWindowStrategy, nodes_json
from schemas.artifact_contents import CONTENTS_PROPERTY, record_contents
from schemas.errors import DataError, RunError
from tests.unit.runners.counting_store import CountingStore
from tests.unit.runners.made_history import Artifacts, MadeHistory

pytestmark = pytest.mark.slow

NODES = Nodes("trips", "ExampleGen", "AnomalyGate", "Transform")
INGESTION = {
    "ingestion": json.dumps({"source": "csv", "columns": {"columns": {"fare": "float"}}}),
    "output_config": "2:1",
}


@pytest.fixture
def made(tmp_path: Path) -> MadeHistory:
    return MadeHistory(tmp_path)


class Days:
    """Runs of a pipeline, each of one span, up to the gate."""

    def __init__(self, made: MadeHistory) -> None:
        self.made = made
        self.examples: dict[int, Any] = {}
        self.statistics: dict[int, Any] = {}

    def ingest(self, span: int, properties: dict[str, str] | None = None, *, gate: str = "complete") -> Any:
        run = f"run-{len(self.made.folders())}"
        types = {"examples": _spanned(standard_artifacts.Examples, span)}
        _, made = self.made.node(run, "ExampleGen", {}, types, properties=INGESTION | (properties or {}))
        kinds = {"statistics": _spanned(standard_artifacts.ExampleStatistics, span)}
        _, described = self.made.node(run, "StatisticsGen", made, kinds)
        self.made.node(run, "AnomalyGate", {**made, **described}, state=gate)
        self._record(made)
        self.examples[span], self.statistics[span] = made["examples"][0], described["statistics"][0]
        return self.examples[span]

    def transform(self, span: int) -> Any:
        """A Transform of the window that ends with this span."""
        types = {"updated_analyzer_cache": standard_artifacts.TransformCache}
        _, made = self.made.node(f"t-{span}", "Transform", {"examples": [self.examples[span]]}, types, span=span)
        return made["updated_analyzer_cache"][0]

    def resolve(self, span: int, **window: Any) -> dict[str, list[Any]]:
        strategy = SpanWindowStrategy(nodes_json(NODES), json.dumps({"spans": 3, **window}), dated=0)
        return strategy.resolve_artifacts(self.made.store, {"examples": [self.examples[span]], "analyzer_cache": []})

    def window(self, span: int, **window: Any) -> list[int]:
        """Ids of the examples."""
        return [artifact.id for artifact in self.resolve(span, **window)["examples"]]

    def before(self, span: int) -> list[int]:
        """Ids of the statistics that drift is measured from."""
        strategy = PreviousSpanStrategy(nodes_json(NODES), dated=0)
        found = strategy.resolve_artifacts(self.made.store, {"statistics": [self.statistics[span]]})
        return [artifact.id for artifact in found["statistics"]]

    def _record(self, artifacts: Artifacts) -> None:
        store = self.made.store
        found = store.get_artifacts_by_id([one.id for one in artifacts["examples"]])
        for one in found:
            one.custom_properties[CONTENTS_PROPERTY].string_value = record_contents(one.uri)
        store.put_artifacts(found)


def _spanned(kind: Any, span: int) -> Any:
    def make() -> Any:
        artifact = kind()
        artifact.span = span
        return artifact

    return make


@pytest.fixture
def days(made: MadeHistory) -> Days:
    return Days(made)


def test_the_examples_of_the_newest_spans_from_the_oldest_whatever_was_ingested_first(days: Days) -> None:
    third, first, second, fourth = (days.ingest(span).id for span in (3, 1, 2, 4))
    assert days.window(4) == [second, third, fourth]
    assert days.window(3) == [first, second, third]


def test_of_a_span_the_examples_that_the_gate_accepted_last(days: Days) -> None:
    days.ingest(1)
    again = days.ingest(1)
    days.ingest(1, gate="failed")
    own = days.ingest(2)
    assert days.window(2) == [again.id, own.id]


def test_data_that_came_back_are_those_of_the_latest_run(days: Days) -> None:
    first = days.ingest(1)
    days.ingest(1)
    # The first content again: ExampleGen's artifact comes from the cache, and so does the gate's verdict.
    days.made.node("again", "AnomalyGate", {"examples": [first], "statistics": [days.statistics[1]]}, cached={})
    own = days.ingest(2)
    assert days.window(2) == [first.id, own.id]


def test_a_span_that_was_refused_is_a_gap(days: Days) -> None:
    first = days.ingest(1)
    days.ingest(2, gate="failed")
    own = days.ingest(3)
    assert days.window(3, max_gaps=1) == [first.id, own.id]
    with pytest.raises(DataError, match="1 gap"):
        days.window(3)


def test_other_pipelines_and_other_nodes_make_no_spans(days: Days) -> None:
    other = Days(MadeHistory(days.made.folder, pipeline="other"))
    other.ingest(1)
    own = days.ingest(2)
    days.made.node("t", "Transform", {}, {"transformed_examples": _spanned(standard_artifacts.Examples, 1)})
    assert days.window(2) == [own.id]


def test_removed_examples_are_an_error_that_names_the_span(days: Days) -> None:
    first = days.ingest(1)
    days.ingest(2)
    shutil.rmtree(first.uri)
    with pytest.raises(RunError, match="removed or altered") as caught:
        days.window(2)
    assert caught.value.where == "SpanWindow: span 1"
    assert "--to AnomalyGate" in caught.value.fix


def test_altered_examples_are_an_error(days: Days) -> None:
    first = days.ingest(1)
    days.ingest(2)
    Path(first.uri, "file").write_text("other")
    with pytest.raises(RunError, match="removed or altered"):
        days.window(2)


@pytest.mark.parametrize(
    ("properties", "setting"),
    [
        ({"output_config": "3:1"}, "splits"),
        ({"ingestion": json.dumps({"source": "csv", "columns": {"columns": {"fare": "int"}}})}, "columns"),
        ({"prepare": "my.prepare"}, "prepare"),
    ],
)
def test_other_settings_of_the_ingestion_are_an_error_that_names_them(
    properties: dict[str, str], setting: str, days: Days
) -> None:
    days.ingest(1, properties)
    days.ingest(2)
    with pytest.raises(DataError, match="ingested with other settings") as caught:
        days.window(2)
    assert caught.value.where == "SpanWindow: span 1"
    assert caught.value.received == f"they differ in {setting}"


def test_settings_that_do_not_decide_what_a_row_is_make_no_difference(days: Days) -> None:
    free = {"source": "csv", "columns": {"columns": {"fare": "float"}, "readers": {"fare": "x"}}, "block_bytes": 9}
    first = days.ingest(1, {"ingestion": json.dumps(free)})
    own = days.ingest(2)
    assert days.window(2) == [first.id, own.id]


def test_the_cache_is_that_of_the_newest_window_before(days: Days) -> None:
    caches = {}
    for span in (1, 2, 3):
        days.ingest(span)
        caches[span] = days.transform(span).id
    resolved = [[one.id for one in days.resolve(span)["analyzer_cache"]] for span in (1, 2, 3)]
    # A second run of a span resolves the same one, and not what its first run made.
    assert resolved == [[], [caches[1]], [caches[2]]]


def test_a_cache_without_a_span_of_the_window_is_of_no_use(days: Days) -> None:
    days.ingest(1)
    days.transform(1)
    days.ingest(9)
    assert days.resolve(9, max_gaps=2)["analyzer_cache"] == []


def test_the_span_before_is_the_nearest_accepted_one(days: Days) -> None:
    for span, gate in ((1, "complete"), (5, "complete"), (6, "failed"), (7, "complete"), (9, "complete")):
        days.ingest(span, gate=gate)
    found = {span: days.before(span) for span in (1, 5, 7, 9)}
    expected = {1: [], 5: [days.statistics[1].id], 7: [days.statistics[5].id], 9: [days.statistics[7].id]}
    assert found == expected


def test_the_span_before_is_found_however_long_ago(days: Days) -> None:
    days.ingest(3)
    days.ingest(20_000)
    found = SpanHistory(days.made.store, NODES).accepted_before(20_000)
    assert found is not None
    assert found.span == 3


def test_removed_statistics_of_the_span_before_are_an_error(days: Days) -> None:
    days.ingest(1)
    days.ingest(2)
    store = days.made.store
    (artifact,) = store.get_artifacts_by_id([days.statistics[1].id])
    artifact.state = metadata_store_pb2.Artifact.DELETED
    store.put_artifacts([artifact])
    with pytest.raises(RunError, match="statistics of the span before were removed"):
        days.before(2)


def test_what_is_read_does_not_grow_with_the_history(days: Days) -> None:
    read = {}
    for span in range(1, 11):
        days.ingest(span)
        days.transform(span)
        if span in (4, 10):
            store = CountingStore(days.made.store)
            given = {"examples": [days.examples[span]], "analyzer_cache": []}
            SpanWindowStrategy(nodes_json(NODES), '{"spans": 3}', dated=0).resolve_artifacts(store, given)
            read[span] = store.given
    # Executions of the gate and of the nodes that read examples of the window; not those of older spans.
    assert read[10]["executions"] == read[4]["executions"]
    assert read[10]["events"] == read[4]["events"]
    # A record of the examples of each span.
    assert read[10]["artifacts"] - read[4]["artifacts"] == 6
