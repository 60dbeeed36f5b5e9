"""The parameters of a pipeline, from the command line: `--parameter NAME=VALUE`, checked against the specification."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format

from schemas.errors import RunError
from schemas.nearest import nearest

if TYPE_CHECKING:
    from runners.kubeflow.specification import Specification

SETTINGS = "settings"
"""The parameter that holds the settings as JSON."""


def given_parameters(specification: Specification, given: Sequence[str]) -> dict[str, Any]:
    """The values that were given, each of the type that the pipeline declares.

    Args:
        specification: the compiled pipeline.
        given: NAME=VALUE; a VALUE that begins with @ names a file with it.

    Raises:
        RunError: no such parameter, a value of another type, or one that is required and not given.
    """
    from kfp.pipeline_spec import pipeline_spec_pb2

    declared = specification.pipeline.root.input_definitions.parameters
    found: dict[str, Any] = {}
    for word in given:
        name, separator, text = word.partition("=")
        if not separator:
            raise RunError(
                "A parameter is NAME=VALUE.", where="--parameter", received=word, fix="Write --parameter steps=100."
            )
        if name not in declared:
            known = f"It has {', '.join(sorted(declared))}." if declared else "It has none."
            fix = f"Did you mean {suggestion}?" if (suggestion := nearest(name, declared)) else known
            raise RunError("The pipeline has no such parameter.", where="--parameter", received=name, fix=fix)
        kind = pipeline_spec_pb2.ParameterType.ParameterTypeEnum.Name(declared[name].parameter_type)
        found[name] = _value(name, _text(name, text), kind)
    for name, parameter in declared.items():
        if name not in found and not parameter.is_optional and not parameter.HasField("default_value"):
            fix = f"Give it: --parameter {name}=VALUE"
            raise RunError(
                "The pipeline needs a parameter that has no default.", where="--parameter", received=name, fix=fix
            )
    return found


def all_parameters(specification: Specification, given: dict[str, Any]) -> dict[str, Any]:
    """Those given, and the defaults of the others; None where an optional one has neither."""
    declared = specification.pipeline.root.input_definitions.parameters
    return {
        name: given[name]
        if name in given
        else (json_format.MessageToDict(parameter.default_value) if parameter.HasField("default_value") else None)
        for name, parameter in sorted(declared.items())
    }


def service_account(specification: Specification, given: dict[str, Any]) -> str | None:
    """What the settings say in kubeflow.service_account: KFP takes it with each run, and not from the pipeline."""
    try:
        settings = json.loads(all_parameters(specification, given).get(SETTINGS) or "{}")
        account = settings.get("kubeflow", {}).get("service_account")
    except (TypeError, ValueError, AttributeError):  # the parameter of another pipeline
        return None
    return account if isinstance(account, str) else None


def _text(name: str, text: str) -> str:
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        where = f"--parameter {name}"
        raise RunError(
            "The file with the value cannot be read.", where=where, received=error, fix="Name a text file."
        ) from error


def _value(name: str, text: str, kind: str) -> Any:
    if kind == "STRING":
        return text
    wanted: dict[str, tuple[type, str]] = {
        "NUMBER_INTEGER": (int, "a whole number"),
        "NUMBER_DOUBLE": (float, "a number"),
        "BOOLEAN": (bool, "true or false"),
        "LIST": (list, "a list in JSON"),
        "STRUCT": (dict, "an object in JSON"),
    }
    expected, words = wanted.get(kind, (object, "JSON"))
    try:
        value = json.loads(text, parse_constant=_refuse)
    except ValueError:
        value = None
    if expected is float and type(value) is int:
        value = float(value)
    if value is None or not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
        raise RunError(
            f"The parameter must be {words}.", where=f"--parameter {name}", received=text, fix=f"Its type is {kind}."
        )
    return value


def _refuse(text: str) -> Any:
    raise ValueError(text)
