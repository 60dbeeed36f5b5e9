"""Removes what a plan names, so that a kill at any moment leaves nothing that the cache would take for whole.

First ML Metadata is told that the artifacts are deleted: from then on the cache does not give them out. Then each
folder gets a hidden name, and then its files go. What a killed removal leaves has a hidden name or artifacts marked as
deleted, and the next one takes it up.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ml_metadata.proto import metadata_store_pb2

from runners.cleaning.folders import HIDDEN, TOLD
from runners.cleaning.plan import Plan
from schemas.errors import RunError

_CHUNK = 500
_PARTS = ("artifacts", "logs", "prepared")
"""Nothing but what is below these is ever removed."""


def mark_deleted(store: Any, plan: Plan) -> None:
    """Tells ML Metadata that the plan's artifacts are deleted.

    Args:
        store: an `ml_metadata.MetadataStore`.
        plan: names them.
    """
    ids = sorted({one for folder in plan.remove for one in folder.artifacts} | set(plan.forget))
    for start in range(0, len(ids), _CHUNK):
        artifacts = store.get_artifacts_by_id(ids[start : start + _CHUNK])
        for artifact in artifacts:
            artifact.state = metadata_store_pb2.Artifact.DELETED
        store.put_artifacts(artifacts)


def remove_folders(output_dir: Path, folders: Iterable[str]) -> None:
    """Removes folders, after `mark_deleted`.

    Args:
        output_dir: absolute.
        folders: below its artifacts, logs or prepared, and notes, which are files. A symbolic link in them is removed,
            not what it leads to.

    Raises:
        RunError: one cannot be removed.
    """
    for folder in map(Path, folders):
        if folder.relative_to(output_dir).parts[0] not in _PARTS or ".." in folder.parts:
            raise ValueError(f"not below {', '.join(_PARTS)} of {output_dir}: {folder}")
        try:
            if folder.name.startswith(TOLD):
                folder.unlink()
                continue
            hidden = folder
            if not folder.name.startswith(HIDDEN):
                hidden = folder.with_name(f"{HIDDEN}{secrets.token_hex(8)}")
                folder.rename(hidden)
            shutil.rmtree(hidden)
        except OSError as error:
            raise RunError(
                "A folder cannot be removed.",
                where=str(error.filename or folder),
                received=error.strerror or error,
                fix="Check who owns it, and clean again: what is marked as deleted is taken up then.",
            ) from error
