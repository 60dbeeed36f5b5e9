from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable

import pytest

from runners.interrupt import SIGNALS, Interrupted, interruptible, uninterrupted
from tests.signal_handler import signal_handler


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_becomes_an_exception_with_the_shells_exit_code(number: signal.Signals, code: int) -> None:
    with signal_handler(number), pytest.raises(Interrupted) as caught, interruptible():
        signal.raise_signal(number)
    assert caught.value.exit_code == code
    assert str(caught.value) == number.name


def test_a_second_signal_does_not_disturb_the_clearing_up() -> None:
    cleared = []

    def work() -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGTERM)
            cleared.append(True)

    with signal_handler(signal.SIGTERM), pytest.raises(Interrupted), interruptible():
        work()
    assert cleared == [True]


def _reached_before_an_interrupt(send: Callable[[], None]) -> list[str]:
    """What is reached where a SIGTERM comes in the middle of what must not be interrupted."""
    reached = []

    def work() -> None:
        with uninterrupted():
            send()
            reached.append("the end")
        reached.append("beyond")

    with signal_handler(signal.SIGTERM), pytest.raises(Interrupted), interruptible():
        work()
    return reached


def test_a_signal_waits_until_what_must_not_be_interrupted_has_ended() -> None:
    assert _reached_before_an_interrupt(lambda: signal.raise_signal(signal.SIGTERM)) == ["the end"]


def test_a_signal_that_another_thread_takes_waits_too() -> None:
    ended = threading.Event()
    other = threading.Thread(target=ended.wait)
    other.start()

    def send() -> None:
        os.kill(os.getpid(), signal.SIGTERM)  # this thread blocks it, so that the kernel picks the other
        time.sleep(0.05)

    try:
        assert _reached_before_an_interrupt(send) == ["the end"]
    finally:
        ended.set()
        other.join()


def test_handlers_are_put_back() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with interruptible(), uninterrupted():
        pass
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_an_ignored_signal_stays_ignored() -> None:
    with signal_handler(signal.SIGHUP, signal.SIG_IGN), interruptible():
        signal.raise_signal(signal.SIGHUP)


def test_other_threads_are_left_alone() -> None:
    entered = []

    def work() -> None:
        with interruptible():
            entered.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert entered == [True]


def test_a_signal_during_a_finalizer_is_not_lost() -> None:
    class Finalized:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGTERM)

    def work() -> None:
        Finalized()
        until = time.monotonic() + 30
        while time.monotonic() < until:
            time.sleep(0.01)

    with signal_handler(signal.SIGTERM), pytest.raises(Interrupted), interruptible():
        work()
