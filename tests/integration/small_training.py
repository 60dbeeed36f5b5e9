"""A training of several processes that takes seconds, and writes down what a test wants to know.

A test starts it with `start`, in a process of its own as a run does; the tasks call `run_fn`, which may end its own
process at a step, once.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[2]
ROWS, BATCH, EPOCHS = 64, 16, 6
STEPS = EPOCHS * (ROWS // BATCH)
SETTINGS = {
    "batch_size": BATCH,
    "epochs": EPOCHS,
    "seed": 1,
    "steps_per_execution": 1,
    "backup_steps": 1,
    "tensorboard": False,
    "early_stopping": None,
}



def fn_args(folder: Path, harm: dict[str, Any] | None = None, **training: Any) -> dict[str, Any]:
    """What TFX's Trainer would give, as JSON-ready values.

    Args:
        folder: where everything goes.
        harm: {"rank": of the process that ends itself, "step": at which, "signal": by which}.
        training: settings of the training, besides `SETTINGS`.
    """
    return {
        "model_run_dir": str(folder / "run"),
        "serving_model_dir": str(folder / "serving"),
        "eval_model_dir": str(folder / "eval"),
        "custom_config": {
            "run_fn": "tests.integration.small_training.run_fn",
            "settings": {"training": {**SETTINGS, **training}},
            "told": str(folder / "told"),
            "harm": harm,
        },
    }


def command(arguments: dict[str, Any]) -> list[str]:
    """The command line of the process that a Trainer would be."""
    return [sys.executable, "-m", "tests.integration.small_training", json.dumps(arguments)]


def start(arguments: dict[str, Any], **environment: str) -> subprocess.Popen[str]:
    """Starts the training; what it writes to both streams is in `stdout`."""
    return subprocess.Popen(
        command(arguments),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def told(folder: Path, kind: str) -> list[dict[str, Any]]:
    """What the tasks told of a kind: weights (each that has finished), start (each), rows (each)."""
    return [json.loads(path.read_text()) for path in sorted((folder / "told").glob(f"{kind}-*.json"))]


def weights(entry: dict[str, Any]) -> list[np.ndarray]:
    """The weights that a task ended with."""
    return [np.asarray(one, np.float32) for one in entry["weights"]]


def run_fn(arguments: Any) -> None:
    """Trains a model of one number, exports it and tells about it."""
    import tensorflow as tf

    from configs.training import Training
    from models.feed import Feed
    from models.plan import Plan
    from models.train import train_model
    from tests.unit.models.regression import make_model, make_split

    custom = arguments.custom_config
    training = Training.model_validate(custom["settings"]["training"])
    strategy = tf.distribute.get_strategy()
    rank = getattr(strategy.extended, "_task_id", None) or 0
    _tell(custom, "start", rank=rank, pid=os.getpid())
    # Other first values in each process: the strategy has to make them those of the first.
    model, head = make_model(seed=1 + rank)
    split = make_split(ROWS)
    plan = Plan.of(training, split.rows, strategy.num_replicas_in_sync)
    batches = iter(Feed.to(model, split, split, plan, training).train)
    seen: list[float] = []
    for _ in range(plan.steps_per_epoch):
        own = strategy.experimental_local_results(next(batches)[0]["x"])
        seen += np.concatenate(own).reshape(-1).tolist()
    _tell(custom, "rows", rank=rank, rows=seen)
    _harm_at_step(model, rank, custom)
    trained = train_model(model, head, split, split, training, arguments.model_run_dir, custom.get("backup_dir"))
    model.export(arguments.serving_model_dir)
    history = {key: values[-1] for key, values in trained.history.history.items()}
    found = [one.tolist() for one in model.get_weights()]
    _tell(custom, "weights", rank=rank, weights=found, steps=int(model.optimizer.iterations.numpy()), history=history)
    if trained.backup is not None:
        trained.backup.remove()


def _tell(custom: dict[str, Any], kind: str, **facts: Any) -> None:
    folder = Path(custom["told"])
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / uuid.uuid4().hex
    part.write_text(json.dumps(facts))
    part.rename(folder / f"{kind}-{facts['rank']}-{part.name}.json")


def _harm_at_step(model: Any, rank: int, custom: dict[str, Any]) -> None:
    harm = custom.get("harm")
    done = Path(custom["told"], "harmed")
    if not harm or harm["rank"] != rank or done.exists():
        return
    make = model.make_train_function

    def make_harmful(force: bool = False) -> Any:
        execution = make(force)

        def execute(iterator: Any) -> Any:
            if int(model.optimizer.iterations.numpy()) == harm["step"]:
                done.touch()
                os.kill(os.getpid(), signal.Signals[harm["signal"]])
            return execution(iterator)

        model.train_function = execute
        return execute

    model.make_train_function = make_harmful


def main(argv: Sequence[str]) -> int:
    """Trains as a Trainer node does."""
    import logging

    import tensorflow  # noqa: F401  (so that the tasks are forked)

    from distribution.trainer import run_fn as trainer_run_fn
    from schemas.errors import ScalableTFError

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        trainer_run_fn(SimpleNamespace(**json.loads(argv[0])))
    except ScalableTFError as error:
        print(f"error: {error}", flush=True)
        return 2
    return 0


if __name__ == "__main__":
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    sys.exit(main(sys.argv[1:]))
