"""Placeholders in commands and arguments, as the launcher of KFP's backend replaces them (launcher_v2.go, 2.15).

    {{$}}                                      the whole executor input, as JSON
    {{$.inputs.parameters['x']}}               text of a parameter; lists and structs as JSON
    {{$.inputs.artifacts['x'].uri|path}}       of the first artifact of that name
    {{$.outputs.artifacts['x'].uri|path}}
    {{$.outputs.parameters['x'].output_file}}  where the task writes it
    {"IfPresent": {...}}                       a whole argument; becomes none, one or several

Nothing else is replaced there. {{$.pipeline_job_uuid}} and its like are replaced only where they are the whole constant
that a task's input parameter is given: `constant` does that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from schemas.errors import RunError

_PLACEHOLDER = re.compile(
    r"\{\{\$(?:\.(?P<side>inputs|outputs)\.(?P<kind>parameters|artifacts)\['(?P<name>[^']+)'\]"
    r"(?:\.(?P<part>uri|path|output_file))?)?\}\}"
)
_ANY = re.compile(r"\{\{\$.*?\}\}")
_IF_PRESENT = '{"IfPresent":'
_CONCAT = '{"Concat":'


def text_of(value: Any) -> str:
    """A parameter's value as the launcher writes it: numbers as short as possible and without exponent."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return _number(value)
    return json.dumps(whole_numbers(value), separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def whole_numbers(value: Any) -> Any:
    """The value with 3.0 as 3: protobuf's numbers are doubles, and its JSON shows whole ones without a point."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: whole_numbers(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [whole_numbers(item) for item in value]
    return value


def constant(value: Any, run: Mapping[str, str]) -> Any:
    """What an input parameter gets from a constant.

    Args:
        value: the constant.
        run: what is known of the run and the task, by name, e.g. pipeline_job_uuid.
    """
    if isinstance(value, str) and value.startswith("{{$.") and value.endswith("}}"):
        return run.get(value[4:-2], value)
    return value


def substitute(arguments: Sequence[str], executor_input: Mapping[str, Any], where: str) -> list[str]:
    """The arguments with everything in its place.

    Args:
        arguments: of the container.
        executor_input: JSON of KFP's ExecutorInput, in which an artifact has a `path` beside its `uri`.
        where: the task, for messages.

    Raises:
        RunError: the backend would hand a placeholder on as it stands.
    """

    def replacement(match: re.Match[str]) -> str:
        found = _found(match.group(), executor_input)
        if found is None:
            raise RunError(
                "KFP's backend hands this placeholder on as it stands.",
                where=where,
                received=match.group(),
                fix="Make it an input parameter of the task: only there does the backend replace it.",
            )
        return found

    present = [argument for given in arguments for argument in _present(given, executor_input, where)]
    return [_ANY.sub(replacement, argument) for argument in present]


def _found(placeholder: str, executor_input: Mapping[str, Any]) -> str | None:
    match = _PLACEHOLDER.fullmatch(placeholder)
    if match is None:
        return None
    if match["side"] is None:
        return json.dumps(_without_paths(executor_input), separators=(",", ":"), ensure_ascii=False)
    held = executor_input.get(match["side"], {})
    name, part = match["name"], match["part"]
    if match["kind"] == "artifacts":
        artifacts = held.get("artifacts", {}).get(name, {}).get("artifacts")
        return str(artifacts[0][part]) if artifacts and part in ("uri", "path") else None
    if match["side"] == "outputs":
        parameter = held.get("parameters", {}).get(name)
        return str(parameter["outputFile"]) if parameter and part == "output_file" else None
    values = held.get("parameterValues", {})
    return text_of(values[name]) if name in values and part is None else None


def _without_paths(value: Any) -> Any:
    """The input as the backend has it, in which an artifact's path is not written down."""
    if isinstance(value, Mapping):
        return {key: _without_paths(item) for key, item in value.items() if not (key == "path" and "uri" in value)}
    if isinstance(value, list):
        return [_without_paths(item) for item in value]
    return whole_numbers(value)


def _present(argument: str, executor_input: Mapping[str, Any], where: str) -> Iterator[str]:
    text = argument.strip()
    if text.startswith(_CONCAT):
        fix = "Write the parts into one string: placeholders may stand anywhere in it."
        raise RunError("KFP's backend does not join a Concat.", where=where, received=argument, fix=fix)
    if not text.startswith(_IF_PRESENT):
        yield argument
        return
    condition = json.loads(text)["IfPresent"]
    values = executor_input.get("inputs", {}).get("parameterValues", {})
    chosen = condition.get("Then" if values.get(condition["InputName"]) is not None else "Else")
    for item in chosen if isinstance(chosen, list) else [chosen]:
        if isinstance(item, str):
            yield item
        elif item is not None:
            fix = "Give then and else_ texts only."
            raise RunError("KFP's backend takes no such IfPresent.", where=where, received=argument, fix=fix)


def _number(value: float) -> str:
    return format(Decimal(repr(value)).normalize(), "f")
