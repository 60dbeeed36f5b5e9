"""Transformed taxi rows, and trainings on them in processes of their own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.rows import write_rows
from benchmarks.run_command import run_command, settings_arguments
from benchmarks.timed_process import TimedProcess, child_environment
from configs.load import load_settings
from schemas.errors import RunError

_ROOT = Path(__file__).resolve().parent.parent
_RUN_FN = "benchmarks.timed_training.run_fn"
_QUIET: dict[str, Any] = {"early_stopping": None}
"""So that all trainings make the same steps."""


@dataclass(frozen=True)
class TrainingData:
    """What Transform made, and the settings of a training on it.

    Attributes:
        examples: folder of the transformed examples, a folder each split.
        transform_graph: folder of the transform graph.
        model: settings of the model.
        training: settings of the training.
        features: the feature table.
        evaluation: name of the eval split.
    """

    examples: Path
    transform_graph: Path
    model: Mapping[str, Any]
    training: Mapping[str, Any]
    features: Mapping[str, Any]
    evaluation: str

    @classmethod
    def prepare(cls, folder: Path, config: Path, rows: int, seed: int = 42) -> TrainingData:
        """Runs our pipeline up to Transform.

        Args:
            folder: to be made; one in which this has ended well before is taken as it is.
            config: the settings.
            rows: rows of the CSV, see `benchmarks.rows`.
            seed: of the rows.

        Raises:
            RunError: the pipeline failed.
        """
        output_dir, complete = folder / "pipeline", folder / "complete"
        if not complete.exists():
            folder.mkdir(parents=True, exist_ok=True)
            write_rows(folder / "rows.csv", rows, seed)
            _transform(config, output_dir, folder / "rows.csv")
            complete.touch()
        settings, made = load_settings([config]), output_dir / "artifacts" / "Transform"
        return cls(
            _newest(made / "transformed_examples"),
            _newest(made / "transform_graph"),
            settings.model.model_dump(mode="json"),
            settings.training.model_dump(mode="json"),
            settings.table.model_dump(mode="json"),
            settings.evaluation.split,
        )

    def files(self, split: str) -> str:
        """Pattern of the files of a split."""
        return str(self.examples / f"Split-{split}" / "*")

    def arguments(self, folder: Path, training: Mapping[str, Any], model: Mapping[str, Any]) -> dict[str, Any]:
        """FnArgs of a training into a folder, JSON-ready; settings of training and model replace the file's own."""
        settings = {"training": {**self.training, **_QUIET, **training}, "model": {**self.model, **model}}
        return {
            "train_files": [self.files("train")],
            "eval_files": [self.files(self.evaluation)],
            "transform_output": str(self.transform_graph),
            "serving_model_dir": str(folder / "model"),
            "eval_model_dir": str(folder / "eval_model"),
            "model_run_dir": str(folder / "run"),
            "custom_config": {
                "run_fn": _RUN_FN,
                "settings": settings,
                "features": dict(self.features),
                "backup_dir": str(folder / "state"),
            },
        }

    def start(
        self,
        folder: Path,
        training: Mapping[str, Any],
        *,
        model: Mapping[str, Any] | None = None,
        processors: Collection[int] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> TimedProcess:
        """Starts a training.

        Args:
            folder: to be made.
            training: settings in place of the file's own.
            model: the same for the model.
            processors: processors that the process and those it starts may use; default: all.
            environment: variables to add.
        """
        folder.mkdir(parents=True)
        file = folder / "arguments.json"
        file.write_text(json.dumps(self.arguments(folder, training, model or {})), encoding="utf-8")
        return TimedProcess(
            ["benchmarks.timed_training", str(file)], folder / "run" / "outcome.json", processors, environment
        )

    def train(self, folder: Path, training: Mapping[str, Any], **options: Any) -> dict[str, Any]:
        """Runs a training to its end, options as of `start`; returns the outcome."""
        return self.start(folder, training, **options).outcome()


def _transform(config: Path, output_dir: Path, csv: Path) -> None:
    settings = settings_arguments([config], {"data.path": csv, "output_dir": output_dir})
    command = [*run_command(), *settings, "--to", "Transform"]
    ran = subprocess.run(command, cwd=_ROOT, env=child_environment(), capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise RunError("Our pipeline failed.", where="scalable-tf run --to Transform", received=ran.stderr[-2000:])


def _newest(folder: Path) -> Path:
    """The newest execution's folder."""
    return max((found for found in folder.iterdir() if found.name.isdigit()), key=lambda found: int(found.name))
