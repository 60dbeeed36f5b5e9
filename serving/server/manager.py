"""The models that are served: which versions are loaded, and who uses them."""

from __future__ import annotations

from contextlib import AbstractContextManager

from serving.server.servable import Servable
from serving.server.version_state import VersionState


class ModelManager:
    """Loads the versions of some models that are wanted, and keeps each as long as a request uses it."""

    def lease(self, name: str, version: int | None = None, label: str | None = None) -> AbstractContextManager[Servable]:
        """A loaded version, which stays loaded until the end of the `with`.

        Args:
            name: of the model.
            version: its number; default: the newest that is available.
            label: of the version, instead of its number.

        Raises:
            RequestError: NOT_FOUND "Servable not found for request: Latest(x)" or "Specific(x, n)"; INVALID_ARGUMENT
                for a label that there is not.
        """
        raise NotImplementedError

    def states(self, name: str, version: int | None = None, label: str | None = None) -> list[VersionState]:
        """States of a model's versions, the newest first.

        Raises:
            RequestError: NOT_FOUND: there is no such model or version; INVALID_ARGUMENT: no such label.
        """
        raise NotImplementedError

    def names(self) -> list[str]:
        """The models that are configured."""
        raise NotImplementedError

    def ready(self) -> bool:
        """Whether every model that is configured has been available at least once."""
        raise NotImplementedError
