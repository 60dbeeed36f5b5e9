"""The SavedModel of a Model artifact."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2
from tfx.utils import path_utils

from schemas.errors import EvaluationError

_SIGNATURES = ("serving_default", "transform_features")


def saved_model(model: Any) -> str:
    """Folder of a Model artifact's SavedModel."""
    return str(path_utils.serving_model_path(model.uri, path_utils.is_old_model_artifact(model)))


def require_signatures(model: Any, role: str) -> None:
    """Looks at a model before anything else is read.

    Args:
        model: a Model artifact.
        role: what it is to the Evaluator, for the message.

    Raises:
        EvaluationError: it cannot be read, or lacks a signature that the evaluation calls.
    """
    directory = Path(saved_model(model))
    try:
        saved = saved_model_pb2.SavedModel.FromString((directory / "saved_model.pb").read_bytes())
    except (OSError, DecodeError) as error:
        raise EvaluationError(
            "The model to evaluate cannot be read.",
            where=f"{role}: {directory}",
            received=error,
            fix="Train it again; if it was trained by your own run_fn, export it to fn_args.serving_model_dir.",
        ) from error
    found = {name for graph in saved.meta_graphs for name in graph.signature_def if not name.startswith("__")}
    if missing := [name for name in _SIGNATURES if name not in found]:
        raise EvaluationError(
            f"The model lacks the signature {missing[0]!r}, which the evaluation calls.",
            where=f"{role}: {directory}",
            received=f"signatures {', '.join(sorted(found)) or 'none'}",
            fix="Export serving_default (predictions) and transform_features (labels), both from serialized examples.",
        )
