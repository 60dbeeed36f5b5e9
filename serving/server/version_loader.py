"""Loading and unloading the versions of models."""

from __future__ import annotations

import gc
import logging
import threading
from pathlib import Path

from schemas.errors import ScalableTFError
from serving.object_store.object_store import File
from serving.server.batching import BatchingOptions
from serving.server.model_folder import Place
from serving.server.model_versions import AVAILABLE, LoadedVersion, ModelVersions
from serving.server.run_metrics import RunMetrics
from serving.server.servable import Servable
from serving.server.version_copies import VersionCopies
from serving.server.warmup import warm_up

_LOG = logging.getLogger(__name__)
_KEPT_ENDED = 32  # versions that are no longer loaded, of each model, for GetModelStatus


class VersionLoader:
    """Loads what is wanted, and then unloads what is not. One thread at a time loads; requests go on meanwhile.

    Args:
        lock: for what requests read.
        ended: when it is set, nothing more is loaded.
        batching: how requests are combined; default: not at all.
        runs: where the versions' computations are counted.
    """

    def __init__(
        self, lock: threading.Lock, ended: threading.Event, batching: BatchingOptions | None, runs: RunMetrics
    ) -> None:
        self._lock = lock
        self._ended = ended
        self._batching = batching
        self._runs = runs
        self._copies = VersionCopies(ended)
        self._closed_some = False

    def converge(self, model: ModelVersions, *, retry: bool = False) -> None:
        """Has those versions of a model loaded that its folder, as it was at the last look, and its config ask for.

        Args:
            model: one of the models.
            retry: whether what failed is tried again before its time.
        """
        config = model.config
        try:
            there = model.folder.versions()
        except (OSError, ScalableTFError) as error:
            # A file system that is away for a moment takes no model down.
            if model.listed:
                _LOG.warning("The versions of model %s cannot be listed: %s", config.name, error)
            model.listed = False
            return
        if not model.listed:
            _LOG.info("The versions of model %s can be listed again.", config.name)
        model.listed = True
        candidates, count = config.policy.candidates(there), config.policy.count(there)
        with self._lock:
            for version in candidates[:count]:
                model.versions.setdefault(version, LoadedVersion(there[version]))
        chosen: list[int] = []
        tried: set[int] = set()
        for version in candidates:
            if len(chosen) == count or self._ended.is_set():
                break
            tried.add(version)
            if self._ensure(model, version, there[version], retry=retry):
                chosen.append(version)
        if self._ended.is_set():
            return
        with self._lock:
            rest = [version for version in model.available() if version not in chosen]
            # In the place of those that could not be loaded, others stay that could.
            unwanted = rest[count - len(chosen) :]
            forsaken = [one for version, one in model.versions.items() if one.state == "END" and version not in tried]
            for version, one in list(model.versions.items()):
                if version not in there and one.state == "END" and one.delay:
                    del model.versions[version]
        for one in forsaken:
            one.drop_copy()
        for version in unwanted:
            self._unload(model, version)
        with self._lock:
            # Not those that are tried again: they would be new ones then, without their time to wait and their copies.
            ended = {version for version, one in model.versions.items() if one.state == "END"}
            for version in sorted(ended - tried)[:-_KEPT_ENDED]:
                del model.versions[version]

    def _ensure(self, model: ModelVersions, version: int, path: Place, *, retry: bool) -> bool:
        """Whether a version is available, after an attempt to load it if need be."""
        with self._lock:
            before = model.versions.get(version)
        serving = before is not None and before.state == AVAILABLE
        if before is not None and serving and before.path == path:
            with self._lock:
                before.moved, before.error_code, before.error_message = None, "OK", ""
            return True
        tried = before.moved if before is not None and serving else before
        if tried is not None and tried.path == path and not retry and tried.waits(model.folder):
            return serving
        return self._load(model, version, path, before, tried)

    def _load(
        self, model: ModelVersions, version: int, path: Place, before: LoadedVersion | None, tried: LoadedVersion | None
    ) -> bool:
        name = model.config.name
        fresh = LoadedVersion(path, "LOADING")
        if tried is not None and tried.delay and tried.path == path:
            # What was copied is not copied again: a version that is broken is tried again and again.
            fresh.files, fresh.copy, tried.copy = tried.files, tried.copy, None
        elif tried is not None and tried.delay:
            tried.drop_copy()
        serving = before is not None and before.state == AVAILABLE
        if not serving:
            with self._lock:
                model.versions[version] = fresh
        try:
            fresh.files = model.folder.files(path)
            folder = self._on_disk(fresh)
            servable = Servable(name, version, folder, self._batching, self._runs)
            try:
                warm_up(servable, folder)
            except BaseException:
                servable.close()
                raise
        except Exception as error:
            if tried is None or not tried.delay or tried.files != fresh.files:
                text = fresh.in_bucket(str(error))
                _LOG.warning("Version %d of model %s cannot be loaded from %s: %s", version, name, path, text)
            with self._lock:
                fresh.fail(error, tried)
                if before is not None and serving:
                    # Its folder has moved: what is loaded goes on, and that is told.
                    before.moved, before.error_code, before.error_message = fresh, fresh.error_code, fresh.error_message
            if serving:
                fresh.drop_copy()
            return serving
        with self._lock:
            fresh.servable, fresh.state = servable, AVAILABLE
            model.versions[version] = fresh
            model.served = True
        _LOG.info("Version %d of model %s is served from %s.", version, name, path)
        if before is not None and serving:
            self._retire(before)
        return True

    def _on_disk(self, fresh: LoadedVersion) -> Path:
        """The folder from which a version is loaded: what is in a bucket is copied first."""
        if isinstance(fresh.path, Path):
            return fresh.path
        if fresh.copy is None:
            fresh.copy = self._copies.new(fresh.path)
        fresh.copy.bring(fresh.path, [File(name, size, str(tag)) for name, size, tag in fresh.files])
        return fresh.copy.path

    def _unload(self, model: ModelVersions, version: int) -> None:
        _LOG.info("Version %d of model %s is unloaded.", version, model.config.name)
        self._retire(model.versions[version])

    def unload_all(self, model: ModelVersions) -> None:
        """Offers no version of a model any more."""
        for version in model.available():
            self._unload(model, version)
        for one in model.versions.values():
            if one.state == "END":
                one.drop_copy()

    def end(self) -> None:
        """Deletes what is on this machine's disk of versions from buckets."""
        self._copies.close()

    def _retire(self, one: LoadedVersion) -> None:
        with self._lock:
            one.retired, one.state = True, "UNLOADING"
            unused = one.leases == 0
        if unused:
            self.close(one)

    def close(self, one: LoadedVersion) -> None:
        """Frees what nobody uses any more."""
        servable, one.servable = one.servable, None
        if servable is not None:
            servable.close()
        one.drop_copy()
        with self._lock:
            one.state = "END"
            self._closed_some = True

    def collect(self) -> None:
        """Graphs refer to themselves: without this, their memory would wait for the garbage collector."""
        with self._lock:
            some, self._closed_some = self._closed_some, False
        if some:
            gc.collect()
