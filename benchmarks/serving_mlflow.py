"""The model as MLflow saves it, in MLflow's environment: `python serving_mlflow.py SAVED_MODEL FOLDER`.

`mlflow models serve` then serves the folder, whose code is this file.
"""

from __future__ import annotations

import base64
import sys
from typing import Any

import mlflow
import numpy as np
import tensorflow as tf


class Taxi(mlflow.pyfunc.PythonModel):
    """The signature that takes serialized tf.Examples."""

    def load_context(self, context: Any) -> None:
        """Loads the SavedModel."""
        self._signature = tf.saved_model.load(context.artifacts["model"]).signatures["serving_default"]

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        """Answers texts in base64."""
        rows = [base64.b64decode(one) for one in np.ravel(model_input)]
        return self._signature(examples=tf.constant(rows))["predictions"].numpy()


if __name__ == "__main__":
    mlflow.pyfunc.save_model(
        sys.argv[2], python_model=__file__, artifacts={"model": sys.argv[1]}, pip_requirements=["tensorflow"]
    )
else:
    mlflow.models.set_model(Taxi())
