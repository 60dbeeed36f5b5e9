"""Writing the trained model."""

from __future__ import annotations

import tensorflow as tf

from models.signatures import ServingModule


@tf.autograph.experimental.do_not_convert
def export_model(module: ServingModule, path: str) -> None:
    """Saves the module with its signatures, as a SavedModel without Keras metadata.

    Args:
        module: model and transform graph.
        path: folder to write, `.../Format-Serving` in TFX.
    """
    tf.saved_model.save(module, path, signatures=module.signatures())
