"""The run_fn that TFX's Trainer calls: it sets up where training runs; what is trained is the user's run_fn."""

from __future__ import annotations

import logging
import os
import signal
import uuid
from typing import Any

from pydantic import ValidationError

from configs.settings import Model
from configs.training import Training
from distribution.device import configure_device
from distribution.launchers.registry import launch
from distribution.strategies.auto import resolve
from distribution.strategies.registry import CLUSTERED, make_strategy
from distribution.training_job import TrainingJob, json_ready
from distribution.user_function import import_function
from models.preemption import Preempted
from schemas.errors import TrainingError

_LOG = logging.getLogger(__name__)
_CLUSTER = "cluster"


def run_fn(fn_args: Any) -> None:
    """Calls the run_fn of the settings in the scope of their strategy, here or in the tasks of a cluster.

    Args:
        fn_args: TFX's FnArgs with custom_config={"run_fn": dotted path, "settings": {"training": ...}, ...}.

    Raises:
        TrainingError: the strategy is not possible here, there is no such function, or the training failed.
    """
    given = fn_args.custom_config or {}
    path = given.get("run_fn") or Model().run_fn
    user_fn = import_function(path)
    training = resolve(_training(given))
    if training.strategy in CLUSTERED:
        launch(_job(fn_args, path, training), training)
        return
    configure_device(training.device)
    strategy = make_strategy(training)
    _LOG.info("Training with %s on %d replica(s)", type(strategy).__name__, strategy.num_replicas_in_sync)
    try:
        with strategy.scope():
            user_fn(fn_args)
    except Preempted as preempted:
        _LOG.warning("%s", preempted)
        os.kill(os.getpid(), signal.SIGTERM)  # whose handler is again what it was before the training
        raise


def _job(fn_args: Any, path: str, training: Training) -> TrainingJob:
    given = fn_args.custom_config
    folder = training.cluster.folder or given.get("backup_dir") or os.path.join(fn_args.model_run_dir, "backup")
    settings = {**given["settings"], "training": training.model_dump(mode="json")}
    arguments = {**json_ready(fn_args), "custom_config": {**given, "settings": settings}}
    name = f"training-{uuid.uuid4().hex[:8]}"
    return TrainingJob(os.path.join(folder, _CLUSTER), name, path, arguments)


def _training(custom_config: dict[str, Any]) -> Training:
    try:
        return Training.model_validate((custom_config.get("settings") or {}).get("training") or {})
    except ValidationError as error:
        first = error.errors()[0]
        raise TrainingError(
            f"The training settings are not valid: {first['msg']}.",
            where="Trainer: training." + ".".join(str(part) for part in first["loc"]),
            received=first.get("input"),
            fix="Correct the training section of the settings.",
        ) from error
