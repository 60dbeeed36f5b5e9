"""Nodes that give ExampleValidator what a run's data are compared with.

PreviousSpan                                      the accepted span before: drift
ServingExampleGen -> ServingStatisticsGen         rows that predictions were made for: skew
"""

from __future__ import annotations

from collections.abc import Mapping

from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.dsl.components.base.base_node import BaseNode
from tfx.dsl.components.common.resolver import Resolver
from tfx.types.channel import BaseChannel

from components.example_gen.inputs import split_path
from components.example_gen.prepared import prepare_code
from components.example_gen.serving import ServingExampleGen
from components.example_gen.spans import has_span
from components.example_validator.comparators import Comparisons, Threshold, compares
from components.span_window.strategy import STATISTICS, PreviousSpanStrategy, nodes_json
from components.statistics_gen.component import StatisticsGen
from configs.fingerprint import code_fingerprint
from configs.settings import EVERY_COLUMN, Distance, Settings
from pipeline import nodes
from pipeline.cache_key import depends_on
from pipeline.span_window import has_spans, is_dated, span_nodes
from schemas.errors import SettingsError
from schemas.features import Cross, Dtype, Image, Text, Timestamp

STATISTICS_CODE = ("components.examples", "components.statistics_gen", "schemas.column_files")


def previous_span(settings: Settings, statistics: BaseChannel, schema: schema_pb2.Schema | None) -> Resolver | None:
    """The node that finds the statistics of the accepted span before; None: drift is not measured.

    Args:
        settings: validated settings.
        statistics: of the run's own span.
        schema: the curated one, whose comparators hold too.

    Raises:
        SettingsError: the settings ask for it, but the data have no spans.
    """
    if not has_spans(settings.data):
        if settings.validation.drift:
            raise SettingsError(
                "Drift is measured from the span before, but the data have no spans.",
                where="validation.drift",
                received=f"data.path: {settings.data.path}",
                fix="Put {SPAN} or {YYYY}-{MM}-{DD} into data.path, or leave validation.drift out.",
            )
        return None
    if not measures_drift(settings, schema):
        return None
    return Resolver(
        strategy_class=PreviousSpanStrategy,
        config={"nodes": nodes_json(span_nodes(settings.name)), "dated": int(is_dated(settings.data))},
        **{STATISTICS: statistics},
    ).with_id(nodes.PREVIOUS_SPAN)


def measures_drift(settings: Settings, schema: schema_pb2.Schema | None) -> bool:
    """Whether a run compares its span with the one before, by thresholds of the settings or of the curated schema."""
    asked = bool(settings.validation.drift) or (schema is not None and compares(schema, "drift_comparator"))
    return asked and has_spans(settings.data)


def serving_statistics(settings: Settings, schema: schema_pb2.Schema | None, prepared_dir: str) -> list[BaseNode]:
    """The nodes that give the statistics of serving, the last of them; empty: skew is not measured.

    Args:
        settings: validated settings.
        schema: the curated one, whose comparators hold too.
        prepared_dir: as of ExampleGen.

    Raises:
        SettingsError: there are rows of serving, but no threshold.
    """
    path = settings.validation.serving_path
    if path is None:
        return []
    if not settings.validation.skew and not (schema and compares(schema, "skew_comparator")):
        raise SettingsError(
            "There are rows of serving, but no threshold says how far the data may be from them.",
            where="validation.serving_path",
            received=path,
            fix="Set validation.skew, such as {'*': 0.1}, give the curated schema a skew_comparator, or leave it out.",
        )
    data = settings.data.model_copy(
        update={
            "path": path,
            "source": settings.data.files,
            "query": None,
            "split_column": None,
            "splits": {"all": 1},
            "span": settings.data.span if has_span(split_path(path)[1]) else None,
        }
    )
    example_gen = ServingExampleGen(data, settings.table, prepared_dir=prepared_dir).with_id(nodes.SERVING_EXAMPLE_GEN)
    depends_on(example_gen, code=code_fingerprint(["components.example_gen", "schemas"]))
    if data.prepare is not None:
        depends_on(example_gen, prepare=prepare_code(data.prepare))
    statistics_gen = StatisticsGen(examples=example_gen.outputs["examples"]).with_id(nodes.SERVING_STATISTICS_GEN)
    depends_on(statistics_gen, code=code_fingerprint(STATISTICS_CODE))
    return [example_gen, statistics_gen]


def comparisons(settings: Settings) -> Comparisons:
    """The thresholds of the settings by column.

    `*` stands for the columns whose distribution says something: not moments in time, which never come again, and not
    texts and pictures, of which hardly two are equal.
    """
    table = settings.table
    meant: dict[str, bool] = {}
    for name, feature in table.features.items():
        if not isinstance(feature, Cross):
            column = feature.column or name
            meant[column] = meant.get(column, False) or not isinstance(feature, (Timestamp, Text, Image))
    return Comparisons(
        drift=_thresholds(settings.validation.drift, {c: d for c, d in table.columns.items() if meant.get(c, True)}),
        skew=_thresholds(settings.validation.skew, {c: d for c, d in table.inputs.items() if meant[c]}),
    )


def _thresholds(distances: Mapping[str, float | Distance], columns: Mapping[str, Dtype]) -> dict[str, Threshold]:
    """Thresholds by column, of columns that `*` may stand for, with their types."""
    found: dict[str, Threshold] = {}
    if EVERY_COLUMN in distances:
        threshold = _threshold(distances[EVERY_COLUMN], named=False)
        of_text = threshold.measure == "infinity_norm"
        found = {column: threshold for column, dtype in columns.items() if dtype == "string" or not of_text}
    return found | {name: _threshold(one, named=True) for name, one in distances.items() if name != EVERY_COLUMN}


def _threshold(distance: float | Distance, *, named: bool) -> Threshold:
    if not isinstance(distance, Distance):
        return Threshold(distance, named=named)
    if distance.infinity_norm is not None:
        return Threshold(distance.infinity_norm, "infinity_norm", named)
    return Threshold(distance.jensen_shannon_divergence or 0.0, named=named)
