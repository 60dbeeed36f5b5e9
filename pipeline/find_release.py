"""The release that a user means: a version, `latest`, or a version's folder."""

from __future__ import annotations

from pathlib import Path

from configs.settings import Settings
from pipeline.pipeline import root
from schemas.errors import ReleaseError
from serving.releases import ReleaseStore

LATEST = "latest"


def find_release(settings: Settings, name: str) -> Path:
    """The folder of the version.

    Raises:
        ReleaseError: there is no such version.
    """
    store = ReleaseStore(root(settings) / "releases", settings.model_name)
    versions = store.versions()
    if name == LATEST and versions:
        return versions[max(versions)]
    if name.isascii() and name.isdigit():
        if int(name) in versions:
            return versions[int(name)]
    elif name != LATEST and Path(name).is_dir():
        return Path(name).absolute()
    raise ReleaseError(
        "There is no such release.",
        where=str(store.directory),
        received=name,
        fix=f"Versions there: {', '.join(map(str, versions)) or 'none'}. Or give the folder of a version.",
    )
