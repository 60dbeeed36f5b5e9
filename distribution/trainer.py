"""The run_fn that TFX's Trainer calls: it sets up where training runs; what is trained is the user's run_fn."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from configs.settings import Model, Training
from distribution.strategies.registry import make_strategy
from schemas.errors import TrainingError

_LOG = logging.getLogger(__name__)


def run_fn(fn_args: Any) -> None:
    """Calls the run_fn of the settings in the scope of the strategy of the settings.

    Args:
        fn_args: TFX's FnArgs with custom_config={"run_fn": dotted path, "settings": {"training": ...}, ...}.

    Raises:
        TrainingError: the strategy is not possible here, or there is no such function.
    """
    given = fn_args.custom_config or {}
    user_fn = import_function(given.get("run_fn") or Model().run_fn)
    strategy = make_strategy(_training(given))
    _LOG.info("Training with %s on %d replica(s)", type(strategy).__name__, strategy.num_replicas_in_sync)
    with strategy.scope():
        user_fn(fn_args)


def import_function(path: str) -> Callable[..., Any]:
    """The function of a dotted path.

    Raises:
        TrainingError: no such module, or no such function in it; names the nearest. An import that fails inside the
            module is raised as it is, with the module's own traceback.
    """
    module_name, _, name = path.rpartition(".")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not (module_name + ".").startswith(error.name + "."):
            raise
        raise TrainingError(
            f"There is no module {error.name!r}.",
            where="model.run_fn",
            received=path,
            fix="Give the dotted path of a function in an importable module, such as models.run_fn.run_fn.",
        ) from error
    found = getattr(module, name, None)
    if callable(found):
        return found
    callables = [known for known in vars(module) if callable(getattr(module, known)) and not known.startswith("_")]
    near = get_close_matches(name, callables, n=1)
    raise TrainingError(
        f"There is no function {name!r} in {module_name}." + (f" Did you mean {near[0]!r}?" if near else ""),
        where="model.run_fn",
        received=path,
        fix=f"Functions there: {', '.join(sorted(callables)) or 'none'}.",
    )


def _training(custom_config: dict[str, Any]) -> Training:
    try:
        return Training.model_validate((custom_config.get("settings") or {}).get("training") or {})
    except ValidationError as error:
        first = error.errors()[0]
        raise TrainingError(
            f"The training settings are not valid: {first['msg']}.",
            where="Trainer: training." + ".".join(str(part) for part in first["loc"]),
            received=first.get("input"),
            fix="Correct the training section of the settings.",
        ) from error
