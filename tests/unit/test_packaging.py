"""What is shipped is what is meant to be shipped: the packages on disk, their data files, the console command."""

from __future__ import annotations

import configparser
import email
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from configs.version import VERSION

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
TOP_LEVEL = {
    "components",
    "configs",
    "distribution",
    "models",
    "pipeline",
    "pipeline_testing",
    "runners",
    "schemas",
    "serving",
    "transforms",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel as pip builds it from this tree, without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    # Built from a copy, as setuptools leaves build/ and *.egg-info in the tree it builds.
    copy = folder / "source"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "outputs"))
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*command, "--wheel-dir", str(folder), str(copy)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built)


def _packages_on_disk() -> set[str]:
    found = set()
    for top in TOP_LEVEL:
        for init in (ROOT / top).rglob("__init__.py"):
            found.add(".".join(init.parent.relative_to(ROOT).parts))
    return found


def _shipped(wheel: zipfile.ZipFile) -> set[str]:
    return {name for name in wheel.namelist() if ".dist-info/" not in name}


def test_ships_the_product_packages_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    assert {name.split("/")[0] for name in _shipped(wheel)} == TOP_LEVEL


def test_ships_every_package_on_disk(wheel: zipfile.ZipFile) -> None:
    shipped = {".".join(name.split("/")[:-1]) for name in _shipped(wheel) if name.endswith("/__init__.py")}

    assert shipped == _packages_on_disk(), "setup.py's PACKAGES is not what is on disk"


def test_ships_every_module_on_disk(wheel: zipfile.ZipFile) -> None:
    on_disk = {path.relative_to(ROOT).as_posix() for top in TOP_LEVEL for path in (ROOT / top).rglob("*.py")}

    assert {name for name in _shipped(wheel) if name.endswith(".py")} == on_disk


def test_every_folder_with_modules_is_a_package() -> None:
    folders = {path.parent for top in TOP_LEVEL for path in (ROOT / top).rglob("*.py")}

    assert [folder for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


def test_ships_settings_files_and_curated_schemas(wheel: zipfile.ZipFile) -> None:
    configs = ROOT / "configs"
    data = {path.relative_to(ROOT).as_posix() for path in (*configs.glob("*.yaml"), *configs.glob("*.csv"))}
    data |= {path.relative_to(ROOT).as_posix() for path in (ROOT / "schemas").rglob("*.pbtxt")}

    assert {name for name in _shipped(wheel) if not name.endswith(".py")} == data
    assert "configs/taxi.yaml" in data


def _metadata(wheel: zipfile.ZipFile, name: str) -> str:
    (path,) = (entry for entry in wheel.namelist() if entry.endswith(f".dist-info/{name}"))
    return wheel.read(path).decode()


def test_states_the_one_version(wheel: zipfile.ZipFile) -> None:
    assert email.message_from_string(_metadata(wheel, "METADATA"))["Version"] == VERSION


def test_installs_the_command(wheel: zipfile.ZipFile) -> None:
    scripts = configparser.ConfigParser()
    scripts.read_string(_metadata(wheel, "entry_points.txt"))

    assert dict(scripts["console_scripts"]) == {"scalable-tf": "runners.cli:main"}


def test_installs_the_pytest_plugin_and_does_not_require_pytest(wheel: zipfile.ZipFile) -> None:
    plugins = configparser.ConfigParser()
    plugins.read_string(_metadata(wheel, "entry_points.txt"))
    required = email.message_from_string(_metadata(wheel, "METADATA")).get_all("Requires-Dist", [])

    assert dict(plugins["pytest11"]) == {"pipeline_testing.plugin": "pipeline_testing.plugin"}
    assert [line for line in required if line.startswith("pytest")] == ['pytest>=8; extra == "test"']


def test_requires_the_tfx_of_each_stack(wheel: zipfile.ZipFile) -> None:
    required = email.message_from_string(_metadata(wheel, "METADATA")).get_all("Requires-Dist", [])

    assert [line for line in required if line.startswith("tfx")] == [
        'tfx[kfp]==1.16.0; python_version < "3.11"',
        'tfx==1.21.0; python_version >= "3.11"',
    ]


def test_setup_imports_nothing_heavy() -> None:
    code = """
import runpy, sys
sys.argv = ["setup.py", "--version"]
runpy.run_path("setup.py")
print(sorted({"apache_beam", "configs", "pydantic", "schemas", "tensorflow", "tfx"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == [VERSION, "[]"]
