"""Trainer's executor: TFX's, which also tells run_fn where an interrupted training can be taken up."""

from __future__ import annotations

import os
from typing import Any

from tfx.components.trainer.executor import GenericExecutor

from models.run_config import BACKUP_KEY


class Executor(GenericExecutor):
    """Calls run_fn with `custom_config["backup_dir"]` besides what TFX gives.

    The folder belongs to the execution. TFX empties the output folders of one that is taken up again after a kill, but
    keeps this one until the execution has succeeded.
    """

    def _GetFnArgs(  # noqa: N802  (TFX's name)
        self, input_dict: dict[str, list[Any]], output_dict: dict[str, list[Any]], exec_properties: dict[str, Any]
    ) -> Any:
        fn_args = super()._GetFnArgs(input_dict, output_dict, exec_properties)
        if self._context is not None and self._context.stateful_working_dir:
            backup = os.path.join(self._context.stateful_working_dir, "backup")
            fn_args.custom_config = {**(fn_args.custom_config or {}), BACKUP_KEY: backup}
        return fn_args
