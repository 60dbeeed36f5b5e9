"""Errors as a test wants to meet them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from schemas.errors import ScalableTFError


@contextlib.contextmanager
def as_raised() -> Iterator[None]:
    """A user's mistake keeps its class also where a framework has wrapped it, as it does at the command line."""
    try:
        yield
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, ScalableTFError):
            cause = cause.__cause__ or cause.__context__
        if cause is None or cause is error:
            raise
        raise cause from error
