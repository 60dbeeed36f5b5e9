from __future__ import annotations

import os
import signal

import pytest

from distribution.launchers.signals import signals_raise


def test_a_signal_that_would_kill_raises() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with pytest.raises(SystemExit) as raised, signals_raise():
            os.kill(os.getpid(), signal.SIGTERM)

        assert raised.value.code == 143
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_signal_that_is_handled_already_keeps_its_handler() -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: seen.append(number))
    try:
        with signals_raise():
            os.kill(os.getpid(), signal.SIGTERM)

        assert seen == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)
