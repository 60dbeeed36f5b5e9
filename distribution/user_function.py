"""The function that a dotted path names."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from schemas.errors import TrainingError


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
