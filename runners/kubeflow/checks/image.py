"""The image of the tasks, and what must be in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import util

from configs.settings import Settings
from runners.kubeflow.finding import Finding

OURS = ("components", "configs", "distribution", "models", "pipeline", "runners", "schemas", "serving", "transforms")
"""Packages of this project, which every image has."""
_DIGEST = re.compile(r"[^@\s]+@sha256:[0-9a-f]{64}")


def image_findings(settings: Settings) -> Iterator[Finding]:
    """The image: there, and the same one for every task of every run."""
    image = settings.kubeflow.image
    remedy = "kubeflow.image: NAME@sha256:DIGEST, as the registry shows it after a push; docs/image.md."
    if image is None:
        yield Finding("error", "There is no image for the tasks.", "kubeflow.image", "", remedy)
        return
    if _DIGEST.fullmatch(image):
        return
    tag = image.rpartition("/")[2].partition("@")[0].partition(":")[2]
    if "@" in image:
        yield Finding("error", "This is no digest of an image.", "kubeflow.image", image, remedy)
    elif tag in ("", "latest"):
        what = "The image has no fixed tag: tasks of one run could be of different images."
        yield Finding("error", what, "kubeflow.image", image, remedy)
    else:
        what = "The image is named by a tag, which can be moved: a run might not be what was tested."
        yield Finding("warning", what, "kubeflow.image", image, remedy)


def function_findings(settings: Settings) -> Iterator[Finding]:
    """The user's functions: in the image, where this machine cannot look."""
    functions = {
        "data.prepare": settings.data.prepare,
        "transform.preprocessing_fn": settings.transform.preprocessing_fn,
        "model.run_fn": settings.model.run_fn,
    }
    for where, function in functions.items():
        top = (function or "").partition(".")[0]
        if not top or top in OURS:
            continue
        spec = util.find_spec(top)
        origin = spec.origin if spec is not None and spec.origin else None
        if origin is None or "site-packages" not in origin:
            remedy = f"Install {top} into the image, as a package; docs/image.md."
            what = "The function is not of an installed package, so the image may lack it."
            yield Finding("warning", what, where, f"{function}, in {origin or 'no file'}", remedy)
