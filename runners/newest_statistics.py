"""The statistics that the newest run made, found in ML Metadata."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ml_metadata.proto import metadata_store_pb2
from tensorflow_metadata.proto.v0 import statistics_pb2

from configs.settings import Settings
from pipeline.nodes import STATISTICS_GEN
from pipeline.pipeline import root
from runners.metadata.sqlite import SqliteBackend
from runners.metadata.store_backend import store_backend
from runners.metadata_store import metadata_connection
from schemas.errors import RunError

FILE = "FeatureStats.pb"
_PREFIX = "Split-"


@dataclass(frozen=True)
class SplitStatistics:
    """Statistics of each split, and the folder that they come from."""

    uri: str
    splits: dict[str, statistics_pb2.DatasetFeatureStatisticsList]

    def __str__(self) -> str:
        rows = ", ".join(f"{name} {found.datasets[0].num_examples} rows" for name, found in self.splits.items())
        return f"{self.uri} ({rows})"


def newest_statistics(settings: Settings) -> SplitStatistics:
    """Statistics of the newest run that got as far as StatisticsGen, whether made then or taken from the cache.

    Raises:
        RunError: no run has made any.
    """
    backend = store_backend(settings)
    if isinstance(backend, SqliteBackend) and not backend.path.exists():
        raise _none(settings)
    with metadata_connection(settings) as connection:
        uri = _newest_uri(connection.store, f"{settings.name}.{STATISTICS_GEN}")
    if uri is None:
        raise _none(settings)
    return read_statistics(uri)


def read_statistics(uri: str) -> SplitStatistics:
    """The statistics under an artifact's folder, by split.

    Raises:
        RunError: they are not there, or no statistics.
    """
    splits = {}
    for file in sorted(Path(uri).glob(f"{_PREFIX}*/{FILE}"), reverse=True):  # train before eval
        try:
            found = statistics_pb2.DatasetFeatureStatisticsList.FromString(file.read_bytes())
        except Exception as error:
            # protobuf's DecodeError is a different class in each of its implementations.
            raise RunError("The statistics cannot be read.", where=str(file), received=error, fix=_AGAIN) from error
        splits[file.parent.name.removeprefix(_PREFIX)] = found
    if not splits:
        raise RunError("The newest run's statistics are no longer there.", where=uri, fix=_AGAIN)
    return SplitStatistics(uri, splits)


_AGAIN = "Make them again: scalable-tf run -c FILE --set runner.cache=false"


def _newest_uri(store: object, node: str) -> str | None:
    context = store.get_context_by_type_and_name("node", node)  # type: ignore[attr-defined]
    if context is None:
        return None
    done = [
        execution.id
        for execution in store.get_executions_by_context(context.id)  # type: ignore[attr-defined]
        if execution.last_known_state in (metadata_store_pb2.Execution.COMPLETE, metadata_store_pb2.Execution.CACHED)
    ]
    if not done:
        return None
    events = store.get_events_by_execution_ids([max(done)])  # type: ignore[attr-defined]
    outputs = [event.artifact_id for event in events if event.type == metadata_store_pb2.Event.OUTPUT]
    uris: list[str] = [artifact.uri for artifact in store.get_artifacts_by_id(outputs)]  # type: ignore[attr-defined]
    return uris[0] if uris else None


def _none(settings: Settings) -> RunError:
    return RunError(
        "No run has made statistics yet, so there is nothing to infer a schema from.",
        where=str(root(settings)),
        fix="Run the pipeline first (it may stop at AnomalyGate): scalable-tf run -c FILE",
    )
