"""The models that are served: which versions are loaded, and who uses them.

One thread looks at the folders, loads and unloads. Requests take a lock only to find a version and to count themselves;
whatever takes time is done outside of it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path

import grpc

from schemas.errors import ReleaseError
from serving.server.batching import BatchingOptions
from serving.server.canary_traffic import CanaryTraffic
from serving.server.lease import Lease
from serving.server.model_config import ModelConfig
from serving.server.model_folder import look_at_all, model_folder
from serving.server.model_versions import LoadedVersion, ModelVersions
from serving.server.reload_failure import reload_failure
from serving.server.request_error import RequestError, invalid, not_found
from serving.server.run_metrics import RunMetrics
from serving.server.servable import Servable
from serving.server.version_choice import choose_version
from serving.server.version_labels import assign_labels, check_labels, labelled, take_labels, unassignable
from serving.server.version_loader import VersionLoader
from serving.server.version_state import VersionState

_LOG = logging.getLogger(__name__)
_LONGEST_END = 10.0  # seconds
_MOST_DROPPED = 100  # models that are no longer listed, and whose versions are told as ended


class ModelManager:
    """Loads the versions of some models that are wanted, and keeps each as long as a request uses it.

    Args:
        configs: the models.
        poll_seconds: how often their folders are looked at; 0 for only once.
        batching: how requests are combined; default: not at all.

    Attributes:
        batches: whether they are: `Servable.answer` may be used.
        runs: the models' computations.
    """

    def __init__(
        self, configs: Iterable[ModelConfig], poll_seconds: float = 1.0, batching: BatchingOptions | None = None
    ) -> None:
        self.batches = batching is not None
        self.runs = RunMetrics()
        self._poll_seconds = poll_seconds
        self._lock = threading.Lock()  # for what requests read: short
        self._changing = threading.Lock()  # held by who loads and unloads
        self._models = {config.name: ModelVersions(config) for config in configs}
        self._dropped: dict[str, ModelVersions] = {}  # by reloads, for GetModelStatus
        self._loaded = threading.Event()
        self._ended = threading.Event()
        self._loader = VersionLoader(self._lock, self._ended, batching, self.runs)
        self._thread = threading.Thread(target=self._poll_on, name="model-manager", daemon=True)

    def start(self) -> None:
        """Begins to load, in a thread of its own."""
        self._thread.start()

    def wait_until_loaded(self, seconds: float) -> bool:
        """Waits until every model has been tried once; whether that was so in time."""
        return self._loaded.wait(seconds)

    def close(self) -> bool:
        """Stops looking, and unloads what no request uses; the rest goes with the last one.

        Returns:
            Whether all is unloaded: not while a request runs, or a model is being loaded, which nothing can stop.
        """
        self._ended.set()
        if not self._changing.acquire(timeout=_LONGEST_END):
            self._loader.end()
            return False
        try:
            with self._lock:
                models, self._models = self._models, {}
            for model in models.values():
                self._loader.unload_all(model)
            self._loader.end()
        finally:
            self._changing.release()
        if self._thread.is_alive():
            self._thread.join()
        return all(one.servable is None for model in models.values() for one in model.versions.values())

    def lease(
        self, name: str, version: int | None = None, label: str | None = None, *, predicts: bool = False
    ) -> AbstractContextManager[Servable]:
        """A loaded version, which stays loaded until the end of the `with`.

        Args:
            name: of the model.
            version: its number; default: the newest that is available.
            label: of the version, instead of its number.
            predicts: it is asked for predictions: while a canary is tried, which gets its part of the requests for
                `stable` and of those that name neither label nor version, what becomes of them is counted.

        Raises:
            RequestError: NOT_FOUND "Servable not found for request: Latest(x)" or "Specific(x, n)"; INVALID_ARGUMENT
                for a label that there is not.
        """
        return Lease(lambda: self._acquire(name, version, label, predicts), self._release)

    def states(self, name: str, version: int | None = None, label: str | None = None) -> list[VersionState]:
        """States of a model's versions, the newest first.

        Raises:
            RequestError: NOT_FOUND: there is no such model or version; INVALID_ARGUMENT: no such label.
        """
        with self._lock:
            model = self._models.get(name) or self._dropped.get(name)
            found = model.states() if model else []
            if label is not None and model:
                version = labelled(model, label)
        if version is not None:
            found = [one for one in found if one.version == version]
            if not found:
                raise not_found(f"Could not find version {version} of model {name}")
        if not found:
            raise not_found(f"Could not find any versions of model {name}")
        return found

    def canaries(self) -> dict[str, CanaryTraffic]:
        """The models of which a canary is tried."""
        with self._lock:
            found = {name: model.canary_traffic() for name, model in self._models.items()}
        return {name: traffic for name, traffic in found.items() if traffic is not None}

    def names(self) -> list[str]:
        """The models that are configured."""
        with self._lock:
            return list(self._models)

    def ready(self) -> bool:
        """Whether every model that is configured has been available at least once."""
        with self._lock:
            return self._loaded.is_set() and all(model.served for model in self._models.values())

    def reload(self, configs: Iterable[ModelConfig], *, labels_wait: bool = False) -> None:
        """Serves exactly these models from now on; returns when they are loaded and the others are not offered.

        Args:
            configs: of the models.
            labels_wait: a label of a version that is not loaded waits for it, as at the start.

        Raises:
            RequestError: INVALID_ARGUMENT: a folder is not there, and nothing has changed; UNKNOWN: a model that was
                not listed before has no version that could be loaded, the rest is as it should be, and it is tried
                again; FAILED_PRECONDITION: a label of a version that is not loaded: the labels stay as they were.
        """
        configs = tuple(configs)
        folders = [model_folder(config) for config in configs]
        look_at_all(folders)
        for config, folder in zip(configs, folders, strict=True):
            if (trouble := folder.trouble()) is not None:
                why = "" if isinstance(config.base_path, Path) else f": {trouble}"
                raise invalid(f"Could not find base path {config.base_path} for servable {config.name}{why}")
        with self._changing:
            self._reload(configs, labels_wait)

    def _reload(self, configs: tuple[ModelConfig, ...], labels_wait: bool) -> None:
        with self._lock:
            if not labels_wait:
                check_labels(configs, self._models)
            before = self._models
            fresh = {config.name: before.get(config.name) or ModelVersions(config) for config in configs}
            for config in configs:
                fresh[config.name].configure(config)
            dropped = {name: model for name, model in before.items() if name not in fresh}
            # The dropped ones serve until the new ones do.
            self._models = before | fresh
        look_at_all(model.folder for model in fresh.values())
        for model in fresh.values():
            # Before its versions are loaded and labelled: a canary gets its part from its first request on.
            self._read_split(model)
            self._loader.converge(model, retry=True)
        with self._lock:
            self._models = fresh
            kept = {name: model for name, model in self._dropped.items() if name not in fresh} | dropped
            self._dropped = dict([*kept.items()][-_MOST_DROPPED:])
        for model in dropped.values():
            self._loader.unload_all(model)
        self._loader.collect()
        if labels_wait:
            with self._lock:
                for model in fresh.values():
                    take_labels(model)
            self._tell_missing_labels()
        failures = [
            failure for name, model in fresh.items() if (failure := reload_failure(model, new=name not in before))
        ]
        if failures:
            told = "".join(f"{failure}, " for failure in failures)
            raise RequestError(
                grpc.StatusCode.UNKNOWN, f"{len(failures)} model(s) did not become available: {{{told}}}"
            )
        if not labels_wait:
            with self._lock:
                assign_labels(fresh.values())

    def _poll_on(self) -> None:
        while True:
            try:
                self.poll()
                if not self._loaded.is_set():
                    self._tell_missing_labels()
            except Exception:  # the thread must live on, whatever it was
                _LOG.exception("Looking for versions of models failed.")
            self._loaded.set()
            if self._ended.wait(self._poll_seconds or None):
                return

    def _tell_missing_labels(self) -> None:
        with self._lock:
            missing = {name: unassignable(model) for name, model in self._models.items()}
        for name, labels in missing.items():
            for label, version in labels.items():
                _LOG.warning("Label %s of model %s waits for version %d to be loaded.", label, name, version)

    def poll(self) -> None:
        """Looks at the models' folders once, loads what is wanted and then unloads what is not."""
        with self._changing:
            models = list(self._models.values())
            look_at_all(model.folder for model in models)
            for model in models:
                if self._ended.is_set():
                    return
                self._read_split(model)
                self._loader.converge(model)
                with self._lock:
                    take_labels(model)
            self._loader.collect()

    def _read_split(self, model: ModelVersions) -> None:
        try:
            model.read_split()
            model.split_error = ""
        except ReleaseError as error:
            if model.split_error != str(error):  # and not at every poll
                _LOG.warning("%s", error)
            model.split_error = str(error)

    def _acquire(
        self, name: str, version: int | None, label: str | None, predicts: bool
    ) -> tuple[LoadedVersion, CanaryTraffic | None]:
        with self._lock:
            found, traffic = choose_version(self._models.get(name), name, version, label, predicts=predicts)
            found.leases += 1
            return found, traffic

    def _release(self, one: LoadedVersion) -> None:
        with self._lock:
            one.leases -= 1
            unused = one.retired and one.leases == 0
        if unused and _on_event_loop():
            # It takes a while, in which nothing else of the loop would be answered.
            try:
                threading.Thread(target=self._loader.close, args=(one,), name="unload").start()
            except RuntimeError:  # there is none
                self._loader.close(one)
        elif unused:
            self._loader.close(one)


def _on_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
