"""Whose releases are meant."""

from __future__ import annotations

import pytest

from runners.cli import main


@pytest.mark.parametrize("address", ["gs://models/releases", "s3://models/releases"])
def test_a_bucket_of_releases_is_told_as_such(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["release", "list", "--releases", address, "--model", "taxi"]) == 1
    told = capsys.readouterr().err
    assert "Labels are moved in a folder of this machine, not in a bucket.\n" in told
    assert f"Received: {address}\n" in told
