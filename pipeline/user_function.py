"""Checks, before anything runs, that a dotted path in the settings leads to a function."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from difflib import get_close_matches

from configs.modules import source_locations
from schemas.errors import SettingsError


def check_function(path: str, where: str) -> None:
    """Checks that the module exists and defines the name, without importing it.

    Args:
        path: dotted path, such as `models.run_fn.run_fn`.
        where: the setting that holds it.

    Raises:
        SettingsError: there is no such module, or it defines no such name; the nearest one is named.
    """
    module, _, name = path.rpartition(".")
    try:
        places = source_locations(module)
    except SettingsError as error:
        raise SettingsError(error.what, where=where, received=path, fix=error.fix) from error
    files = [place / "__init__.py" if place.is_dir() else place for place in places]
    defined = {found for file in files if file.is_file() for found in _names(ast.parse(file.read_bytes()).body)}
    if name not in defined and "*" not in defined:
        near = get_close_matches(name, defined, n=1)
        raise SettingsError(
            f"The module {module!r} has no {name!r}.",
            where=where,
            received=path,
            fix=f"Did you mean {module}.{near[0]}?" if near else f"Define a function {name} in {module}.",
        )


def _names(body: list[ast.stmt]) -> Iterator[str]:
    """Names that a module's statements bind, also inside if and try; `*` for a star import."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from ((alias.asname or alias.name).split(".")[0] for alias in node.names)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (target.id for target in targets if isinstance(target, ast.Name))
        elif isinstance(node, (ast.If, ast.Try)):
            yield from _names([*node.body, *node.orelse])
            for handler in node.handlers if isinstance(node, ast.Try) else ():
                yield from _names(handler.body)
