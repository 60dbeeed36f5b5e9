"""Where the tasks read and write: on volumes that all of them mount, and in a store that all of them reach."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from configs.paths import resolve
from configs.reading.check import environment_fields
from configs.settings import Settings
from configs.store_url import parse_store_url
from runners.kubeflow.checks.image import OURS
from runners.kubeflow.finding import Finding

_NOT_SCRATCH = ("/", "/tmp", "/dev", "/etc", "/home", "/opt", "/proc", "/root", "/sys", "/usr", "/var")
_IN_IMAGE = (*OURS, "tfx")


def output_findings(settings: Settings) -> Iterator[Finding]:
    """output_dir is a folder on a volume."""
    written = settings.output_dir
    if settings.kubeflow.root is not None:
        yield from _scratch(settings, written.removeprefix("file://"))
        return
    remedy = "kubeflow.volumes: [{mount: /mnt/pipelines, claim: CLAIM}], and output_dir below that mount."
    if "://" in written.removeprefix("file://"):
        what = "output_dir must be a folder: nodes write with the file system, and rename what is complete."
        remedy = (
            "kubeflow.root: s3://BUCKET/FOLDER or gs://BUCKET/FOLDER, and for output_dir a folder, /srv/pipelines/NAME."
        )
        yield Finding("error", what, "output_dir", written, remedy)
    elif not os.path.isabs(written.removeprefix("file://")):
        what = "output_dir is relative: in a container it would be a folder that goes with it."
        yield Finding("error", what, "output_dir", written, remedy)
    elif not _on_volume(settings, resolve(written)):
        what = "output_dir is on none of the volumes: each task would have one of its own."
        yield Finding("error", what, "output_dir", written, remedy)


def _scratch(settings: Settings, folder: str) -> Iterator[Finding]:
    remedy = "output_dir: /srv/pipelines/NAME, an empty folder of each task; what is below it is kept at kubeflow.root."
    if "://" in folder or not os.path.isabs(folder) or os.path.normpath(folder) in _NOT_SCRATCH:
        what = "output_dir must be a folder that each task gets empty: kubeflow.root is where its files are kept."
        yield Finding("error", what, "output_dir", folder, remedy)
    elif _on_volume(settings, folder) or any(is_below(each.mount, folder) for each in settings.kubeflow.volumes):
        what = "output_dir is on a volume, and its files are to be at kubeflow.root: only one of them can be."
        yield Finding("error", what, "output_dir", folder, "Leave kubeflow.root out, or put output_dir elsewhere.")


def store_findings(settings: Settings) -> Iterator[Finding]:
    """The metadata store is one that every pod reaches."""
    url = settings.metadata.url
    remedy = (
        "metadata.url: mysql://USER:${PASSWORD}@HOST/DATABASE, postgresql://... or grpc://HOST:PORT; docs/metadata.md."
    )
    store = parse_store_url(url) if url is not None else None
    if store is None or store.scheme == "sqlite":
        what = "The metadata store is an SQLite file, whose locks do not hold on a volume that several machines mount."
        yield Finding("error", what, "metadata.url", str(store or "none: SQLite in output_dir"), remedy)
        return
    if store.host == "localhost" or is_loopback(store.host):
        what = "The metadata store is on this machine; in a pod that address is the pod itself."
        yield Finding("error", what, "metadata.url", str(store), remedy)
    for name, file in store.parameters.items():
        if os.path.isabs(file) and not _on_volume(settings, file):
            what = f"The file of {name} is on none of the volumes."
            yield Finding(
                "error", what, "metadata.url", file, "Put it on a volume of kubeflow.volumes, or into the image."
            )


def path_findings(settings: Settings) -> Iterator[Finding]:
    """Every other path of the settings is one that the pods have."""
    content = settings.model_dump(mode="python", by_alias=True)
    for path in environment_fields():
        where = ".".join(map(str, path))
        value: Any = content
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        is_location = isinstance(value, str) and not hasattr(value, "masked")
        if not is_location or path[0] in ("output_dir", "inference", "kubeflow"):
            continue
        yield from _path(settings, where, value)


def _path(settings: Settings, where: str, value: str) -> Iterator[Finding]:
    package, _, _ = value.removeprefix("package:").partition("/")
    if value.startswith("package:"):
        if package not in _IN_IMAGE:
            remedy = f"Install {package} into the image, with its files; docs/image.md."
            yield Finding("warning", f"The image must have the package {package}.", where, value, remedy)
    elif "://" in value.removeprefix("file://"):
        return
    elif not os.path.isabs(value.removeprefix("file://")):
        what = "The path is relative, to a folder of this machine."
        remedy = "Put it on a volume of kubeflow.volumes, at s3:// or gs://, or in a package: package:NAME/FILE."
        yield Finding("error", what, where, value, remedy)
    elif not _on_volume(settings, resolve(value)):
        what = "The path is on none of the volumes: it is one of this machine."
        remedy = "Put it on a volume of kubeflow.volumes, at s3:// or gs://, or in a package: package:NAME/FILE."
        yield Finding("error", what, where, value, remedy)


def _on_volume(settings: Settings, path: str) -> bool:
    return any(is_below(path, volume.mount) for volume in settings.kubeflow.volumes)


def is_below(path: str, folder: str) -> bool:
    """Whether a path is in a folder, or the folder itself."""
    return Path(os.path.normpath(path)).is_relative_to(os.path.normpath(folder))


def is_loopback(host: str) -> bool:
    """Whether an address is that of the machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
