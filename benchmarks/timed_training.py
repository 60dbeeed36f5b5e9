"""One training by our Trainer's run_fn, timed: `python -m benchmarks.timed_training FILE`, with FnArgs as JSON."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmarks.clock import Clock
from distribution.trainer import run_fn as trainer_run_fn
from models.architectures import ARCHITECTURES
from models.run_config import RunConfig
from models.run_fn import run_fn as models_run_fn

OUTCOME = "outcome.json"


def run_fn(fn_args: Any) -> None:
    """Trains and exports as `models.run_fn.run_fn` does; the chief notes executions and history in its run folder."""
    clock = Clock()
    architecture = RunConfig.from_custom_config(fn_args.custom_config).model.architecture
    ARCHITECTURES[architecture] = clock.watched(ARCHITECTURES[architecture])
    models_run_fn(fn_args)
    if clock.model is not None:
        history = {name: [float(value) for value in values] for name, values in clock.model.history.history.items()}
        outcome = {"executions": clock.executions, "history": history}
        folder = Path(fn_args.model_run_dir)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / OUTCOME).write_text(json.dumps(outcome), encoding="utf-8")


def main(file: Path) -> None:
    """Trains, and adds to the outcome when the Trainer's run_fn was called."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    arguments = json.loads(file.read_text(encoding="utf-8"))
    called = time.time()
    trainer_run_fn(SimpleNamespace(**arguments))
    outcome = Path(arguments["model_run_dir"], OUTCOME)
    found = {**json.loads(outcome.read_text(encoding="utf-8")), "called": called}
    outcome.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    sys.stdout.flush()
    os._exit(0)  # TensorFlow's exit handlers take seconds
