"""A model's status and metadata, as TensorFlow Serving prints the protocol buffers of its gRPC answers."""

from __future__ import annotations

import inspect
import json
from collections.abc import Sequence
from typing import Any

from google.protobuf import json_format
from tensorflow_serving.apis import get_model_metadata_pb2

from serving.server.servable import Servable
from serving.server.version_state import VersionState


def status_json(states: Sequence[VersionState]) -> bytes:
    """GetModelStatusResponse: versions are strings, as 64 bit integers are in the JSON of protocol buffers."""
    versions = [
        {
            "version": str(one.version),
            "state": one.state,
            "status": {"error_code": one.error_code, "error_message": one.error_message},
        }
        for one in states
    ]
    return _text({"model_version_status": versions})


def metadata_json(servable: Servable) -> bytes:
    """GetModelMetadataResponse with `signature_def`, the one field that TensorFlow Serving has."""
    signatures = get_model_metadata_pb2.SignatureDefMap()
    for name, signature in servable.signatures.items():
        signatures.signature_def[name].CopyFrom(signature)
    # protobuf 5 has another name for it.
    known = inspect.signature(json_format.MessageToDict).parameters
    defaults = "always_print_fields_with_no_presence"
    with_defaults = {defaults if defaults in known else "including_default_value_fields": True}
    printed = json_format.MessageToDict(signatures, preserving_proto_field_name=True, **with_defaults)
    spec = {"name": servable.name, "signature_name": "", "version": str(servable.version)}
    return _text({"model_spec": spec, "metadata": {"signature_def": printed}})


def _text(answer: dict[str, Any]) -> bytes:
    return f"{json.dumps(answer, indent=1, ensure_ascii=False)}\n".encode("utf-8", "replace")
