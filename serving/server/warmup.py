"""Requests that a model answers before it serves, so that no client waits for what is done only once."""

from __future__ import annotations

from pathlib import Path

import grpc
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import prediction_log_pb2

from serving.saved_model import WARMUP_FILE
from serving.server.classify import classify
from serving.server.example_input import serialized_examples
from serving.server.multi_inference import multi_inference
from serving.server.predict import predict
from serving.server.regress import regress
from serving.server.request_error import RequestError, invalid
from serving.server.servable import Servable

_MOST = 1000


def warm_up(servable: Servable, folder: Path) -> int:
    """Answers the requests that a SavedModel brings with it.

    Args:
        servable: the loaded model.
        folder: of the SavedModel.

    Returns:
        How many there were; 0 without the file.

    Raises:
        RequestError: one of them is refused, is none, or there are more than 1,000; UNIMPLEMENTED: it is of a kind that
            no model answers; DATA_LOSS: it is no TFRecord file.
    """
    path = folder / WARMUP_FILE
    if not path.is_file():
        return 0
    count = 0
    try:
        for record in tf.compat.v1.io.tf_record_iterator(str(path)):
            count += 1
            if count > _MOST:
                raise invalid(f"Number of warmup records exceeds the maximum ({_MOST}) at {path}")
            _answer(servable, prediction_log_pb2.PredictionLog.FromString(record))
    except DecodeError as error:
        raise invalid(f"Failed to parse warmup record: number {count} from {path}") from error
    except tf.errors.DataLossError as error:
        message = f"{error.message}. Please verify your warmup data is in TFRecord format."
        raise RequestError(grpc.StatusCode.DATA_LOSS, message) from error
    return count


def _answer(servable: Servable, log: prediction_log_pb2.PredictionLog) -> None:
    kind = log.WhichOneof("log_type")
    if kind == "predict_log":
        predict(servable, log.predict_log.request)
    elif kind == "classify_log":
        request = log.classify_log.request
        classify(servable, request.model_spec.signature_name, serialized_examples(request.input))
    elif kind == "regress_log":
        request = log.regress_log.request
        regress(servable, request.model_spec.signature_name, serialized_examples(request.input))
    elif kind == "multi_inference_log":
        multi_inference(servable, log.multi_inference_log.request)
    elif kind is not None:  # an empty log is passed over
        number = log.DESCRIPTOR.fields_by_name[kind].number
        raise RequestError(grpc.StatusCode.UNIMPLEMENTED, f"Unsupported log_type for warmup: {number}")
