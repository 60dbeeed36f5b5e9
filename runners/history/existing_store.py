"""The store for those who only read it: asking about a history does not make one."""

from __future__ import annotations

from pathlib import Path

from tfx.orchestration.metadata import Metadata

from configs.settings import Settings
from pipeline.pipeline import root
from runners.metadata_store import metadata_connection
from schemas.errors import RunError

_SQLITE = "sqlite:///"


def existing_store(settings: Settings) -> Metadata:
    """The connection to the settings' store.

    Raises:
        RunError: it is SQLite, and there is no such file.
    """
    url = settings.metadata.url or f"{_SQLITE}{root(settings)}/metadata/metadata.sqlite"
    if url.startswith(_SQLITE) and not Path(url.removeprefix(_SQLITE)).is_file():
        raise RunError(
            "There is no metadata store, so nothing is known of any run.",
            where=url.removeprefix(_SQLITE),
            fix="scalable-tf run -c FILE makes one. If it was moved, put it back or name it in metadata.url.",
        )
    return metadata_connection(settings)
