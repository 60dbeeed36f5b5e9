"""Loading and unloading the versions of models."""

from __future__ import annotations

import gc
import logging
import threading
from pathlib import Path

from serving.server.batching import BatchingOptions
from serving.server.model_versions import AVAILABLE, LoadedVersion, ModelVersions, files_of
from serving.server.run_metrics import RunMetrics
from serving.server.servable import Servable
from serving.server.version_policy import version_directories
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
        self._closed_some = False

    def converge(self, model: ModelVersions, *, retry: bool = False) -> None:
        """Has those versions of a model loaded that its folder and its config ask for.

        Args:
            model: one of the models.
            retry: whether what failed is tried again before its time.
        """
        config = model.config
        try:
            there = version_directories(config.base_path)
        except OSError as error:
            # A file system that is away for a moment takes no model down.
            if model.listed:
                _LOG.warning("The versions of model %s cannot be listed: %s", config.name, error)
            model.listed = False
            return
        model.listed = True
        candidates, count = config.policy.candidates(there), config.policy.count(there)
        with self._lock:
            for version in candidates[:count]:
                model.versions.setdefault(version, LoadedVersion(there[version]))
        chosen: list[int] = []
        for version in candidates:
            if len(chosen) == count or self._ended.is_set():
                break
            if self._ensure(model, version, there[version], retry=retry):
                chosen.append(version)
        if self._ended.is_set():
            return
        with self._lock:
            rest = [version for version in model.available() if version not in chosen]
            # In the place of those that could not be loaded, others stay that could.
            unwanted = rest[count - len(chosen) :]
            for version, one in list(model.versions.items()):
                if version not in there and one.state == "END" and one.delay:
                    del model.versions[version]
        for version in unwanted:
            self._unload(model, version)
        with self._lock:
            ended = sorted(version for version, one in model.versions.items() if one.state == "END")
            for version in ended[:-_KEPT_ENDED]:
                del model.versions[version]

    def _ensure(self, model: ModelVersions, version: int, path: Path, *, retry: bool) -> bool:
        """Whether a version is available, after an attempt to load it if need be."""
        with self._lock:
            before = model.versions.get(version)
        serving = before is not None and before.state == AVAILABLE
        if before is not None and serving and before.path == path:
            with self._lock:
                before.moved, before.error_code, before.error_message = None, "OK", ""
            return True
        tried = before.moved if before is not None and serving else before
        if tried is not None and tried.path == path and tried.waits() and not retry:
            return serving
        return self._load(model, version, path, before, tried)

    def _load(
        self, model: ModelVersions, version: int, path: Path, before: LoadedVersion | None, tried: LoadedVersion | None
    ) -> bool:
        name = model.config.name
        fresh = LoadedVersion(path, "LOADING", files=files_of(path))
        serving = before is not None and before.state == AVAILABLE
        if not serving:
            with self._lock:
                model.versions[version] = fresh
        try:
            servable = Servable(name, version, path, self._batching, self._runs)
            try:
                warm_up(servable, path)
            except BaseException:
                servable.close()
                raise
        except Exception as error:
            if tried is None or tried.files != fresh.files:
                _LOG.warning("Version %d of model %s cannot be loaded from %s: %s", version, name, path, error)
            with self._lock:
                fresh.fail(error, tried)
                if before is not None and serving:
                    # Its folder has moved: what is loaded goes on, and that is told.
                    before.moved, before.error_code, before.error_message = fresh, fresh.error_code, fresh.error_message
            return serving
        with self._lock:
            fresh.servable, fresh.state = servable, AVAILABLE
            model.versions[version] = fresh
            model.served = True
        _LOG.info("Version %d of model %s is served from %s.", version, name, path)
        if before is not None and serving:
            self._retire(before)
        return True

    def _unload(self, model: ModelVersions, version: int) -> None:
        _LOG.info("Version %d of model %s is unloaded.", version, model.config.name)
        self._retire(model.versions[version])

    def unload_all(self, model: ModelVersions) -> None:
        """Offers no version of a model any more."""
        for version in model.available():
            self._unload(model, version)

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
        with self._lock:
            one.state = "END"
            self._closed_some = True

    def collect(self) -> None:
        """Graphs refer to themselves: without this, their memory would wait for the garbage collector."""
        with self._lock:
            some, self._closed_some = self._closed_some, False
        if some:
            gc.collect()
