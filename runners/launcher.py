"""TFX's launcher, made safe against what a killed predecessor left and against what happens to artifacts later."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from tfx.orchestration.portable import launcher, outputs_utils
from tfx.orchestration.portable.mlmd import execution_lib
from tfx.orchestration.portable.resolver_node_handler import ResolverNodeHandler

from runners.bounded_lookup import bounded_lookup
from runners.checked_cache import checked_cache
from runners.elsewhere import Elsewhere
from runners.resolver_handler import ResolverHandler
from schemas.artifact_contents import CONTENTS_PROPERTY, record_contents
from schemas.errors import RunError

_WORKING_DIR = "__stateful_working_dir_index__"


class Launcher(launcher.Launcher):
    """Runs one node as TFX does, with four things more.

    An execution that was killed and is taken up again starts with empty output folders, but finds its stateful working
    folder again. What the executor wrote is recorded with the artifacts, and looked at before the cache gives them out.
    A resolver's error that tells the user what to do is raised. And where nodes share no disk, their files are brought
    before they are read, and are kept elsewhere before ML Metadata says that they are there.

    Args:
        elsewhere: where nodes that share no disk keep their files.
    """

    _is_new = False
    _system_node_handler: Any

    def __init__(self, *args: Any, elsewhere: Elsewhere | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._elsewhere = elsewhere
        self._made: list[str] = []
        if isinstance(self._system_node_handler, ResolverNodeHandler):
            self._system_node_handler = ResolverHandler()

    def launch(self) -> Any:
        """As in TFX."""
        if self._elsewhere is not None:
            self._elsewhere.prepare(self._pipeline_node.node_info.id)
        with checked_cache(), bounded_lookup():
            return super().launch()

    def _register_or_reuse_execution(self, *args: Any, **kwargs: Any) -> Any:
        given = inspect.signature(super()._register_or_reuse_execution).bind(*args, **kwargs).arguments
        self._is_new = not execution_lib.get_executions_associated_with_all_contexts(
            given["metadata_handle"], given["contexts"]
        )
        execution = super()._register_or_reuse_execution(*args, **kwargs)
        # TFX reads this name of the folder from the execution, and takes a random one where there is none. The run id
        # is in it because another store counts its executions from 1 again.
        run_id = self._pipeline_runtime_spec.pipeline_run_id.field_value.string_value
        execution.custom_properties[_WORKING_DIR].string_value = f"{run_id}-{execution.id}"
        return execution

    def _run_executor(self, execution_info: Any) -> Any:
        outputs = [output for outputs in execution_info.output_dict.values() for output in outputs]
        leftovers = [output for output in outputs if _exists(output.uri)]
        if self._is_new and leftovers:
            raise RunError(
                "The folder for what a new execution makes is there already: it belongs to another metadata store.",
                where=leftovers[0].uri,
                fix="Give each store an output_dir of its own, or move the artifacts folder away; releases are not "
                "affected.",
            )
        outputs_utils.remove_output_dirs({"": leftovers})
        if self._elsewhere is not None:
            inputs = {key: [one.uri for one in given] for key, given in execution_info.input_dict.items()}
            self._elsewhere.bring(inputs, execution_info.stateful_working_dir)
        output = super()._run_executor(execution_info)
        # An executor may describe its outputs anew; what it does not describe stays as it was prepared.
        artifacts = [artifact for given in output.output_artifacts.values() for artifact in given.artifacts]
        for key, prepared in execution_info.output_dict.items():
            if key not in output.output_artifacts:
                artifacts += [artifact.mlmd_artifact for artifact in prepared]
        for artifact in artifacts:
            if record := record_contents(artifact.uri):
                artifact.custom_properties[CONTENTS_PROPERTY].string_value = record
        self._made = [artifact.uri for artifact in artifacts]
        return output

    def _clean_up_stateful_execution_info(self, execution_info: Any) -> None:
        # Between the executor and the publication. What fails here leaves the execution open, with its working folder:
        # it is taken up again, and its work is not lost.
        if self._elsewhere is not None:
            self._elsewhere.take(self._pipeline_node.node_info.id, self._made, execution_info.stateful_working_dir)
        super()._clean_up_stateful_execution_info(execution_info)


def _exists(uri: str) -> bool:
    return "://" not in uri and Path(uri).exists()
