"""Requests with which servers warm up before they serve a release.

Source: https://www.tensorflow.org/tfx/serving/saved_model_warmup
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from components.smoke_check.question import Question
from serving.client.grpc_message import predict_request
from serving.client.signature import Signature
from serving.client.target import Target
from serving.saved_model import WARMUP_FILE


def write_warmup(folder: Path, model: str, asked: Iterable[Question]) -> int:
    """Writes them, the same bytes for the same questions; those that the model brings with it stay.

    Args:
        folder: of the SavedModel.
        model: name under which it is served.
        asked: each becomes one request.

    Returns:
        How many were written.
    """
    path = folder / WARMUP_FILE
    if path.exists():
        return 0
    path.parent.mkdir(exist_ok=True)
    count = 0
    with tf.io.TFRecordWriter(str(path)) as writer:
        for question in asked:
            log = prediction_log_pb2.PredictionLog()
            signature = Signature(question.signature, {}, {})
            log.predict_log.request.CopyFrom(predict_request(dict(question.inputs), signature, Target(model)))
            writer.write(log.SerializeToString(deterministic=True))
            count += 1
    return count
