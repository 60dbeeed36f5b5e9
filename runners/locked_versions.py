"""The versions that this process would import, beside those that were locked."""

from __future__ import annotations

import importlib.metadata
import sys
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

STACKS = {"3.10": "tfx-1.16", "3.11": "tfx-1.21", "3.12": "tfx-1.21", "3.13": "tfx-1.21"}
"""Stack of each Python version."""

LOCKS = Path(__file__).resolve().parents[1] / "requirements"
"""Where a checkout has its locks; a package installed from a wheel has none."""

_SHOWN = {
    "TFX": "tfx",
    "TensorFlow": "tensorflow",
    "TFT": "tensorflow-transform",
    "TFDV": "tensorflow-data-validation",
    "TFMA": "tensorflow-model-analysis",
    "Beam": "apache-beam",
    "tf_keras": "tf-keras",
}


@dataclass(frozen=True)
class Comparison:
    """Installed versions against a lock.

    Attributes:
        summary: the main versions in one line, and what they were compared with.
        differences: one line a package that is missing or of another version.
    """

    summary: str
    differences: tuple[str, ...]


def compare_with_lock(requirements: Path = LOCKS) -> Comparison:
    """Compares with the product's lock of this interpreter's stack.

    Args:
        requirements: folder of the locks; without one, nothing is compared.
    """
    stack = STACKS.get(f"{sys.version_info[0]}.{sys.version_info[1]}")
    lock = requirements / f"{stack}.txt"
    main = ", ".join(f"{name} {_installed(package) or 'missing'}" for name, package in _SHOWN.items())
    if not lock.exists():
        missing = tuple(f"{package} is missing" for package in _SHOWN.values() if _installed(package) is None)
        return Comparison(f"{main}; no lock to compare with", missing)
    locked = _read(lock)
    differences = tuple(
        f"{name} {_installed(name) or 'is missing'} (locked: {version})"
        for name, version in locked.items()
        if _installed(name) != version
    )
    return Comparison(f"{main}; all {len(locked)} as in {lock.name}", differences)


def _read(lock: Path) -> dict[str, str]:
    pins = {}
    for line in lock.read_text(encoding="utf-8").splitlines():
        if line[:1].isalnum():
            requirement = Requirement(line.removesuffix("\\").strip())
            if requirement.marker is None or requirement.marker.evaluate():
                pins[requirement.name] = str(requirement.specifier).removeprefix("==")
    return pins


def _installed(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
