"""Packaging of scalable-tensorflow. The packages are flat on purpose: docs/decisions/0001-flat-packages.md."""

from __future__ import annotations

import re
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).resolve().parent

PACKAGES = [
    "configs",
    "configs.reading",
    "schemas",
    "transforms",
    "models",
    "distribution",
    "distribution.kubernetes",
    "distribution.launchers",
    "distribution.strategies",
    "components",
    "components.anomaly_gate",
    "components.bulk_inferrer",
    "components.evaluator",
    "components.example_gen",
    "components.example_validator",
    "components.examples",
    "components.latest_blessed",
    "components.public_data",
    "components.pusher",
    "components.queries",
    "components.served_model",
    "components.smoke_check",
    "components.span_window",
    "components.statistics_gen",
    "components.trainer",
    "components.transform",
    "pipeline",
    "pipeline_testing",
    "runners",
    "runners.cleaning",
    "runners.commands",
    "runners.commands.kubeflow",
    "runners.history",
    "runners.kubeflow",
    "runners.kubeflow.checks",
    "runners.kubeflow.dry_run",
    "runners.kubeflow.root",
    "runners.kubeflow.service",
    "runners.metadata",
    "runners.schedule",
    "serving",
    "serving.client",
    "serving.grpc_api",
    "serving.object_store",
    "serving.rest",
    "serving.server",
]


def _version() -> str:
    found = re.search(
        r'^VERSION = "([^"]+)"$', (ROOT / "configs" / "version.py").read_text(encoding="utf-8"), re.MULTILINE
    )
    if found is None:
        raise ValueError('configs/version.py must hold one line: VERSION = "X.Y.Z"')
    return found.group(1)


def _requirements(name: str) -> list[str]:
    lines = (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


setup(
    name="scalable-tensorflow",
    version=_version(),
    description="From raw data to an evaluated, versioned model on TensorFlow Serving, with one command.",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8") if (ROOT / "README.md").exists() else "",
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10,<3.14",
    packages=PACKAGES,
    package_dir={"": "."},
    package_data={"configs": ["*.yaml", "*.csv"], "schemas": ["**/*.pbtxt"]},
    install_requires=[
        *_requirements("base.in"),
        *(f'{line}; python_version < "3.11"' for line in _requirements("tfx-1.16.in")),
        *(f'{line}; python_version >= "3.11"' for line in _requirements("tfx-1.21.in")),
    ],
    # pytest itself is no requirement: whoever has it gets the plugin, and this gets it.
    extras_require={"test": ["pytest>=8"]},
    entry_points={
        "console_scripts": ["scalable-tf = runners.cli:main"],
        # Named after its module, so that `pytest_plugins` and `-p` with that name do not load it a second time.
        "pytest11": ["pipeline_testing.plugin = pipeline_testing.plugin"],
    },
)
