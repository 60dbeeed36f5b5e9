"""The folder of a model, with a directory for each version: on this machine, or in a bucket."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from tensorflow_serving.config.model_server_config_pb2 import ModelConfig

from schemas.errors import ReleaseError, ScalableTFError
from serving.object_store.bucket_folder import BucketFolder
from serving.object_store.object_store import PARALLEL, File, Listing, ObjectStore, object_store, refusal
from serving.served_models import FILE_NAME as MODELS_FILE
from serving.served_models import config_of, entry_beside, entry_of
from serving.server.model_config import ModelConfig as ServedModel
from serving.server.version_policy import numbered, version_directories
from serving.traffic_split import FILE_NAME as SPLIT_FILE
from serving.traffic_split import TrafficSplit, read_split, split_of

Place = Path | BucketFolder
Files = tuple[tuple[str, int, int | str], ...]
"""Name, size, and time of change or tag of each file: equal as long as nobody writes there."""


class ModelFolder(Protocol):
    """The folder. Only `look` and what is said to ask a store anything."""

    def look(self) -> None:
        """Looks at what is there; what is wrong is for `trouble` to tell."""

    def trouble(self) -> ScalableTFError | None:
        """Why it could not be looked at; None: it is there."""

    def versions(self) -> dict[int, Place]:
        """The directories of the versions, by number.

        Raises:
            OSError: it is not there, or cannot be read.
            ScalableTFError: likewise, in a bucket.
        """

    def holds(self, name: str) -> bool:
        """Whether a folder of that name is in it."""

    def split(self) -> TrafficSplit | None:
        """Which part of the requests goes to a canary; None: there is none, or it is not known now. May ask a store.

        Raises:
            ReleaseError: what is there cannot be read.
        """

    def entry_beside(self, model: str) -> ModelConfig | None:
        """What the models.config beside it says of a model; None: nothing, or there is none. Asks a store.

        Raises:
            ReleaseError: it cannot be read.
        """

    def files(self, version: Place) -> Files:
        """The files of a version. Asks a store.

        Raises:
            ScalableTFError: they cannot be listed in a bucket.
        """


def model_folder(config: ServedModel) -> ModelFolder:
    """The folder of a model, which nobody has looked at yet."""
    place = config.base_path
    return LocalModelFolder(place, config.name) if isinstance(place, Path) else BucketModelFolder(place)


def look_at_all(folders: Iterable[ModelFolder]) -> None:
    """Looks at folders; at those in buckets at the same time, as a store may be slow, or not answer at all."""
    far = [folder for folder in folders if isinstance(folder, BucketModelFolder)]
    if len(far) == 1:
        far[0].look()
    elif far:
        with ThreadPoolExecutor(min(len(far), PARALLEL), thread_name_prefix="bucket") as pool:
            list(pool.map(BucketModelFolder.look, far))


class LocalModelFolder:
    """A folder of this machine, which is looked at when it is asked for something."""

    def __init__(self, path: Path, model: str) -> None:
        self._path = path
        self._model = model

    def look(self) -> None:
        """Nothing is kept of it."""

    def trouble(self) -> ScalableTFError | None:
        """Why it could not be looked at; None: it is there."""
        if self._path.is_dir():
            return None
        return ReleaseError(
            f"The folder of the model {self._model} is not there.",
            where=str(self._path),
            fix="Give the folder that holds a directory for each version, as releases/<name> does.",
        )

    def versions(self) -> dict[int, Place]:
        """The directories of the versions, by number."""
        return {**version_directories(self._path)}

    def holds(self, name: str) -> bool:
        """Whether a folder of that name is in it."""
        return (self._path / name).is_dir()

    def split(self) -> TrafficSplit | None:
        """Which part of the requests goes to a canary; None: there is none."""
        return read_split(self._path)

    def entry_beside(self, model: str) -> ModelConfig | None:
        """What the models.config beside it says of a model."""
        return entry_beside(self._path, model)

    def files(self, version: Place) -> Files:
        """The files of a version."""
        found = []
        for directory, _, names in os.walk(str(version)):
            for name in names:
                path = Path(directory) / name
                try:
                    status = path.stat()
                except OSError:
                    continue  # it is gone, or a link to nothing
                found.append((str(path), status.st_size, status.st_mtime_ns))
        return tuple(sorted(found))


class BucketModelFolder:
    """A folder in a bucket: what is told of it is what was there at the last look, which is one request.

    A prefix of which no object's name begins is an empty folder, as buckets have no others.
    """

    def __init__(self, folder: BucketFolder) -> None:
        self._folder = folder
        self._listing = Listing((), {})
        self._trouble: ScalableTFError | None = None
        self._split: tuple[File, bytes | None] | None = None

    def look(self) -> None:
        """Lists what is there."""
        try:
            self._listing = self._store.look(self._folder)
            self._trouble = None
        except ScalableTFError as error:
            self._trouble = error
        except Exception as error:  # whatever a client's library has: other models are looked at all the same
            what = f"The bucket cannot be listed: {type(error).__name__}."
            self._trouble = refusal(what, str(self._folder), error, "It is tried again at the next poll.")

    def trouble(self) -> ScalableTFError | None:
        """Why it could not be looked at; None: it is there."""
        return self._trouble

    def versions(self) -> dict[int, Place]:
        """The directories of the versions, by number."""
        if self._trouble is not None:
            raise self._trouble
        return {number: self._folder / name for number, name in numbered(self._listing.folders).items()}

    def holds(self, name: str) -> bool:
        """Whether a folder of that name is in it."""
        return name in self._listing.folders

    def split(self) -> TrafficSplit | None:
        """Which part of the requests goes to a canary; asks for it when the listing says that it is another one."""
        file = None if self._trouble is not None else self._listing.files.get(SPLIT_FILE)
        if file is None:
            return None
        if self._split is None or self._split[0] != file:
            self._split = file, self._store.get(self._folder, SPLIT_FILE)
        content = self._split[1]
        return None if content is None else split_of(content, f"{self._folder}/{SPLIT_FILE}")

    def entry_beside(self, model: str) -> ModelConfig | None:
        """What the models.config beside it says of a model; nothing is beside a whole bucket."""
        beside = self._folder.parent
        content = None if beside is None else self._store.get(beside, MODELS_FILE)
        return None if content is None else entry_of(config_of(content, f"{beside}/{MODELS_FILE}"), model)

    def files(self, version: Place) -> Files:
        """The files of a version, by one request for each thousand."""
        if isinstance(version, Path):
            raise TypeError(f"{version} is in no bucket.")
        return self._store.files(version)

    @property
    def _store(self) -> ObjectStore:
        return object_store(self._folder.scheme)
