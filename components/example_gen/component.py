"""ExampleGen: files or the rows of a query to split TFRecords of tf.Example."""

from __future__ import annotations

import json

from tfx.components.example_gen import component
from tfx.dsl.components.base import executor_spec
from tfx.proto import example_gen_pb2, range_config_pb2
from tfx.types import channel, component_spec, standard_artifacts
from tfx.types import standard_component_specs as keys

from components.example_gen.driver import Driver
from components.example_gen.executor import (
    INGESTION_KEY,
    PREPARE_KEY,
    PREPARED_DIR_KEY,
    QUERY_KEY,
    Executor,
)
from components.example_gen.inputs import split_path
from components.example_gen.spans import has_span
from components.queries.query_result import query_statement, query_text
from configs.data import Data
from schemas.features import FeatureTable
from schemas.raw_columns import RawColumns


class ExampleGenSpec(component_spec.ComponentSpec):
    """As TFX's file-based ExampleGen, and what ingestion depends on besides."""

    PARAMETERS = {
        **keys.FileBasedExampleGenSpec.PARAMETERS,
        INGESTION_KEY: component_spec.ExecutionParameter(type=str),
        PREPARE_KEY: component_spec.ExecutionParameter(type=str, optional=True),
        PREPARED_DIR_KEY: component_spec.ExecutionParameter(type=str, optional=True),
        QUERY_KEY: component_spec.ExecutionParameter(type=str, optional=True),
    }
    INPUTS = keys.FileBasedExampleGenSpec.INPUTS
    OUTPUTS = keys.FileBasedExampleGenSpec.OUTPUTS


class ExampleGen(component.FileBasedExampleGen):
    """Ingests the data of a run.

    Output `examples` (Examples): gzipped TFRecords of tf.Example for each split, as stock CsvExampleGen writes them.
    Custom properties: `rows` (JSON, rows of each split), `dropped`, `rejected`, `span`, `version`, `input_fingerprint`.

    Every example has every column. Columns of the table get its types, others the narrowest that holds all of their
    values. An empty field, and every text of `data.missing_values`, is missing: an empty list. NaN and infinities in a
    column of numbers are kept as they are; a NaN later counts as missing. Rows whose label is missing are refused or
    dropped, as `data.unlabelled` says. Rows with a fault stop the run, unless their share is at most
    `data.max_rejected_fraction`: then they are left out, and rejected.jsonl beside the examples lists them. Features of
    a TFRecord that the table does not name are left out, and so is the column that names the split.

    Args:
        data: where rows come from and how they are split.
        table: the feature table: types of columns, and the label.
        prepared_dir: where what `data.prepare` makes, or a query gives, is kept; needed only with one.

    Raises:
        DataError: `data.path` is a pattern that has no meaning.
        SettingsError: the query is not one SELECT, does not fit to `data.span`, or cannot be read from its file.
    """

    SPEC_CLASS = ExampleGenSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)
    DRIVER_CLASS = Driver

    def __init__(self, data: Data, table: FeatureTable, prepared_dir: str | None = None) -> None:
        self._read(data, RawColumns.of(table, data.split_column), prepared_dir)

    def _read(self, data: Data, columns: RawColumns, prepared_dir: str | None) -> None:
        """Makes the component of what is to be read."""
        query = None
        if data.query is not None:
            query_statement(data.query, data.span)
            text = {"text": query_text(data.query), "file": None}
            query = data.query.model_copy(update=text).model_dump_json(exclude_none=True)
        # Of a query the driver finds out both.
        base, pattern = split_path(data.path or f"{prepared_dir}/*.parquet")
        has_span(pattern)
        options = {
            "source": data.files,
            "delimiter": data.delimiter,
            "missing_values": list(data.missing_values),
            "unlabelled": data.unlabelled,
            "block_bytes": data.block_bytes,
            "max_rejected_fraction": data.max_rejected_fraction,
            "columns": columns.model_dump(mode="json", exclude_defaults=True),
        }
        range_config = None
        if data.span is not None:
            only = range_config_pb2.StaticRange(start_span_number=data.span, end_span_number=data.span)
            range_config = range_config_pb2.RangeConfig(static_range=only)
        spec = ExampleGenSpec(
            input_base=base,
            input_config=example_gen_pb2.Input(splits=[example_gen_pb2.Input.Split(name="data", pattern=pattern)]),
            output_config=example_gen_pb2.Output(
                split_config=example_gen_pb2.SplitConfig(
                    splits=[
                        example_gen_pb2.SplitConfig.Split(name=name, hash_buckets=buckets)
                        for name, buckets in data.splits.items()
                    ]
                )
            ),
            range_config=range_config,
            output_data_format=example_gen_pb2.FORMAT_TF_EXAMPLE,
            output_file_format=example_gen_pb2.FORMAT_TFRECORDS_GZIP,
            ingestion=json.dumps(options, sort_keys=True),
            prepare=data.prepare,
            prepared_dir=prepared_dir if data.prepare or query else None,
            query=query,
            examples=channel.Channel(type=standard_artifacts.Examples),
        )
        super(component.FileBasedExampleGen, self).__init__(spec=spec)
