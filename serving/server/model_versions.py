"""The versions of one model: which are loaded, which could not be, and who uses them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import grpc
import tensorflow as tf

from schemas.errors import ScalableTFError
from serving.audit_log import STABLE
from serving.server.canary_traffic import CanaryTraffic
from serving.server.model_config import ModelConfig
from serving.server.model_folder import Files, ModelFolder, Place, model_folder
from serving.server.request_error import RequestError
from serving.server.servable import Servable
from serving.server.version_copies import VersionCopy
from serving.server.version_state import VersionState

AVAILABLE = "AVAILABLE"

_FIRST_DELAY = 1.0
_LONGEST_DELAY = 60.0


@dataclass(eq=False)
class LoadedVersion:
    """One version, from when it is wanted until nobody uses it any more.

    Attributes:
        path: folder of the SavedModel.
        state: as TensorFlow Serving names it.
        servable: the model, while it is loaded.
        leases: how many requests use it.
        retired: no further request gets it; it is closed when the last one ends.
        error_code: gRPC's name of what went wrong.
        error_message: what went wrong.
        files: what was there when that happened: with other files it is tried again at once.
        retry_at: when it is tried again with the same files, of `time.monotonic()`.
        delay: how long that was, in seconds.
        moved: while it is served, the attempt that failed to load it from the folder where it is now.
        copy: of one in a bucket: from where it is loaded, or as much of it as there is since that failed.
    """

    path: Place
    state: str = "START"
    servable: Servable | None = None
    leases: int = 0
    retired: bool = False
    error_code: str = "OK"
    error_message: str = ""
    files: Files = ()
    retry_at: float = 0.0
    delay: float = 0.0
    moved: LoadedVersion | None = None
    copy: VersionCopy | None = None

    def fail(self, error: Exception, before: LoadedVersion | None) -> None:
        """It could not be loaded.

        Args:
            error: why.
            before: the last time that it was tried.
        """
        self.state = "END"
        self.error_code, message = _described(error)
        self.error_message = self.in_bucket(message)
        # The same files give the same answer, unless it was memory or the disk: not every second, then.
        again = before is not None and before.files == self.files and before.delay > 0
        self.delay = min(before.delay * 2, _LONGEST_DELAY) if before is not None and again else _FIRST_DELAY
        self.retry_at = time.monotonic() + self.delay

    def waits(self, folder: ModelFolder) -> bool:
        """Whether it failed, and nothing in the model's folder speaks for another try now."""
        if not self.delay or time.monotonic() >= self.retry_at:
            return False
        try:
            return folder.files(self.path) == self.files
        except ScalableTFError:  # a store that does not answer
            return True

    def in_bucket(self, message: str) -> str:
        """A message about the copy, as one about what it is a copy of."""
        return message if self.copy is None else message.replace(str(self.copy.path), str(self.path))

    def drop_copy(self) -> None:
        """Deletes the copy, if there is one."""
        copy, self.copy = self.copy, None
        if copy is not None:
            copy.remove()


@dataclass(eq=False)
class ModelVersions:
    """One model.

    Attributes:
        config: what is wanted of it; changed by `configure`.
        folder: where its versions are.
        versions: by number, also those that are no longer loaded or could not be.
        labels: the versions of labels that requests may use.
        served: whether a version of it has ever been available.
        listed: whether its folder could be read the last time.
        traffic: the split of requests to stable and a canary, as the folder had it the last time.
        split_error: why that could not be read, as it was told.
    """

    config: ModelConfig
    versions: dict[int, LoadedVersion] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    served: bool = False
    listed: bool = True
    traffic: CanaryTraffic | None = None
    split_error: str = ""
    folder: ModelFolder = field(init=False)

    def __post_init__(self) -> None:
        self.folder = model_folder(self.config)

    def configure(self, config: ModelConfig) -> None:
        """Wants something else of it."""
        if config.base_path != self.config.base_path:
            self.folder = model_folder(config)
        self.config = config

    def available(self) -> list[int]:
        """Versions that requests may use, the newest first."""
        return sorted((number for number, one in self.versions.items() if one.state == AVAILABLE), reverse=True)

    def default(self) -> int | None:
        """The version for whoever names neither a label nor a version: the newest, as in TensorFlow Serving.

        Where `release` moves the labels, none that is newer than stable: while a label moves such a version is loaded,
        and is not tried yet, or was rolled back.
        """
        stable = self.labels.get(STABLE) if self.traffic is not None or self.split_error else None
        found: int | None = None  # a loop: every request asks
        for number, one in self.versions.items():
            if one.state == AVAILABLE and (stable is None or number <= stable) and (found is None or number > found):
                found = number
        return found

    def canary_traffic(self) -> CanaryTraffic | None:
        """Of a canary that is tried now, with these labels and versions."""
        found = self.traffic
        return found if found is not None and found.holds(self.labels, self.available()) else None

    def read_split(self) -> None:
        """Reads from the folder which part of the requests goes to a canary; a new split begins to count anew.

        Raises:
            ReleaseError: what is there cannot be read; nothing has changed.
        """
        split = self.folder.split()
        if split is None:
            if self.folder.trouble() is None:  # a file system that is away for a moment ends no canary
                self.traffic = None
        elif self.traffic is None or self.traffic.split != split:
            self.traffic = CanaryTraffic(split)

    def states(self) -> list[VersionState]:
        """Of all versions, the newest first."""
        return [
            VersionState(number, one.state, one.error_code, one.error_message)
            for number, one in sorted(self.versions.items(), reverse=True)
        ]


def _described(error: Exception) -> tuple[str, str]:
    if isinstance(error, RequestError):
        return error.code.name, error.message
    if isinstance(error, ScalableTFError):  # of the store, or of the disk for a copy
        return "UNAVAILABLE", str(error)
    if isinstance(error, tf.errors.OpError):
        codes = {code.value[0]: code.name for code in grpc.StatusCode}
        return codes.get(error.error_code, "UNKNOWN"), str(error.message)
    text = str(error)
    if isinstance(error, OSError):  # TensorFlow's, too, of a SavedModel that is none
        return "DATA_LOSS" if text.startswith("Cannot parse file") else "NOT_FOUND", text
    if isinstance(error, RuntimeError) and "could not be found in SavedModel" in text:  # it has other tags
        return "NOT_FOUND", text
    return "UNKNOWN", f"{type(error).__name__}: {error}"
