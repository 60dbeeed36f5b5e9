"""Predictions of an exported SavedModel on the raw examples that a pipeline wrote. Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from schemas.errors import RunError

_BATCH = 4096


def predict(
    model: Path, examples: Path, label_key: str | None = None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Scores through `serving_default`, and labels through `transform_features`.

    Args:
        model: SavedModel with signatures that take serialized tf.Examples, string [batch].
        examples: folder with gzipped TFRecords.
        label_key: transformed feature that is the label; None: no labels are computed.

    Returns:
        Scores, float64 [rows], or [rows, classes] where there are several for a row, and labels, float64 [rows], in the
        order of the files; labels are empty without a label_key.

    Raises:
        RunError: there are no examples, or the model has several outputs.
    """
    loaded = tf.saved_model.load(str(model))
    serve, transform = loaded.signatures["serving_default"], loaded.signatures.get("transform_features")
    scores, labels = [], [np.empty(0)]
    for batch in batches(examples):
        outputs = serve(examples=batch)
        if len(outputs) != 1 and "outputs" not in outputs:
            raise RunError(
                "The model has several outputs.",
                where=str(model),
                received=sorted(outputs),
                fix="Name one `outputs`.",
            )
        score = (outputs["outputs"] if "outputs" in outputs else next(iter(outputs.values()))).numpy()
        scores.append((score.reshape(-1) if score.size == len(batch) else score).astype(np.float64))
        if label_key is not None:
            labels.append(transform(examples=batch)[label_key].numpy().reshape(-1).astype(np.float64))
    return np.concatenate(scores), np.concatenate(labels)


def batches(examples: Path) -> Iterator[tf.Tensor]:
    """Serialized examples, string [batch], in the order of the files.

    Raises:
        RunError: the folder holds no files.
    """
    files = sorted(str(file) for file in examples.glob("*.gz"))
    if not files:
        raise RunError(
            "There are no examples.", where=str(examples), fix="See the log of the run that should have written them."
        )
    yield from tf.data.TFRecordDataset(files, compression_type="GZIP").batch(_BATCH)
