"""Names of dtypes in errors."""

from __future__ import annotations

import tensorflow as tf


def dtype_text(dtype: tf.DType) -> str:
    """The name of a dtype as TensorFlow's messages have it: C++'s, where Python has another."""
    return {"float16": "half", "float32": "float", "float64": "double"}.get(dtype.name, dtype.name)
