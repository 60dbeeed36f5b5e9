"""Executor of ExampleGen: unpacks artifacts and properties, and calls `ingest`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from absl import logging
from tfx import types
from tfx.components.example_gen import utils, write_split
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils
from tfx.types import standard_component_specs as keys
from tfx.utils import proto_utils

from components.example_gen.ingest import REJECTED, Ingested, Ingestion, ingest
from components.example_gen.inputs import Place
from components.example_gen.unchanged import unchanged
from schemas.artifacts import NOTES_PROPERTY, ROWS_PROPERTY
from schemas.raw_columns import RawColumns

INGESTION_KEY = "ingestion"
"""Execution property: JSON of the settings and the raw columns that decide the result."""
DROPPED_PROPERTY = "dropped"
"""Custom property of Examples: number of rows without a label that were left out."""
REJECTED_PROPERTY = "rejected"
"""Custom property of Examples: number of rows that were left out because something was wrong with them."""
PREPARE_KEY = "prepare"
"""Execution property: dotted path of the function that makes the files to read, if any; for the driver."""
PREPARED_DIR_KEY = "prepared_dir"
"""Execution property: where it makes them, and where the results of queries are kept."""
QUERY_KEY = "query"
"""Execution property: JSON of the query whose rows are read, if any, without secrets; for the driver."""

_ABOVE = 3  # the number of the artifact, the output, the node, artifacts


class Executor(base_beam_executor.BaseBeamExecutor):
    """Ingests the files that the driver has found."""

    def Do(  # noqa: N802  (TFX's name)
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the Examples artifact.

        Args:
            input_dict: empty.
            output_dict: `examples`: one Examples artifact.
            exec_properties: as `ExampleGen` and its driver make them.

        Raises:
            DataError: something is wrong with the data.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        inputs = proto_utils.json_to_proto(exec_properties[keys.INPUT_CONFIG_KEY], example_gen_pb2.Input())
        output = proto_utils.json_to_proto(exec_properties[keys.OUTPUT_CONFIG_KEY], example_gen_pb2.Output())
        splits = {split.name: split.hash_buckets for split in output.split_config.splits}
        options = json.loads(exec_properties[INGESTION_KEY])
        ingestion = Ingestion(
            table=RawColumns.model_validate(options["columns"]),
            splits=splits,
            source=options["source"],
            delimiter=options["delimiter"],
            missing=tuple(options["missing_values"]),
            drop_unlabelled=options["unlabelled"] == "drop",
            block_bytes=options["block_bytes"],
            max_rejected_fraction=options["max_rejected_fraction"],
        )
        files = Place(exec_properties[keys.INPUT_BASE_KEY], inputs.splits[0].pattern, source=ingestion.source).files
        examples = artifact_utils.get_single_instance(output_dict[keys.EXAMPLES_KEY])

        logging.info("Ingesting %d files: %s ...", len(files), files[0])
        with unchanged(files, exec_properties[utils.FINGERPRINT_PROPERTY_NAME]):
            done = ingest(files, examples.uri, ingestion, self._make_beam_pipeline, self._refused(examples.uri))
        logging.info("Ingested %s rows, rejected %d, dropped %d", done.rows, done.rejected, done.dropped)
        logging.info("Types: %s", done.types)
        # The driver writes a custom property; who reads the examples looks at their own.
        examples.span = exec_properties[utils.SPAN_PROPERTY_NAME]
        examples.split_names = artifact_utils.encode_split_names(list(splits))
        examples.set_string_custom_property(ROWS_PROPERTY, json.dumps(done.rows))
        examples.set_int_custom_property(DROPPED_PROPERTY, done.dropped)
        examples.set_int_custom_property(REJECTED_PROPERTY, done.rejected)
        notes = _notes(done, ingestion.table, Path(examples.uri, REJECTED))
        examples.set_string_custom_property(NOTES_PROPERTY, json.dumps(notes))
        examples_utils.set_payload_format(examples, exec_properties[keys.OUTPUT_DATA_FORMAT_KEY])
        examples_utils.set_file_format(
            examples, write_split.to_file_format_str(exec_properties[keys.OUTPUT_FILE_FORMAT_KEY])
        )

    def _refused(self, uri: str) -> Path | None:
        """Where to list the rows that stop the run: in its folder, where it has one.

        Its place is taken from that of <output_dir>/artifacts/NODE/examples/NUMBER; an execution property would be a
        part of the cache key.
        """
        run = self._context and self._context.pipeline_run_id
        folders = list(Path(uri).parents)
        if not run or len(folders) <= _ABOVE:
            return None
        folder = folders[_ABOVE] / "logs" / run
        return folder / REJECTED if folder.is_dir() else None


def _notes(done: Ingested, table: RawColumns, rejected: Path) -> list[str]:
    """What a user should know although the run goes on."""
    rows = sum(done.rows.values())
    fix = (
        "Predictions are made as if it were missing in each."
        if table.label is None
        else "Fill it, or remove the feature; a curated schema (scalable-tf schema infer) stops the run on it."
    )
    notes = [
        f"Column {name!r} is empty in all of {rows} rows, so {table.readers[name]} tells the model nothing. {fix}"
        for name in done.empty
    ]
    if done.rejected:
        notes.append(
            f"{done.rejected} of {rows + done.rejected + done.dropped} rows {'was' if done.rejected == 1 else 'were'} "
            "rejected, as "
            f"data.max_rejected_fraction allows, and {rows} are left. {rejected} lists them with the reasons."
        )
    if done.dropped:
        notes.append(f"{done.dropped} rows without a label were dropped, as data.unlabelled says; {rows} are left.")
    return notes
