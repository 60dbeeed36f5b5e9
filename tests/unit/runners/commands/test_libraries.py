from __future__ import annotations

import gc
import os
import sys

import pytest

from runners.commands.libraries import libraries


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))


def test_the_collector_waits_and_does_not_look_at_what_was_made() -> None:
    with libraries():
        assert not gc.isenabled()
        made: list[list[int]] = [[]]
    assert gc.isenabled()
    assert not any(one is made for one in gc.get_objects())


def test_what_is_printed_meanwhile_is_kept_off_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with libraries():
        os.write(1, b"noise")
    assert capfd.readouterr() == ("", "")


def test_what_is_printed_before_an_import_fails_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        with libraries():
            os.write(1, b"why")
            raise ImportError

    pytest.raises(ImportError, fail)
    assert capfd.readouterr() == ("", "why")
