from __future__ import annotations

import importlib
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType

import pytest

from runners import narrow_imports

ONE_STACK = ("google.cloud.dataflow",)
PACKAGE = """
import builtins
builtins.ran.append("gathering")
from gathering.near import found as renamed
from gathering.far import other
from gathering import below
OWN = "own"
"""


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Names of the modules whose code has run: of the package `gathering`, and of the module `heavy`."""
    files = {
        "gathering/__init__.py": PACKAGE,
        "gathering/near.py": "import builtins; builtins.ran.append('near'); found = 'found'",
        "gathering/far.py": "import builtins; builtins.ran.append('far'); other = 'other'",
        "gathering/below.py": "import builtins; builtins.ran.append('below')",
        "gathering/unnamed.py": "import builtins; builtins.ran.append('unnamed')",
        "heavy/__init__.py": "import builtins; builtins.ran.append('heavy'); SIZE = 7; COUNT = len('ab'); value = 'v'",
        "heavy/part.py": "import builtins; builtins.ran.append('part')",
        "broken.py": "import builtins; builtins.ran.append('broken'); import no_such_module",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    names: list[str] = []
    monkeypatch.setattr("builtins.ran", names, raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(narrow_imports, "PACKAGES", frozenset({"gathering"}))
    monkeypatch.setattr(narrow_imports, "MODULES", frozenset({"heavy", "broken"}))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    before = set(sys.modules)
    narrow_imports.narrow_imports()
    yield names
    for name in set(sys.modules) - before:
        del sys.modules[name]


def load(name: str) -> ModuleType:
    return importlib.import_module(name)


def test_a_module_of_a_package_comes_without_its_siblings(ran: list[str]) -> None:
    assert load("gathering.near").found == "found"
    assert ran == ["near"]


def test_a_name_of_a_package_comes_from_where_its_code_imports_it(ran: list[str]) -> None:
    assert load("gathering").renamed == "found"
    assert ran == ["near"]


def test_a_module_below_is_a_name_of_its_package(ran: list[str]) -> None:
    exec("from gathering import below, unnamed")
    assert ran == ["below", "unnamed"]


def test_what_a_package_defines_itself_makes_its_code_run(ran: list[str]) -> None:
    package = load("gathering")
    assert package.OWN == "own"
    assert sorted(ran) == ["below", "far", "gathering", "near"]
    assert type(package) is ModuleType


def test_a_name_that_is_nowhere_is_an_attribute_error(ran: list[str]) -> None:
    with pytest.raises(AttributeError, match="module 'gathering' has no attribute 'nowhere'"):
        load("gathering").nowhere  # noqa: B018


def test_a_module_runs_when_something_of_it_is_asked_for(ran: list[str]) -> None:
    module = load("heavy")
    assert ran == []
    assert module.value == "v"
    assert ran == ["heavy"]
    assert type(module) is ModuleType


def test_a_module_runs_before_one_below_it(ran: list[str]) -> None:
    load("heavy.part")
    assert ran == ["heavy", "part"]


def test_a_constant_number_is_known_without_running_the_code(ran: list[str]) -> None:
    assert load("heavy").SIZE == 7
    assert ran == []
    assert load("heavy").COUNT == 2
    assert ran == ["heavy"]


def test_inspection_does_not_run_the_code(ran: list[str]) -> None:
    module = load("heavy")
    assert not hasattr(module, "__warningregistry__")
    assert Path(str(module.__file__)).name == "__init__.py"
    assert ran == []


def test_a_module_that_has_not_run_can_be_pickled(ran: list[str]) -> None:
    assert pickle.loads(pickle.dumps(load("heavy"))) is load("heavy")


def test_of_several_threads_one_runs_the_code_and_all_have_what_it_makes(ran: list[str]) -> None:
    module, start, seen = load("heavy"), threading.Barrier(4), []

    def ask() -> None:
        start.wait()
        seen.append(module.value)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == ["v"] * 4
    assert ran == ["heavy"]


def test_code_that_fails_says_so_whenever_it_is_asked(ran: list[str]) -> None:
    module = load("broken")
    for _ in range(2):
        with pytest.raises(ModuleNotFoundError, match="no_such_module"):
            module.value  # noqa: B018
    assert ran == ["broken", "broken"]


def test_a_reload_runs_the_code_again(ran: list[str]) -> None:
    assert load("heavy").value == "v"
    importlib.reload(load("heavy"))
    assert ran == ["heavy", "heavy"]


def test_it_is_installed_once(ran: list[str]) -> None:
    before = list(sys.meta_path)
    narrow_imports.narrow_imports()
    assert sys.meta_path == before


@pytest.mark.parametrize("name", sorted(narrow_imports.PACKAGES | narrow_imports.MODULES))
def test_what_is_listed_is_there(name: str) -> None:
    path: list[str] | None = None
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        spec = PathFinder.find_spec(".".join(parts[:end]), path)
        if spec is None and name in ONE_STACK:
            pytest.skip("this stack's Beam has no such client")
        assert spec is not None
        path = list(spec.submodule_search_locations or [])


def test_a_process_without_a_shell_need_not_import_one_to_know() -> None:
    script = """
from runners.narrow_imports import narrow_imports
import sys
narrow_imports()
from IPython import get_ipython
print(get_ipython(), "IPython.core.interactiveshell" in sys.modules)
from IPython.core.interactiveshell import InteractiveShell
import IPython
print(get_ipython() is IPython.get_ipython(), IPython.version_info > (7,))
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ended.stdout == "None False\nTrue True\n"
