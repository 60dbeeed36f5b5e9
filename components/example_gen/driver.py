"""Driver of ExampleGen: finds the files of the run, their span and their fingerprint, before the cache is asked."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tfx.components.example_gen import driver, utils
from tfx.proto import example_gen_pb2, range_config_pb2
from tfx.types import standard_component_specs as keys
from tfx.utils import proto_utils

from components.example_gen.executor import INGESTION_KEY, PREPARE_KEY, PREPARED_DIR_KEY, QUERY_KEY
from components.example_gen.fingerprint import fingerprint
from components.example_gen.inputs import Place, find_place, split_path
from components.example_gen.prepared import prepared
from components.queries.query_result import query_result
from configs.data import Source
from configs.paths import resolve
from configs.query import Query
from schemas.raw_columns import RawColumns


class Driver(driver.FileBasedDriver):
    """TFX's driver with the same properties, but its own search: every way of finding nothing is a DataError."""

    def resolve_exec_properties(
        self, exec_properties: dict[str, Any], pipeline_info: object, component_info: object
    ) -> dict[str, Any]:
        """Replaces the path by that of the chosen span, or what was prepared of it, and adds what identifies the files.

        Of a query the path is that of the files that its rows have become, now or, if they are the same, before.

        Raises:
            DataError: there are no files or rows to read.
            SettingsError: the function that prepares them cannot be imported, or a query's password is not there.
        """
        del pipeline_info, component_info
        inputs = proto_utils.json_to_proto(exec_properties[keys.INPUT_CONFIG_KEY], example_gen_pb2.Input())
        span = None
        if exec_properties.get(keys.RANGE_CONFIG_KEY):
            chosen = proto_utils.json_to_proto(exec_properties[keys.RANGE_CONFIG_KEY], range_config_pb2.RangeConfig())
            span = chosen.static_range.start_span_number
        options = json.loads(exec_properties[INGESTION_KEY])
        source: Source = options["source"]
        if query := exec_properties.get(QUERY_KEY):
            table = RawColumns.model_validate(options["columns"])
            kept = Path(exec_properties[PREPARED_DIR_KEY])
            # TFX makes the driver, so this is the edge of the process.
            folder = query_result(Query.model_validate_json(query), span, table, kept, os.environ)
            found = Place(str(folder.parent), folder.name, span or 0, None, source)
        else:
            path = resolve(Place(exec_properties[keys.INPUT_BASE_KEY], inputs.splits[0].pattern).path)
            found = find_place(*split_path(path), span, source)
        if function := exec_properties.get(PREPARE_KEY):
            folder = prepared(Path(found.path), function, Path(exec_properties[PREPARED_DIR_KEY]), source)
            found = Place(str(folder.parent), folder.name, found.span, found.version, source)
        inputs.splits[0].pattern = found.pattern
        exec_properties[keys.INPUT_BASE_KEY] = found.base
        exec_properties[keys.INPUT_CONFIG_KEY] = proto_utils.proto_to_json(inputs)
        exec_properties[utils.SPAN_PROPERTY_NAME] = found.span
        exec_properties[utils.VERSION_PROPERTY_NAME] = found.version
        exec_properties[utils.FINGERPRINT_PROPERTY_NAME] = fingerprint(found.files)
        return exec_properties
