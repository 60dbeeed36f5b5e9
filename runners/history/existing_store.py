"""The store for those who only read it: asking about a history does not make one."""

from __future__ import annotations

from tfx.orchestration.metadata import Metadata

from configs.settings import Settings
from runners.metadata.sqlite import SqliteBackend
from runners.metadata.store_backend import store_backend
from runners.metadata_store import metadata_connection
from schemas.errors import RunError


def existing_store(settings: Settings) -> Metadata:
    """The connection to the settings' store.

    Raises:
        SettingsError: the password, or a file that the URL names, cannot be read.
        RunError: it is SQLite, and there is no such file.
    """
    backend = store_backend(settings)
    if isinstance(backend, SqliteBackend) and not backend.path.is_file():
        raise RunError(
            "There is no metadata store, so nothing is known of any run.",
            where=backend.place,
            fix="scalable-tf run -c FILE makes one. If it was moved, put it back or name it in metadata.url.",
        )
    return metadata_connection(settings)
