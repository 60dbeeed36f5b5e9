"""Stands in for a node's executor: gives recorded outputs instead of making them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact

from pipeline_testing.outputs import ARTIFACTS_FILE, copy

FOLDER_FLAG = "--recorded="


class StubExecutor(BaseExecutor):
    """Copies KEY/NUMBER of its folder to each output, with the properties that `Outputs.record` has kept.

    TFX's own stub (`tfx.experimental.pipeline_testing`) copies files only; without their properties Examples have no
    splits and a ModelBlessing blesses nothing. What its recorder has written can be given here all the same.
    """

    def Do(  # noqa: N802
        self, input_dict: dict[str, list[Any]], output_dict: dict[str, list[Any]], exec_properties: dict[str, Any]
    ) -> None:
        """Gives the outputs."""
        (flag,) = (flag for flag in self._extra_flags or () if flag.startswith(FOLDER_FLAG))
        folder = Path(flag.removeprefix(FOLDER_FLAG))
        file = folder / ARTIFACTS_FILE
        described = json.loads(file.read_text()) if file.is_file() else {}
        for key, artifacts in output_dict.items():
            for number, artifact in enumerate(artifacts):
                source = folder / key / str(number)
                if source.exists():
                    copy(source, Path(artifact.uri))
                if number < len(described.get(key, ())):
                    _take_properties(artifact, described[key][number])
                elif "split_names" in (artifact.PROPERTIES or {}):
                    splits = sorted(path.name.removeprefix("Split-") for path in source.glob("Split-*"))
                    artifact.split_names = artifact_utils.encode_split_names(splits)


def _take_properties(artifact: Artifact, described: dict[str, Any]) -> None:
    recorded = Artifact.from_json_dict(described).mlmd_artifact
    for name, value in recorded.properties.items():
        artifact.mlmd_artifact.properties[name].CopyFrom(value)
    for name, value in recorded.custom_properties.items():
        artifact.mlmd_artifact.custom_properties[name].CopyFrom(value)
