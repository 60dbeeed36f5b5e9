"""The wish of the machine, or of whoever runs it, that a training ends soon."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Preempted(BaseException):
    """A training has saved its state and stopped, because it was asked to end.

    Like KeyboardInterrupt it is no Exception: nothing but the process edge may take it for an error to be handled.

    Args:
        step: steps that were made and saved.
    """

    def __init__(self, step: int) -> None:
        super().__init__(f"the training was asked to end, and saved its state at step {step}")
        self.step = step


class Preemption:
    """Whether SIGTERM has come; meanwhile it does not end the process.

    Attributes:
        is_wanted: the signal has come.
    """

    def __init__(self) -> None:
        self.is_wanted = False

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Takes SIGTERM for the wish to end; elsewhere than in the main thread, where Python delivers it, nothing."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def wanted(number: int, frame: FrameType | None) -> None:
            self.is_wanted = True

        before = signal.signal(signal.SIGTERM, wanted)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, before)
