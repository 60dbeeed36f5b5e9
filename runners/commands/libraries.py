"""How a command imports TensorFlow, TFX and Beam: what is used of them, quietly, and once for all of its processes."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import tempfile
from collections.abc import Iterator

from runners.narrow_imports import narrow_imports


@contextlib.contextmanager
def libraries() -> Iterator[None]:
    """For the imports at a command's start.

    What they make stays until the end: it is taken out of the garbage collector's sight, which would walk through it
    again and again while it grows, in each process that is forked, and at the exit. That is seconds of each.
    """
    narrow_imports()
    gc.disable()
    try:
        with _quiet():
            yield
    finally:
        gc.freeze()
        gc.enable()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps what libraries print while they are imported from the terminal, unless the import fails."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    with tempfile.TemporaryFile() as noise:
        os.dup2(noise.fileno(), 1)
        os.dup2(noise.fileno(), 2)
        try:
            yield
        except BaseException:
            noise.seek(0)
            os.write(kept[1], noise.read())
            raise
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for target, original in enumerate(kept, start=1):
                os.dup2(original, target)
                os.close(original)
