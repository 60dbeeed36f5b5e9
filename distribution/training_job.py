"""What the tasks of one training are told, as a file in the folder that they share."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import tensorflow as tf

from configs.fingerprint import code_fingerprint
from configs.training import Training
from models.execution_trace import TRACE_KEY
from schemas.errors import ScalableTFError, TrainingError, from_dict

_FILE, _DONE, _RESULTS, _LIFE = "job.json", "done", "results", "life"
_CODE = ("configs", "distribution", "models", "schemas")
_POLL_SECONDS = 0.2
_OPERATIONAL = frozenset(
    {
        "cluster", "max_restarts", "device", "collectives", "tensorboard", "log_steps", "backup", "backup_keep",
        "backup_seconds", "backup_steps",
    }
)  # fmt: skip


@dataclass(frozen=True)
class TrainingJob:
    """One training of several tasks.

    Attributes:
        folder: folder on storage that all tasks share; it holds this job, the backups, signs of life and results.
        name: short name, unique to the execution, of lower-case letters, digits and hyphens.
        run_fn: dotted path of the user's run_fn.
        fn_args: TFX's FnArgs as JSON-ready values, without the data accessor.
        token: distinguishes this job from others that had the folder before.
    """

    folder: str
    name: str
    run_fn: str
    fn_args: dict[str, Any]
    token: str = ""

    CRASHED: ClassVar[str] = "A task of the training failed."
    """What is said of tasks that failed by no mistake that is known."""

    @property
    def training(self) -> Training:
        """The training settings."""
        return Training.model_validate(self.fn_args["custom_config"]["settings"].get("training") or {})

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the code in this process and of what the tasks are told: equal in all tasks that fit together."""
        told = json.dumps([_code(self.run_fn.partition(".")[0]), self.run_fn, self.fn_args], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()

    def write(self) -> TrainingJob:
        """Writes the job for its tasks, whole or not at all, and forgets what an earlier one left.

        Backups stay where the earlier job was of the same data and the same settings but those that say how to run:
        it is the training that goes on.

        Returns:
            The job with a token of its own.
        """
        job = TrainingJob(self.folder, self.name, self.run_fn, self.fn_args, uuid.uuid4().hex)
        for leftover in (_DONE, _RESULTS, _LIFE):
            _remove(_join(self.folder, leftover))
        path = _join(self.folder, _FILE)
        if tf.io.gfile.exists(path) and _decisive(_read(path)["fn_args"]) != _decisive(self.fn_args):
            _remove(self.backup_dir)
        for folder in (_RESULTS, _LIFE):
            tf.io.gfile.makedirs(_join(self.folder, folder))
        _write(_join(self.folder, _FILE), asdict(job))
        return job

    @classmethod
    def read(cls, folder: str, wait_seconds: float = 0.0) -> TrainingJob:
        """Reads the job of a folder.

        Args:
            folder: the shared folder.
            wait_seconds: how long to wait for it.

        Raises:
            TrainingError: it is not there.
        """
        path, deadline = _join(folder, _FILE), time.monotonic() + wait_seconds
        while not tf.io.gfile.exists(path):
            if time.monotonic() >= deadline:
                raise TrainingError(
                    "The folder of the training holds no job.",
                    where=folder,
                    received=f"no {_FILE} after {wait_seconds:.0f} s",
                    fix="All tasks need the same folder on storage that they share, and the chief must be running.",
                )
            time.sleep(_POLL_SECONDS)
        given = _read(path)
        return cls(**{**given, "folder": folder})

    @property
    def is_current(self) -> bool:
        """Whether the folder holds this job still, and not another that has been written since."""
        return TrainingJob.read(self.folder).token == self.token

    @property
    def is_done(self) -> bool:
        """Whether the chief has finished."""
        path = _join(self.folder, _DONE)
        return bool(tf.io.gfile.exists(path)) and _read(path) == self.token

    def is_replaced_within(self, seconds: float) -> bool:
        """Waits so long for another job to be written in place of this one; whether it was."""
        deadline = time.monotonic() + seconds
        while self.is_current:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def finish(self) -> None:
        """Tells the other tasks that the model is exported."""
        _write(_join(self.folder, _DONE), self.token)

    def report(self, task: str, error: ScalableTFError | None, crash: str = "") -> None:
        """Notes how a task failed, for whoever started it."""
        told: dict[str, Any] = {"error": error.to_dict()} if error is not None else {"crash": crash}
        _write(_join(self.folder, _RESULTS, f"{task}.json"), told)

    def failure(self, task: str) -> ScalableTFError | None:
        """How a task failed, as far as it could tell; None where it told nothing."""
        path = _join(self.folder, _RESULTS, f"{task}.json")
        if not tf.io.gfile.exists(path):
            return None
        told = _read(path)
        if told.get("error"):
            error = from_dict(told["error"])
            error.where = error.where or f"Trainer, {task}"
            return error
        return TrainingError(self.CRASHED, where=f"Trainer, {task}", received=told.get("crash"))

    def forget_failures(self) -> None:
        """For another attempt."""
        _remove(_join(self.folder, _RESULTS))
        tf.io.gfile.makedirs(_join(self.folder, _RESULTS))

    def forget_failure(self, task: str) -> None:
        """For another process of the task."""
        _remove(_join(self.folder, _RESULTS, f"{task}.json"))

    def life_path(self, task: str) -> str:
        """The file in which a task counts as long as it lives."""
        return _join(self.folder, _LIFE, task)

    @property
    def backup_dir(self) -> str:
        """Folder of the backups."""
        return _join(self.folder, "backup")


def _decisive(fn_args: Mapping[str, Any]) -> dict[str, Any]:
    """What decides the outcome of a training: not where it writes, nor how its tasks are run."""
    custom = dict(fn_args.get("custom_config") or {})
    settings = dict(custom.pop("settings", None) or {})
    training = {key: value for key, value in (settings.pop("training", None) or {}).items() if key not in _OPERATIONAL}
    custom = {key: value for key, value in custom.items() if key not in ("backup_dir", "examples", TRACE_KEY)}
    places = {key: value for key, value in fn_args.items() if key != "custom_config" and not key.endswith("_dir")}
    return {**places, "custom_config": custom, "settings": settings, "training": training}


@functools.cache  # what is imported does not change any more, whatever becomes of the files
def _code(package: str) -> str:
    return code_fingerprint({*_CODE, package})


def _join(*parts: str) -> str:
    return str(tf.io.gfile.join(*parts))


def _write(path: str, value: Any) -> None:
    part = f"{path}.{os.getpid()}.part"
    with tf.io.gfile.GFile(part, "w") as file:
        file.write(json.dumps(value))
    tf.io.gfile.rename(part, path, overwrite=True)


def _read(path: str) -> Any:
    with tf.io.gfile.GFile(path) as file:
        return json.loads(file.read())


def _remove(path: str) -> None:
    if tf.io.gfile.isdir(path):
        tf.io.gfile.rmtree(path)
    elif tf.io.gfile.exists(path):
        tf.io.gfile.remove(path)


def json_ready(fn_args: Any) -> Mapping[str, Any]:
    """FnArgs without what no other process could take: its data accessor is made of functions."""
    return {key: value for key, value in vars(fn_args).items() if key != "data_accessor"}
