"""What a task has written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runners.kubeflow.dry_run.executor_input import Outputs, parameter_value, typed
from schemas.errors import RunError

if TYPE_CHECKING:
    from runners.kubeflow.dry_run.place import Place
    from runners.kubeflow.dry_run.pod import Mount


def read_outputs(
    given: Mapping[str, Any], component: Any, place: Place, mounts: Sequence[Mount], where: str
) -> Outputs:
    """Parameters and artifacts; what the task's output file says comes before what the files of parameters say.

    Args:
        given: JSON of the ExecutorInput.
        component: the ComponentSpec.
        place: where the task ran.
        mounts: what it saw.
        where: the task, for messages.

    Raises:
        RunError: one is missing, or is not of its type.
    """
    said: dict[str, Any] = {}
    file = place.here(given["outputs"]["outputFile"], mounts)
    try:
        if file.is_file():
            said = json.loads(file.read_text(encoding="utf-8"))
        parameters = dict(said.get("parameterValues", {}))
        for name, output in given["outputs"]["parameters"].items():
            kind = component.output_definitions.parameters[name].parameter_type
            if name not in parameters:
                text = place.here(output["outputFile"], mounts).read_text(encoding="utf-8")
                parameters[name] = parameter_value(text, kind)
            parameters[name] = typed(parameters[name], kind, f"{where}, output {name}")
        artifacts = {}
        for name, made in given["outputs"]["artifacts"].items():
            told = said.get("artifacts", {}).get(name, made)["artifacts"][0]
            artifacts[name] = {"artifacts": [{**made["artifacts"][0], **told}]}
    except (OSError, ValueError, LookupError, AttributeError, TypeError) as error:
        fix = "Write each output to the path that the task is given for it."
        raise RunError("An output of the task cannot be read.", where=where, received=error, fix=fix) from error
    return Outputs(parameters, artifacts)
