"""A small training for clusters, whose outcome tells what each task did: the user's code of the tests beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import tensorflow as tf

from configs.training import Training
from distribution.python_path import python_path
from distribution.trainer import run_fn as trainer_run_fn
from models.head import Head
from models.input_fn import Split
from models.network import Network
from models.run_config import RunConfig
from models.train import train_model
from schemas.errors import ScalableTFError
from schemas.transformed import LABEL_KEY

SPEC = {
    "id": tf.io.FixedLenFeature([1], tf.int64),
    "x": tf.io.FixedLenFeature([1], tf.float32),
    LABEL_KEY: tf.io.FixedLenFeature([1], tf.float32),
}
TABLE = {"features": {"x": {"kind": "numeric"}}, "label": {"kind": "numeric", "column": "y"}}


class Counting(Network):
    """y = w x + b, and how often each row was trained on."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        self._rows = rows
        self.dense = tf.keras.layers.Dense(1, kernel_initializer="ones")
        mirrored = tf.distribute.get_strategy().extended._in_multi_worker_mode() and not isinstance(
            tf.distribute.get_strategy(), tf.distribute.experimental.ParameterServerStrategy
        )
        self.seen = self.add_weight(
            "seen",
            [rows],
            initializer="zeros",
            trainable=False,
            synchronization=tf.VariableSynchronization.ON_READ if mirrored else tf.VariableSynchronization.AUTO,
            aggregation=tf.VariableAggregation.SUM if mirrored else tf.VariableAggregation.NONE,
        )

    def call(self, features: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        if training:
            self.seen.assign_add(tf.reduce_sum(tf.one_hot(features["id"][:, 0], self._rows), axis=0))
        return self.dense(features["x"])


def run_fn(fn_args: Any) -> None:
    """Trains, and writes outcome.json to the folder of the model."""
    config = RunConfig.from_custom_config(fn_args.custom_config)
    tf.keras.utils.set_random_seed(config.training.seed)
    train = Split.open(fn_args.train_files, SPEC, cache=config.training.cache)
    evaluation = Split.open(fn_args.eval_files, SPEC, cache=config.training.cache)
    model = Counting(train.rows)
    model({key: tf.zeros([1, 1], feature.dtype) for key, feature in SPEC.items() if key != LABEL_KEY})
    trained = train_model(
        model,
        Head("number", 1, np.zeros(1, np.float32)),
        train,
        evaluation,
        config.training,
        fn_args.model_run_dir,
        config.backup_dir,
    )
    outcome = {
        "weights": [float(weight.numpy().ravel()[0]) for weight in model.dense.weights],
        "seen": model.seen.numpy().tolist(),
        "steps": int(model.optimizer.iterations.numpy()),
        "val_loss": trained.history.history["val_loss"],
    }
    Path(fn_args.serving_model_dir).mkdir(parents=True, exist_ok=True)
    Path(fn_args.serving_model_dir, "outcome.json").write_text(json.dumps(outcome))
    if trained.backup is not None:
        trained.backup.remove()


def write_rows(folder: Path, rows: int, files: int = 1) -> None:
    """y = 3 x + 1, in TFRecord files."""
    folder.mkdir(parents=True)
    x = np.linspace(-1, 1, rows)
    for part in range(files):
        with tf.io.TFRecordWriter(str(folder / f"part-{part}")) as writer:
            for number in range(rows)[part * rows // files : (part + 1) * rows // files]:
                example = tf.train.Example()
                example.features.feature["id"].int64_list.value.append(number)
                example.features.feature["x"].float_list.value.append(x[number])
                example.features.feature[LABEL_KEY].float_list.value.append(3 * x[number] + 1)
                writer.write(example.SerializeToString())


@dataclass
class ClusterTraining:
    """One training of a folder: `python -m tests.integration.cluster_training FOLDER` runs it in a process of its own.

    Attributes:
        folder: holds data, job, backups and outcome.
        settings: of the training.
        rows: rows to train on, and to evaluate.
        files: files that they are in.
        custom: more of custom_config.
    """

    folder: Path
    settings: dict[str, Any]
    rows: int = 64
    files: int = 1
    custom: dict[str, Any] = field(default_factory=dict)
    error: ScalableTFError | None = field(default=None, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        defaults = {"batch_size": 16, "epochs": 2, "tensorboard": False, "early_stopping": None, "backup_seconds": 1e9}
        self.settings = {
            **defaults,
            "optimizer": {"name": "sgd", "learning_rate": 0.05},
            **self.settings,
            "cluster": {"grace_seconds": 10, **self.settings.get("cluster", {})},
        }
        for split in ("train", "eval"):
            write_rows(self.folder / split, self.rows, self.files)

    def arguments(self) -> SimpleNamespace:
        """FnArgs."""
        training = Training.model_validate(self.settings).model_dump(mode="json")
        return SimpleNamespace(
            train_files=[str(self.folder / "train" / "*")],
            eval_files=[str(self.folder / "eval" / "*")],
            serving_model_dir=str(self.folder / "model"),
            eval_model_dir=str(self.folder / "eval_model"),
            model_run_dir=str(self.folder / "run"),
            custom_config={
                "run_fn": "tests.integration.cluster_training.run_fn",
                "settings": {"training": training, "model": {}},
                "features": TABLE,
                "backup_dir": str(self.folder / "state"),
                **self.custom,
            },
        )

    def start(self) -> None:
        """Starts it in a thread of this process."""
        arguments = self.arguments()

        def train() -> None:
            try:
                trainer_run_fn(arguments)
            except ScalableTFError as error:
                self.error = error

        self._thread = threading.Thread(target=train, daemon=True)
        self._thread.start()

    def wait_for(self, condition: Callable[[], Any]) -> Any:
        """What the condition gives once it is true; where the training ends before, that is the failure."""

        def found() -> Any:
            ended = self._thread is not None and not self._thread.is_alive()
            value = condition()
            assert value or not ended, f"the training has ended: {self.error or 'it is done'}"
            return value

        return wait_for(found)

    def finish(self) -> None:
        """Waits for its end."""
        if self._thread is None:
            self.start()
        assert self._thread is not None
        self._thread.join(timeout=400)
        assert not self._thread.is_alive()

    def start_process(self) -> subprocess.Popen[str]:
        """Starts it in a process of its own, which may be killed."""
        (self.folder / "arguments.json").write_text(json.dumps(vars(self.arguments())))
        return subprocess.Popen(
            [sys.executable, "-m", "tests.integration.cluster_training", str(self.folder)],
            env={**os.environ, "TF_USE_LEGACY_KERAS": "1", "PYTHONPATH": python_path()},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self) -> dict[str, Any]:
        """Runs it; returns the outcome."""
        self.finish()
        if self.error is not None:
            raise self.error
        return self.outcome()

    def outcome(self) -> dict[str, Any]:
        """What the chief wrote."""
        found: dict[str, Any] = json.loads((self.folder / "model" / "outcome.json").read_text())
        return found

    def pid(self, task: str) -> int:
        """Process id of a task, once it gives signs of life."""
        return int(self.wait_for(lambda: self._life(task))[1])

    def saved_step(self) -> int:
        """Number of backups made so far; 0 for none."""
        latest = tf.train.latest_checkpoint(str(self.folder / "state" / "cluster" / "backup"))
        return 0 if latest is None else int(latest.rpartition("-")[2])

    def _life(self, task: str) -> list[str] | None:
        try:
            found = (self.folder / "state" / "cluster" / "life" / task).read_text().split()
        except FileNotFoundError:
            return None
        return found if len(found) == 3 else None


def wait_for(condition: Callable[[], Any], seconds: float = 240.0) -> Any:
    """What the condition gives once it is true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return found


def is_running(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    trainer_run_fn(SimpleNamespace(**json.loads(Path(sys.argv[1], "arguments.json").read_text())))
