"""An Evaluator's executor, run on folders of examples and models."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow_model_analysis as tfma
from tfx.types import standard_artifacts
from tfx.utils import json_utils, proto_utils

from components.evaluator.executor import Executor
from configs.settings import Settings
from pipeline.evaluation import eval_config
from serving.blessing import Blessing


@dataclass(frozen=True)
class Evaluation:
    folder: Path
    blessing: Any

    @property
    def metrics(self) -> dict[str, dict[str, Any]]:
        return json.loads((self.folder / "evaluation/metrics.json").read_text())

    @property
    def verdict(self) -> Blessing:
        return Blessing.load(self.folder / "evaluation/blessing.json")

    @property
    def flags(self) -> list[str]:
        return [path.name for path in (self.folder / "blessing").iterdir()]


def settings(**changes: Any) -> Settings:
    given: dict[str, Any] = {
        "name": "small",
        "output_dir": "unused",
        "data": {"path": "unused"},
        "features": {
            "score": {"kind": "passthrough"},
            "payment_type": {"kind": "categorical"},
            "hour": {"kind": "passthrough"},
        },
        "label": {"kind": "binary", "expression": "tips > 0.2 * fare"},
        "evaluation": {"thresholds": {"auc": {"lower": 0.5}}},
    }
    return Settings.model_validate({**given, **changes})


def evaluate(
    folder: Path,
    examples: Path,
    model: Path,
    chosen: Settings,
    *,
    baseline: Path | None = None,
    force: str = "",
    metrics: tuple[tfma.MetricConfig, ...] = (),
) -> Evaluation:
    """Evaluates a split `eval`.

    Args:
        folder: to write to.
        examples: of the Examples artifact.
        model: of the candidate.
        chosen: settings of the pipeline.
        baseline: of another model.
        force: reason for blessing the model.
        metrics: of TFMA, to compute too.
    """
    inputs = {"examples": [_artifact(standard_artifacts.Examples, examples)], "model": [_model(model, 7)]}
    inputs["examples"][0].split_names = json.dumps(["eval"])
    if baseline is not None:
        inputs["baseline_model"] = [_model(baseline, 3)]
    outputs = {
        "evaluation": [_artifact(standard_artifacts.ModelEvaluation, folder / "evaluation")],
        "blessing": [_artifact(standard_artifacts.ModelBlessing, folder / "blessing")],
    }
    for (output,) in outputs.values():
        Path(output.uri).mkdir(parents=True)
    config = eval_config(chosen)
    config.metrics_specs[0].metrics.extend(metrics)
    properties = {
        "eval_config": proto_utils.proto_to_json(config),
        "example_splits": json_utils.dumps(["eval"]),
        "force_bless": force,
        "label": "of tips",
    }
    Executor().Do(inputs, outputs, properties)
    return Evaluation(folder, outputs["blessing"][0])


def _artifact(kind: Any, folder: Path) -> Any:
    artifact = kind()
    artifact.uri = str(folder)
    return artifact


def _model(folder: Path, identity: int) -> Any:
    artifact = _artifact(standard_artifacts.Model, folder)
    artifact.id = identity
    return artifact
