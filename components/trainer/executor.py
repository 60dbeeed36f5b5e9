"""Trainer's executor: TFX's, which also tells run_fn where an interrupted training can be taken up."""

from __future__ import annotations

import os
from typing import Any

from tfx.components.trainer.executor import GenericExecutor

from models.execution_trace import TRACE_KEY, TRACED
from models.run_config import BACKUP_KEY, EXAMPLES_KEY


class Executor(GenericExecutor):
    """Calls run_fn with `custom_config["backup_dir"]` and `["examples"]` besides what TFX gives.

    The folder belongs to the execution. TFX empties the output folders of one that is taken up again after a kill, but
    keeps this one until the execution has succeeded. The examples are artifacts as JSON, for tasks of a cluster to make
    a data accessor of. Where the run is profiled, `["trace"]` says so to them.
    """

    def _GetFnArgs(  # noqa: N802  (TFX's name)
        self, input_dict: dict[str, list[Any]], output_dict: dict[str, list[Any]], exec_properties: dict[str, Any]
    ) -> Any:
        # ML Metadata gives spans in the order in which they were ingested, on which a model must not depend.
        examples = sorted(input_dict["examples"], key=lambda one: (one.span, one.id))
        fn_args = super()._GetFnArgs({**input_dict, "examples": examples}, output_dict, exec_properties)
        more: dict[str, Any] = {EXAMPLES_KEY: [one.to_json_dict() for one in examples]}
        if self._context is not None and self._context.stateful_working_dir:
            more[BACKUP_KEY] = os.path.join(self._context.stateful_working_dir, "backup")
        if TRACED.get():
            more[TRACE_KEY] = True
        fn_args.custom_config = {**(fn_args.custom_config or {}), **more}
        return fn_args
