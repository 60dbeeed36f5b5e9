"""The run_fn that TFX's Trainer calls: it sets up where training runs; what is trained is the user's run_fn."""

from __future__ import annotations

import importlib
import logging
import pkgutil
import sys
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from configs.settings import Model
from configs.training import Training
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
        near = get_close_matches(error.name, _neighbours(error.name), n=1)
        raise TrainingError(
            f"There is no module {error.name!r}." + (f" Did you mean {near[0]!r}?" if near else ""),
            where="model.run_fn",
            received=path,
            fix="Give the dotted path of a function in an importable module, such as models.run_fn.run_fn.",
        ) from error
    found = getattr(module, name, None)
    if callable(found):
        return found
    known = [key for key, value in vars(module).items() if getattr(value, "__module__", "") == module_name]
    public = sorted(key for key in known if callable(getattr(module, key)) and not key.startswith("_"))
    near = get_close_matches(name, public, n=1)
    raise TrainingError(
        f"There is no function {name!r} in {module_name}." + (f" Did you mean {near[0]!r}?" if near else ""),
        where="model.run_fn",
        received=path,
        fix=f"Functions there: {', '.join(public) or 'none'}.",
    )


def _neighbours(module_name: str) -> list[str]:
    """Modules of the same package, or, for a top-level one, those that are loaded."""
    package_name = module_name.rpartition(".")[0]
    if not package_name:
        return [name for name in sys.modules if "." not in name]
    package = importlib.import_module(package_name)
    return [f"{package_name}.{found.name}" for found in pkgutil.iter_modules(getattr(package, "__path__", []))]


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
