"""Checks what a client sends, against the models of kfp-server-api and the protos of kfp-pipeline-spec."""

from __future__ import annotations

import datetime
import json
import re
from typing import Any
from urllib.parse import unquote_plus

import kfp_server_api
import yaml
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

_PLAIN = {"str": str, "bool": bool, "object": object}
_MANY = re.compile(r"(list|dict)\((?:str, )?(.+)\)|list\[(.+)\]")
_CRON = re.compile(r"[\w*?/,-]+( [\w*?/,-]+){5}|@\w+( \w+)?")


class BadRequestError(Exception):
    """What the server answers with 400."""


def check_body(body: Any, model: str, place: str = "body") -> None:
    """Fields, types and enums, all the way down; a field that the model does not know is an error."""
    cls = getattr(kfp_server_api, model)
    if not isinstance(body, dict):
        raise BadRequestError(f"{place} is no object")
    types = {cls.attribute_map[name]: kind for name, kind in cls.openapi_types.items()}
    for name, value in body.items():
        if name not in types:
            raise BadRequestError(f"{place} has an unknown field {name}")
        _check_value(value, types[name], f"{place}.{name}")


def _check_value(value: Any, kind: str, place: str) -> None:
    if many := _MANY.fullmatch(kind):
        inner = many[2] or many[3]
        if not isinstance(value, (dict, list)):
            raise BadRequestError(f"{place} is no collection")
        for item in value.values() if isinstance(value, dict) else value:
            _check_value(item, inner, place)
    elif kind == "datetime":
        if not isinstance(value, str) or datetime.datetime.fromisoformat(value.replace("Z", "+00:00")).tzinfo is None:
            raise BadRequestError(f"{place} is no time")
    elif kind in _PLAIN:
        if not isinstance(value, _PLAIN[kind]):
            raise BadRequestError(f"{place} is no {kind}: {value!r}")
    elif allowed := getattr(getattr(kfp_server_api, kind), "allowable_values", None):
        if value not in allowed:
            raise BadRequestError(f"{place} is none of {allowed}: {value!r}")
    else:
        check_body(value, kind, place)


def check_pipeline(content: bytes) -> Any:
    """The PipelineSpec in an uploaded file."""
    documents = list(yaml.safe_load_all(content))
    if not 1 <= len(documents) <= 2:
        raise BadRequestError(f"the file holds {len(documents)} documents")
    try:
        spec = json_format.ParseDict(documents[0], pipeline_spec_pb2.PipelineSpec())
        if len(documents) == 2:
            shown = {"platforms": {"kubernetes": {"deploymentSpec": {"executors": {}}}}}
            json_format.ParseDict(shown, pipeline_spec_pb2.PlatformSpec())
            executors = documents[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
            known = documents[0]["deploymentSpec"]["executors"]
            if unknown := sorted(set(executors) - set(known)):
                raise BadRequestError(f"the platform specification is about unknown executors: {unknown}")
    except (json_format.ParseError, KeyError, TypeError) as error:
        raise BadRequestError(f"the pipeline is not valid: {error}") from error
    if not spec.pipeline_info.name:
        raise BadRequestError("the pipeline has no name")
    return spec


def check_parameters(given: dict[str, Any], spec: Any) -> None:
    """As the server does when it makes a run: no unknown ones, of the right type, none missing."""
    declared = spec.root.input_definitions.parameters
    kinds = pipeline_spec_pb2.ParameterType.ParameterTypeEnum
    numbers = (int, float)
    wanted = {
        "STRING": str,
        "NUMBER_INTEGER": numbers,
        "NUMBER_DOUBLE": numbers,
        "BOOLEAN": bool,
        "LIST": list,
        "STRUCT": dict,
    }
    for name, value in given.items():
        if name not in declared:
            raise BadRequestError(f"unknown parameter {name}")
        kind = kinds.Name(declared[name].parameter_type)
        if not isinstance(value, wanted[kind]) or (isinstance(value, bool) and kind != "BOOLEAN"):
            raise BadRequestError(f"parameter {name} is no {kind}: {value!r}")
    for name, parameter in declared.items():
        if name not in given and not parameter.is_optional and not parameter.HasField("default_value"):
            raise BadRequestError(f"parameter {name} is missing")


def check_trigger(trigger: dict[str, Any]) -> None:
    """One of the two kinds of trigger, as the server takes it."""
    if len(trigger) != 1:
        raise BadRequestError("a trigger is either a cron expression or an interval")
    cron = trigger.get("cron_schedule", {}).get("cron")
    if "cron_schedule" in trigger and not _CRON.fullmatch(cron or ""):
        raise BadRequestError(f"cron expression of other than six fields: {cron!r}")
    if "periodic_schedule" in trigger and int(trigger["periodic_schedule"].get("interval_second", 0)) < 1:
        raise BadRequestError("the interval is below one second")


def display_name(text: str | None) -> str | None:
    """The name that a filter asks for."""
    if not text:
        return None
    try:
        (predicate,) = json.loads(unquote_plus(text))["predicates"]
        if predicate["operation"] in ("EQUALS", 1) and predicate["key"] == "display_name":
            return str(predicate["string_value"])
    except (ValueError, KeyError, TypeError) as error:
        raise BadRequestError(f"the filter is not valid: {error!r}") from error
    raise BadRequestError(f"the test server knows no such filter: {text}")
