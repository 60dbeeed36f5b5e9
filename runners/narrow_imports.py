"""Imports of libraries that stop at what is used: docs/decisions/0015-narrow-imports.md.

`import tfx.components.schema_gen.component` runs `tfx/components/__init__.py`, and that imports every component there
is, with the clients of Docker and Kubernetes. TFDV brings IPython to draw tables in notebooks, TFMA brings nltk and
scikit-learn for ROUGE scores, Beam brings BigQuery's client. All of that is seconds at each start, and none of it is
used. Here the libraries stay as they are, and the code of some of their modules runs only when it is needed.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import importlib.util
import sys
import threading
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any

PACKAGES = frozenset(
    {
        "tensorflow_data_validation",
        "tensorflow_model_analysis",
        "tensorflow_model_analysis.view",
        "tfx.components",
    }
)
"""Packages whose own code only gathers names from the modules below it, which do without.

Such a module is imported without its siblings, and a name comes from where the package's code would import it from.
"""

MODULES = frozenset(
    {
        "IPython",
        "apache_beam.io.gcp.gcsio",
        "docker",
        "google.cloud.bigquery",
        "google.cloud.bigquery_storage_v1",
        "google.cloud.dataflow",
        "google.cloud.pubsub",
        "googleapiclient.discovery",
        "scipy.stats",
        "setuptools",
        "tensorflow_model_analysis.metrics.bleu",
        "tensorflow_model_analysis.metrics.rouge",
    }
)
"""Modules that libraries import at their top, and touch only in functions that a run does not call."""


def narrow_imports() -> None:
    """From here on the modules above are imported, in this process, when they are used.

    For the edge of a process that is ours alone, before it imports the libraries. What is imported already stays as it
    is, and who uses one of the modules gets all of it. A second call does nothing.
    """
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder:
    """Finds the modules above, and no others."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        parent = sys.modules.get(fullname.rpartition(".")[0])
        if isinstance(parent, _Deferred) and parent.__name__ in MODULES:
            parent.load()  # what is below it may count on what its import has done
        if fullname not in PACKAGES | MODULES:
            return None
        spec = PathFinder.find_spec(fullname, path)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


class _Loader(SourceFileLoader):
    """Makes a module whose code does not run yet."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Deferred(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Leaves it to a new module; `importlib.reload` gives one whose code has run."""
        if not isinstance(module, _Deferred):
            self.run(module)

    def run(self, module: ModuleType) -> None:
        """Runs the module's code."""
        super().exec_module(module)

    def origin(self, name: str) -> tuple[str, str] | None:
        """Module and name that the code imports a name from; None where it does not."""
        for node in ast.walk(self._tree()):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for alias in node.names:
                    if name == (alias.asname or alias.name):
                        return node.module, alias.name
        return None

    def number(self, name: str) -> int | None:
        """The number that the code gives a constant; None where there is no such thing."""
        for node in self._tree().body:
            match node:
                case ast.Assign(targets=[ast.Name(id=found)], value=ast.Constant(value=int(value))) if found == name:
                    return value
        return None

    def _tree(self) -> ast.Module:
        return ast.parse(self.get_data(self.path))


class _Deferred(ModuleType):
    """A module whose code has not run. Once it has, it is a module like any other."""

    __loader__: _Loader

    def __init__(self, name: str) -> None:
        super().__init__(name)
        vars(self)["_loading"] = threading.RLock()

    def __getattr__(self, name: str) -> Any:
        # Python comes here for what is not there yet. Of names with underscores, inspection asks in every module.
        if name.startswith("__") and name not in ("__all__", "__version__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        if (self.__name__, name) in _ANSWERS:
            return _ANSWERS[self.__name__, name]
        if self.__name__ in PACKAGES and (origin := self._origin(name)):
            module, attribute = origin
            found = importlib.import_module(f"{module}.{attribute}" if module == self.__name__ else module)
            vars(self)[name] = found if module == self.__name__ else getattr(found, attribute)
            return vars(self)[name]
        if name.isupper() and (number := self.__loader__.number(name)) is not None:
            return number
        self.load()
        return ModuleType.__getattribute__(self, name)

    def __reduce__(self) -> tuple[Callable[[str], ModuleType], tuple[str]]:
        return importlib.import_module, (self.__name__,)

    def load(self) -> None:
        """Runs the module's code, unless that is done. While one thread does, others wait for it."""
        with vars(self).get("_loading", contextlib.nullcontext()):
            if not isinstance(self, _Deferred) or "_runs" in vars(self):
                return
            vars(self)["_runs"] = True
            try:
                self.__loader__.run(self)
            finally:
                del vars(self)["_runs"]
            del vars(self)["_loading"]
            self.__class__ = ModuleType  # type: ignore[assignment]

    def _origin(self, name: str) -> tuple[str, str] | None:
        """As of the code's imports; a module below that it does not name is one that Python would look for, too."""
        below = f"{self.__name__}.{name}"
        return self.__loader__.origin(name) or ((self.__name__, name) if importlib.util.find_spec(below) else None)


def _get_ipython() -> Any:
    """The shell of this process, if it has one: Beam asks, for each transform, whether it is in a notebook."""
    asked = sys.modules.get("IPython.core.getipython")
    return asked.get_ipython() if asked else None


_ANSWERS = {("IPython", "get_ipython"): _get_ipython}
"""What is known without running a module's code."""
