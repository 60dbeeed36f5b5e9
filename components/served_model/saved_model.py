"""The SavedModel of a Model artifact."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef
from tfx.utils import path_utils

from schemas.errors import EvaluationError

_FILE = "saved_model.pb"


def saved_model(model: Any) -> str:
    """Folder of a Model artifact's SavedModel; the artifact may be nothing else than one, as a release is."""
    if (Path(model.uri) / _FILE).is_file():
        return str(model.uri)
    return str(path_utils.serving_model_path(model.uri, path_utils.is_old_model_artifact(model)))


def signatures(model: Any, role: str, *, caller: str) -> dict[str, SignatureDef]:
    """The signatures of a model, by name, before anything else of it is read.

    Args:
        model: a Model artifact.
        role: what it is to the component, for messages.
        caller: what calls them, for messages.

    Raises:
        EvaluationError: it cannot be read.
    """
    directory = Path(saved_model(model))
    try:
        saved = saved_model_pb2.SavedModel.FromString((directory / _FILE).read_bytes())
    except (OSError, DecodeError) as error:
        raise EvaluationError(
            f"The model that {caller} calls cannot be read.",
            where=f"{role}: {directory}",
            received=error,
            fix="Train it again; if it was trained by your own run_fn, export it to fn_args.serving_model_dir.",
        ) from error
    return {
        name: signature
        for graph in saved.meta_graphs
        for name, signature in graph.signature_def.items()
        if not name.startswith("__")
    }


def require_signatures(model: Any, role: str, names: Sequence[str], *, caller: str, fix: str) -> list[SignatureDef]:
    """Some signatures of a model.

    Args:
        model: a Model artifact.
        role: what it is to the component, for messages.
        names: of signatures.
        caller: what calls them, for messages.
        fix: what to do where one is missing.

    Returns:
        What they take and give.

    Raises:
        EvaluationError: it cannot be read, or lacks one of them.
    """
    found = signatures(model, role, caller=caller)
    if missing := [name for name in names if name not in found]:
        raise EvaluationError(
            f"The model lacks the signature {missing[0]!r}, which {caller} calls.",
            where=f"{role}: {saved_model(model)}",
            received=f"signatures {', '.join(sorted(found)) or 'none'}",
            fix=fix,
        )
    return [found[name] for name in names]
