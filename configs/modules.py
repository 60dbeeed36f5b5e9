"""Where the code of a module is, found without importing it."""

from __future__ import annotations

import importlib.util
import pkgutil
import sys
from pathlib import Path

from schemas.errors import SettingsError
from schemas.nearest import nearest


def source_locations(name: str) -> tuple[Path, ...]:
    """Where the source of a module or package is, at any depth: folders, or one file.

    Args:
        name: the module's name, with dots for one inside a package.

    Raises:
        SettingsError: there is no such module, or it has no file (it is built into Python).
    """
    top, *inner = name.split(".")
    tops = locations(top, wanted_by=name)
    found = tuple(place for place in (_inside(folder, inner) for folder in tops) if place is not None)
    if not found:
        # Not pkgutil: a namespace package's folders have no __init__.py.
        modules = {
            file.stem for folder in tops for file in folder.glob("[!_.]*") if file.is_dir() or file.suffix == ".py"
        }
        near = nearest(inner[0], modules)
        hint = f"Did you mean {top}.{near}?" if near else f"It has {', '.join(sorted(modules)) or 'no modules'}."
        raise SettingsError(f"There is no module {name!r} in {top!r}.", received=name, fix=hint)
    return found


def _inside(place: Path, inner: list[str]) -> Path | None:
    target = place.joinpath(*inner)
    if target.exists():
        return target
    file = target.with_name(target.name + ".py")
    return file if inner and file.is_file() else None


def locations(name: str, *, wanted_by: str) -> tuple[Path, ...]:
    """The folders of a top-level package (several for a namespace package), or the one file of a top-level module.

    Args:
        name: a name without dots.
        wanted_by: what the settings say, for the error.

    Raises:
        SettingsError: there is no such module, or it has no file (it is built into Python).
    """
    spec = importlib.util.find_spec(name) if name.isidentifier() and _findable(name) else None
    if spec is None:
        near = nearest(name, {module.name for module in pkgutil.iter_modules()})
        hint = f"Did you mean {near!r}? Else install it" if near else "Install it"
        raise SettingsError(
            f"There is no installed module {name!r}.",
            received=wanted_by,
            fix=f"{hint}, or add its folder to PYTHONPATH.",
        )
    if spec.submodule_search_locations:
        return tuple(dict.fromkeys(Path(folder).resolve() for folder in spec.submodule_search_locations))
    if not spec.has_location or spec.origin is None:
        raise SettingsError(f"The module {name!r} is built into Python and has no file.", received=wanted_by)
    return (Path(spec.origin).resolve(),)


def _findable(name: str) -> bool:
    # find_spec raises for a module that was loaded without a spec, such as __main__.
    return name not in sys.modules or getattr(sys.modules[name], "__spec__", None) is not None
