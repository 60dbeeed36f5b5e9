"""Fingerprints of settings and of code, so that a cache notices when either changes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from configs.modules import source_locations
from configs.settings import Settings

_WITHOUT_EFFECT: Mapping[str, Any] = {
    **dict.fromkeys(("output_dir", "logging", "runner", "engine", "kubeflow", "schedule", "metadata"), True),
    **dict.fromkeys(("smoke_check", "push", "purpose", "inference"), True),
    "validation": {"samples"},
    "training": {"tensorboard"},
}
"""What says where and how a run goes, what it shows, where its model is put and what is done with it, but not which
model comes out of it."""
_COMPARISONS = ("drift", "skew", "serving_path")


def settings_fingerprint(settings: Settings) -> str:
    """SHA-256, in hex, of what the settings say about the result of a run.

    Leaves out output_dir, logging, runner, engine, kubeflow, schedule, metadata, smoke_check, push, purpose, inference,
    validation.samples and training.tensorboard, and with them all secrets. Equal settings have equal fingerprints, in
    every process and however they were written: the input is JSON with sorted keys and every default.
    """
    content = settings.model_dump(mode="json", by_alias=True, exclude=_WITHOUT_EFFECT)
    # What is not asked for leaves no trace: settings that know nothing of it keep their fingerprint.
    if not settings.window.is_used:
        del content["window"]
    validation = content["validation"]
    for name in _COMPARISONS:
        if not validation[name]:
            del validation[name]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def code_fingerprint(modules: Iterable[str]) -> str:
    """SHA-256, in hex, of the source of the named modules and packages, which are not imported.

    Of a package, every .py file below its folder counts, by its relative name and its content; times, folders named
    __pycache__ or with a leading dot, and where the package is installed do not.

    Args:
        modules: names of modules or packages; a dotted one is taken alone, not the whole package that it is in. Their
            order and repetition do not matter.

    Raises:
        SettingsError: there is no such module, or it has no file.
    """
    digest = hashlib.sha256()
    for name in sorted(set(modules)):
        for relative, file in sorted(found for location in source_locations(name) for found in _sources(location)):
            with open(file, "rb") as source:
                content = hashlib.sha256(source.read()).hexdigest()
            digest.update(json.dumps([name, relative, content]).encode() + b"\n")
    return digest.hexdigest()


def _sources(location: Path) -> Iterator[tuple[str, str]]:
    """Relative name and path of each: text, as every start of a pipeline asks for thousands."""
    if not location.is_dir():
        yield location.name, str(location)
        return
    start = len(str(location)) + 1
    for folder, folders, files in os.walk(location):
        folders[:] = [inner for inner in folders if inner != "__pycache__" and not inner.startswith(".")]
        for file in files:
            if file.endswith(".py"):
                path = f"{folder}/{file}"
                yield path[start:], path
