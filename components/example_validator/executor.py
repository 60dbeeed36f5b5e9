"""ExampleValidator's executor: TFX's, which writes the amended anomalies."""

from __future__ import annotations

import os
from typing import Any

from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx.components.example_validator import labels
from tfx.components.example_validator.executor import DEFAULT_FILE_NAME
from tfx.components.example_validator.executor import Executor as TfxExecutor
from tfx.types import standard_component_specs
from tfx.utils import writer_utils

from components.example_validator.empty_lists import amend


class Executor(TfxExecutor):
    """Validates as TFX does, and then once more where a feature has empty lists."""

    def _Validate(  # noqa: N802  (TFX's place for extensions)
        self, inputs: dict[str, Any], outputs: dict[str, Any]
    ) -> anomalies_pb2.Anomalies:
        """The anomalies of one split, which are also written."""
        amended = amend(
            super()._Validate(inputs, outputs),
            inputs[standard_component_specs.STATISTICS_KEY],
            inputs[standard_component_specs.SCHEMA_KEY],
        )
        writer_utils.write_anomalies(os.path.join(outputs[labels.SCHEMA_DIFF_PATH], DEFAULT_FILE_NAME), amended)
        return amended
