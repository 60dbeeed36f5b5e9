"""How the released model does on a span that no training has seen."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from tfx.types import artifact_utils, standard_artifacts
from tfx.types import standard_component_specs as keys
from tfx.utils import json_utils

from components.evaluator.executor import FORCE_BLESS_KEY, LABEL_KEY, Executor
from components.evaluator.metrics_table import FILE_NAME, OVERALL
from configs.engine import Engine
from configs.settings import Settings
from pipeline import nodes
from pipeline.evaluation import eval_config, label_fingerprint
from runners.engines import beam_pipeline
from runners.finished_nodes import finished_nodes
from runners.metadata_store import metadata_connection
from runners.run_folder import run_folder
from schemas.errors import ScalableTFError

SERVED_FILE = "served.json"


def served_metrics(settings: Settings, run_id: str) -> dict[str, Any] | None:
    """What `measure_served` wrote for a run; None: it has not been measured.

    Args:
        settings: of the pipeline.
        run_id: the run that ingested the span.
    """
    try:
        found: dict[str, Any] = json.loads((run_folder(settings, run_id) / SERVED_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found


def measure_served(settings: Settings, run_id: str, release: Path) -> None:
    """Evaluates a release, as Evaluator does, on the rows that a run has ingested, and writes that to the run's folder.

    A release that cannot be evaluated is written down too, so that it is not tried again and again.

    Args:
        settings: of the pipeline.
        run_id: the run that ingested the span.
        release: folder of the version.

    Raises:
        RunError: the store cannot be reached, or what the run made is no longer there.
    """
    folder = run_folder(settings, run_id)
    found: dict[str, Any] = {"release": int(release.name), "metrics": {}, "error": ""}
    with metadata_connection(settings) as metadata:
        done = finished_nodes(metadata, settings.name, run_id, [nodes.EXAMPLE_GEN])
    (given,) = done[nodes.EXAMPLE_GEN].outputs["examples"]
    try:
        found["metrics"] = _evaluate(settings, given.uri, release, folder / "served")
    except ScalableTFError as error:
        found["error"] = error.what
    except Exception as error:  # TensorFlow's and TFMA's, of whatever class: trainings must not wait for it
        found["error"] = (str(error).strip().splitlines() or [type(error).__name__])[0]
    if found["error"]:
        logging.error("Release %s cannot be measured: %s", release.name, found["error"])
    _write(folder, found)


def not_measured(settings: Settings, run_id: str, release: int, error: str) -> None:
    """Writes for a run that a release could not be measured on it, where the process that tried could not.

    Args:
        settings: of the pipeline.
        run_id: the run that ingested the span.
        release: version.
        error: why.
    """
    _write(run_folder(settings, run_id), {"release": release, "metrics": {}, "error": error})


def _write(folder: Path, found: dict[str, Any]) -> None:
    staging = folder / f".{SERVED_FILE}"
    staging.write_text(json.dumps(found), encoding="utf-8")
    os.replace(staging, folder / SERVED_FILE)


def _evaluate(settings: Settings, examples_uri: str, release: Path, folder: Path) -> dict[str, Any]:
    examples, model = standard_artifacts.Examples(), standard_artifacts.Model()
    evaluation, blessing = standard_artifacts.ModelEvaluation(), standard_artifacts.ModelBlessing()
    examples.uri, model.uri = examples_uri, str(release)
    examples.split_names = artifact_utils.encode_split_names(list(settings.data.splits))
    evaluation.uri, blessing.uri = str(folder / "evaluation"), str(folder / "blessing")
    for artifact in (evaluation, blessing):
        Path(artifact.uri).mkdir(parents=True, exist_ok=True)
    make = beam_pipeline(Engine(kind="inline", processes=1))
    executor = Executor(Executor.Context(tmp_dir=str(folder / "tmp"), unique_id="0", make_beam_pipeline_fn=make))
    executor.Do(
        {keys.EXAMPLES_KEY: [examples], keys.MODEL_KEY: [model]},
        {keys.EVALUATION_KEY: [evaluation], keys.BLESSING_KEY: [blessing]},
        {
            keys.EVAL_CONFIG_KEY: json_format.MessageToJson(eval_config(settings), preserving_proto_field_name=True),
            keys.EXAMPLE_SPLITS_KEY: json_utils.dumps([settings.evaluation.split]),
            LABEL_KEY: label_fingerprint(settings),
            FORCE_BLESS_KEY: "",
        },
    )
    table: dict[str, dict[str, Any]] = json.loads((folder / "evaluation" / FILE_NAME).read_text())
    return table[OVERALL]
