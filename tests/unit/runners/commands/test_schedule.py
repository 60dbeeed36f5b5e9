from __future__ import annotations

import argparse

import pytest

from runners.commands import schedule


@pytest.mark.parametrize("action", ["plan", "run", "backfill", "status"])
def test_another_time_is_an_option_that_is_shown(action: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    schedule.add(parser.add_subparsers())
    with pytest.raises(SystemExit):
        parser.parse_args(["schedule", action, "--help"])
    assert "Runs, logs and releases keep the machine's time" in " ".join(capsys.readouterr().out.split())
