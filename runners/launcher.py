"""TFX's launcher, made safe against what a killed predecessor left and against what happens to artifacts later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tfx.orchestration.portable import launcher, outputs_utils

from runners.artifact_contents import CONTENTS_PROPERTY, record_contents
from runners.checked_cache import checked_cache


class Launcher(launcher.Launcher):
    """Runs one node as TFX does, with two things more.

    An execution that was killed and is taken up again starts with empty output folders. And what the executor wrote is
    recorded with the artifacts, and looked at before the cache gives them out.
    """

    def launch(self) -> Any:
        """As in TFX."""
        with checked_cache():
            return super().launch()

    def _run_executor(self, execution_info: Any) -> Any:
        leftovers = [output for outputs in execution_info.output_dict.values() for output in outputs]
        outputs_utils.remove_output_dirs({"": [output for output in leftovers if _exists(output.uri)]})
        output = super()._run_executor(execution_info)
        # An executor may describe its outputs anew; what it does not describe stays as it was prepared.
        artifacts = [artifact for given in output.output_artifacts.values() for artifact in given.artifacts]
        for key, prepared in execution_info.output_dict.items():
            if key not in output.output_artifacts:
                artifacts += [artifact.mlmd_artifact for artifact in prepared]
        for artifact in artifacts:
            if record := record_contents(artifact.uri):
                artifact.custom_properties[CONTENTS_PROPERTY].string_value = record
        return output


def _exists(uri: str) -> bool:
    return "://" not in uri and Path(uri).exists()
