"""TFX's handler of resolvers, which passes a user's mistake on."""

from __future__ import annotations

import sys
from typing import Any

from tfx.orchestration.portable.resolver_node_handler import ResolverNodeHandler

from schemas.errors import ScalableTFError


class ResolverHandler(ResolverNodeHandler):
    """Records a failed execution as TFX's, and then raises what the strategy raised, where that tells what to do.

    TFX's handler keeps every error for itself, and leaves its traceback in ML Metadata.
    """

    _mistake: ScalableTFError | None = None

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """As in TFX.

        Raises:
            ScalableTFError: as the strategy raised it.
        """
        done = super().run(*args, **kwargs)
        if self._mistake is not None:
            raise self._mistake
        return done

    def _build_error_output(self, *args: Any, **kwargs: Any) -> Any:
        """TFX calls this while it handles the error."""
        error = sys.exc_info()[1]
        while error is not None and self._mistake is None:
            if isinstance(error, ScalableTFError):
                self._mistake = error
            error = error.__cause__
        return super()._build_error_output(*args, **kwargs)
