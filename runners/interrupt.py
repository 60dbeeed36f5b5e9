"""Signals that end a run become one exception, so that whatever is running is stopped in order."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType

_ONCE_MORE_SECONDS = 0.01
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """The user, the terminal or the machine wants this process to end.

    Like KeyboardInterrupt it is no Exception: nothing but the process edge may take it for an error to be handled.

    Args:
        number: the signal.

    Attributes:
        run_id: the run that it interrupted; empty when there was none yet.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number
        self.run_id = ""

    @property
    def exit_code(self) -> int:
        """What shells give for a process that this signal ended: 130 for Ctrl-C, 143 for SIGTERM."""
        return 128 + self.number


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Holds the signals back meanwhile; those that came are delivered at its end.

    For the start of a process: between the fork and the place where it is registered, nobody would stop it. Blocking
    them in this thread is for the child, which inherits that. It is not enough for this process: the kernel hands a
    signal to any other thread, and Python then runs its handler here all the same.
    """
    held: list[int] = []

    def deliver() -> None:
        for number in held:
            signal.raise_signal(number)

    with contextlib.ExitStack() as restored:
        if threading.current_thread() is threading.main_thread():
            restored.callback(deliver)
            for number in SIGNALS:
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    before = signal.signal(number, lambda number, frame: held.append(number))
                    restored.callback(signal.signal, number, before)
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        restored.callback(signal.pthread_sigmask, signal.SIG_SETMASK, mask)
        yield


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Raises Interrupted at the first Ctrl-C, SIGTERM or SIGHUP; further ones wait until what it stops has ended.

    A signal that is ignored when this begins, as SIGHUP under nohup, stays ignored. Elsewhere than in the main thread,
    where Python delivers signals, it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    raised = False
    once_more: threading.Timer | None = None
    other_hook = sys.unraisablehook

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal raised
        if not raised:
            raised = True
            raise Interrupted(number)

    def unraisable(lost: sys.UnraisableHookArgs) -> None:
        """A finalizer, which Python runs anywhere, was interrupted, and went on: it would be the last interruption."""
        nonlocal raised, once_more
        if not isinstance(lost.exc_value, Interrupted):
            other_hook(lost)
            return
        raised = False
        # Not here, where it would be lost as well.
        once_more = threading.Timer(_ONCE_MORE_SECONDS, os.kill, (os.getpid(), lost.exc_value.number))
        once_more.daemon = True
        once_more.start()

    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        sys.unraisablehook = unraisable
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, interrupt)
        yield
    finally:
        if once_more is not None:
            once_more.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)
        sys.unraisablehook = other_hook
