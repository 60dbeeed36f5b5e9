"""Checks, before anything is started, that the settings given to a run are for the tasks that were compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from configs.kubeflow import BEGIN
from runners.kubeflow.parameters import SETTINGS, all_parameters
from runners.kubeflow.run_parameters import RunParameters, settings_of
from schemas.errors import ScalableTFError

if TYPE_CHECKING:
    from runners.kubeflow.specification import Specification

COMPILED_OPTION = "--compiled"


def check_given(specification: Specification, given: dict[str, Any]) -> None:
    """Refuses parameters that the task begin would refuse.

    Args:
        specification: the compiled pipeline; of another one than ours nothing is known.
        given: its parameters.

    Raises:
        SettingsError: they are none, or for other tasks than those that were compiled.
    """
    compiled = _compiled(specification)
    if not compiled:
        return
    values = {name: value for name, value in all_parameters(specification, given).items() if name in _NAMES}
    settings = settings_of(RunParameters(**{name: _whole(value) for name, value in values.items()}))
    if SETTINGS not in given:
        return
    # With TensorFlow, which settings that are as they were compiled do not need.
    from runners.compiled import compile_pipeline
    from runners.kubeflow.compiled_in import check_compiled, graph

    check_compiled(settings, None, compiled)
    try:
        upstream = graph(compile_pipeline(settings.model_copy(update={"output_dir": "/"})))
    except ScalableTFError:  # what they name may be in the image only, where begin looks
        return
    check_compiled(settings, upstream, compiled)


_NAMES = (SETTINGS, "span", "steps", "window")


def _compiled(specification: Specification) -> str:
    executors = specification.pipeline.deployment_spec
    try:
        words = list(executors["executors"][f"exec-{BEGIN}"]["container"]["args"])
        return str(words[words.index(COMPILED_OPTION) + 1])
    except (KeyError, ValueError, IndexError, TypeError):
        return ""


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) else value
