"""The use of a version by one request."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType

from serving.server.canary_traffic import CanaryTraffic, WatchedServable
from serving.server.model_versions import LoadedVersion
from serving.server.servable import Servable


class Lease(AbstractContextManager[Servable]):
    """Takes a version at the beginning of the `with`, and gives it back at its end.

    Args:
        acquire: takes it, so that it stays loaded; with it comes the traffic that this request is a part of, if what
            becomes of it is counted.
        release: gives it back.
    """

    def __init__(
        self,
        acquire: Callable[[], tuple[LoadedVersion, CanaryTraffic | None]],
        release: Callable[[LoadedVersion], None],
    ) -> None:
        self._acquire, self._release = acquire, release
        self._watched: WatchedServable | None = None

    def __enter__(self) -> Servable:
        self._held, traffic = self._acquire()
        if self._held.servable is None:
            raise RuntimeError("A version is available and not loaded.")
        if traffic is None:
            return self._held.servable
        self._watched = WatchedServable(self._held.servable, traffic)
        return self._watched

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._release(self._held)
        if self._watched is not None:
            self._watched.ended(error)
