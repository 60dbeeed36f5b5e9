"""Versions that are broken, stores that are away and full disks take nothing down that serves."""

from __future__ import annotations

import logging
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.server import version_copies
from serving.server.model_config import from_option
from tests.integration.buckets.managed import Manage, held, served
from tests.integration.buckets.served_bucket import ServedBucket
from tests.integration.faulty_store import Fault

pytestmark = pytest.mark.slow


def test_a_version_that_is_half_there_takes_no_good_one_down(
    bucket: ServedBucket, model: Path, manage: Manage, copies: Path
) -> None:
    bucket.copy(model, "half/half/1")
    manager = manage(bucket.url("half/half"))
    bucket.put("half/half/2/assets.extra/", b"")  # some tools write such for folders
    for number, path in enumerate(path for path in sorted(model.rglob("*")) if path.is_file()):
        (newest, *_) = manager.states("half")
        assert (served(manager), newest.state) == (1, "AVAILABLE" if number == 0 else "END")
        assert number == 0 or bucket.url("half/half/2") in newest.error_message
        bucket.put(f"half/half/2/{path.relative_to(model)}", path.read_bytes())
        bucket.requests.clear()
        manager.poll()
        assert len(bucket.read()) == (0 if number == 0 else 1)  # no file twice
    assert (served(manager), held(copies)) == (2, ["2"])


def test_a_broken_version_is_copied_once_and_goes_with_a_better_one(
    bucket: ServedBucket, model: Path, manage: Manage, copies: Path
) -> None:
    bucket.copy(model, "broken/half/1")
    bucket.copy(model, "broken/half/2")
    bucket.put("broken/half/2/saved_model.pb", b"no model")
    manager = manage(bucket.url("broken/half"))
    assert (served(manager), held(copies)) == (1, ["1", "2"])
    bucket.requests.clear()
    manager.reload([from_option(f"half={bucket.url('broken/half')}")])  # tries again at once
    assert (len(bucket.requests), bucket.read()) == (3, [])
    bucket.copy(model, "broken/half/3")
    manager.poll()
    assert (served(manager), held(copies)) == (3, ["3"])
    assert "gs://" in manager.states("half")[1].error_message or "s3://" in manager.states("half")[1].error_message


def test_what_serves_goes_on_while_the_store_is_away(
    bucket: ServedBucket, model: Path, manage: Manage, caplog: pytest.LogCaptureFixture
) -> None:
    bucket.copy(model, "away/half/1")
    manager = manage(bucket.url("away/half"))
    bucket.copy(model, "away/half/2")
    bucket.fail("unanswered")
    with caplog.at_level(logging.INFO):
        manager.poll()
        assert served(manager) == 1
        bucket.fail("SlowDown")
        manager.poll()
    assert served(manager) == 1
    (record,) = caplog.records
    assert "The versions of model half cannot be listed: " in record.getMessage()
    assert "does not answer" in record.getMessage()
    bucket.fail(None)
    manager.poll()
    assert served(manager) == 2


def test_a_copy_that_is_cut_off_is_tried_again(bucket: ServedBucket, model: Path, manage: Manage) -> None:
    bucket.copy(model, "cut/half/1")
    bucket.proxy.fault = lambda method, path: "cut" if "variables.data" in path else None
    manager = manage(bucket.url("cut/half"))
    (state,) = manager.states("half")
    assert (state.state, state.error_code) == ("END", "UNAVAILABLE")
    bucket.fail(None)
    manager.reload([from_option(f"half={bucket.url('cut/half')}")])
    assert served(manager) == 1


def test_a_copy_that_is_cut_off_once_goes_on_where_it_was(
    bucket: ServedBucket, model: Path, manage: Manage, copies: Path
) -> None:
    large = os.urandom(1 << 20)
    bucket.copy(model, "once/half/1")
    bucket.put("once/half/1/assets.extra/large", large)
    faults: Iterator[Fault] = iter(["cut"])
    bucket.proxy.fault = lambda method, path: next(faults, None) if "large" in path else None
    manager = manage(bucket.url("once/half"))
    assert served(manager) == 1
    (copy,) = copies.glob("*/1-1/assets.extra/large")
    assert copy.read_bytes() == large
    assert next(faults, None) is None


@pytest.fixture
def small_disk(copies: Path) -> Iterator[Path]:
    """A disk of 64 KiB for temporary files."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(copies)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    yield copies
    subprocess.run(["umount", str(copies)], check=True)


@pytest.mark.parametrize("kept_free", [16 << 20, -(1 << 30)], ids=["before", "while it is copied"])
def test_a_full_disk_takes_no_good_version_down(
    bucket: ServedBucket,
    model: Path,
    small_disk: Path,
    manage: Manage,
    kept_free: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = f"disk{kept_free}/half"
    monkeypatch.setattr(version_copies, "_KEEP_FREE", -(1 << 30))
    bucket.copy(model, f"{name}/1")
    manager = manage(bucket.url(name))
    monkeypatch.setattr(version_copies, "_KEEP_FREE", kept_free)
    bucket.put(f"{name}/2/assets.extra/large", bytes(1 << 20))
    bucket.copy(model, f"{name}/2")
    manager.poll()
    assert (served(manager), held(small_disk)) == (1, ["1"])
    message = manager.states("half")[0].error_message
    assert message.startswith(f"There is no room on the disk for a copy of the version.\n  Where: {small_disk}/")
    assert re.search(
        r"Received: 1,0\d\d,\d\d\d bytes of .*/half/2: .*\n  Fix: Make room there, or let .* TMPDIR", message
    )
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    manager.reload([from_option(f"half={bucket.url(name)}")])
    assert served(manager) == 2
