"""Our training beside a bare `fit`: `python -m benchmarks.training_overhead FILE`, a process of `benchmarks.training`.

FILE holds FnArgs and, as `overhead`, the number of turns and the file for the result. All sides have the same model,
rows, batch, optimizer, loss and metrics and take turns in one process. The bare one (`benchmarks.bare_fit`) neither
evaluates nor saves nor logs. Ours is `models.train.train_model` with all that the settings ask for, but for early
stopping; its evaluations are not counted.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from benchmarks.bare_fit import KERAS_DEFAULT, bare_step_seconds
from benchmarks.clock import PROCESSOR, Clock, warm_step_seconds
from models.architectures import build_model, make_head
from models.input_fn import Split, training_dataset
from models.plan import Plan
from models.run_config import RunConfig
from models.train import train_model
from schemas.transformed import model_inputs

_EVALUATED = 10_000
_INPUT_STEPS = 200


class Overhead:
    """The sides of the comparison.

    Args:
        fn_args: as the Trainer gives them.
    """

    def __init__(self, fn_args: Any) -> None:
        config = RunConfig.from_custom_config(fn_args.custom_config)
        transform = tft.TFTransformOutput(fn_args.transform_output)
        spec = transform.transformed_feature_spec()
        self._model, self._settings = config.model, config.training
        self._inputs = model_inputs(transform.transformed_metadata.schema)
        self._train = Split.open(fn_args.train_files, spec)
        self._evaluation = _first_rows(Split.open(fn_args.eval_files, spec), _EVALUATED)
        self._head = make_head(config.model, config.label, self._train.labels)

    def ours(self) -> tuple[float, float]:
        """Wall and processor seconds a step of ours."""
        clock = Clock()
        model = clock.watch(build_model(self._inputs, self._model, self._head))
        with tempfile.TemporaryDirectory() as folder:
            train_model(model, self._head, self._train, self._evaluation, self._settings, folder)
        outcome = {"executions": clock.executions}
        return warm_step_seconds(outcome), warm_step_seconds(outcome, PROCESSOR)

    def bare(self, steps_per_execution: int) -> tuple[float, float]:
        """Wall and processor seconds a step of the bare `fit`."""
        model = build_model(self._inputs, self._model, self._head)
        return bare_step_seconds(model, self._head, self._train, self._settings, steps_per_execution)

    def input_alone(self) -> tuple[float, float]:
        """Wall and processor seconds in which the input pipeline gives one batch to nobody who would compute."""
        batches = training_dataset(self._train, self.batch_size, seed=1)
        list(batches.take(2))
        began, used = time.perf_counter(), time.process_time()
        batches.take(_INPUT_STEPS).reduce(tf.constant(0), lambda count, _: count + 1).numpy()
        return (time.perf_counter() - began) / _INPUT_STEPS, (time.process_time() - used) / _INPUT_STEPS

    @property
    def batch_size(self) -> int:
        """Examples a step."""
        return Plan.of(self._settings, self._train.rows).batch_size

    @property
    def steps_per_execution(self) -> int:
        """Steps between two returns to Python that we choose."""
        return Plan.of(self._settings, self._train.rows).steps_per_execution

    def turns(self, number: int) -> dict[str, Any]:
        """Takes turns; returns wall and processor seconds a step of every turn of each side, JSON-ready."""
        chosen = self.steps_per_execution
        sides: dict[str, Callable[[], Any]] = {
            "bare": lambda: self.bare(KERAS_DEFAULT),
            "ours": self.ours,
            "bare_together": lambda: self.bare(chosen),
            "input": self.input_alone,
        }
        found: dict[str, list[Any]] = {name: [] for name in sides}
        for turn in range(number):
            # Each turn begins with another side, so that none always has the quieter moment.
            names = [*sides][turn % len(sides) :] + [*sides][: turn % len(sides)]
            for name in names:
                tf.keras.backend.clear_session()
                found[name].append(sides[name]())
        return {"batch_size": self.batch_size, "steps_per_execution": chosen, "rows": self._train.rows, **found}


def summary(turns: Mapping[str, Any]) -> dict[str, Any]:
    """Medians over the turns of what was measured within the same turn.

    Args:
        turns: as `Overhead.turns` gives them.
    """

    def ratio(one: str, other: str, clock: int) -> float:
        return median(b[clock] / a[clock] for a, b in zip(turns[one], turns[other], strict=True))

    wall, processor = range(2)
    step = median(turn[wall] for turn in turns["ours"])
    return {
        **turns,
        "examples_per_second": turns["batch_size"] / step,
        "of_keras_default": ratio("ours", "bare", wall),
        "of_bare_together": ratio("ours", "bare_together", wall),
        "processor_of_keras_default": ratio("ours", "bare", processor),
        "processor_of_bare_together": ratio("ours", "bare_together", processor),
        "step_ms": 1000 * step,
        "input_ms": 1000 * median(turn[wall] for turn in turns["input"]),
        "input_processor_ms": 1000 * median(turn[processor] for turn in turns["input"]),
        "input_of_step": ratio("ours", "input", wall),
        "input_of_step_processor": ratio("ours", "input", processor),
    }


def _first_rows(split: Split, rows: int) -> Split:
    columns = {key: values[:rows] for key, values in (split.columns or {}).items()}
    return replace(split, labels=split.labels[:rows], columns=columns)


def main(arguments: Sequence[str]) -> None:
    """Takes the turns and writes what came of them."""
    given = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    options = given.pop("overhead")
    turns = Overhead(SimpleNamespace(**given)).turns(options["turns"])
    result = Path(options["result"])
    result.parent.mkdir(parents=True, exist_ok=True)
    result.write_text(json.dumps(summary(turns)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
