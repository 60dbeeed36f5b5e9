from __future__ import annotations

import argparse

import pytest

from runners.commands import doctor


def test_an_engine_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    doctor.add(parser.add_subparsers())
    arguments = parser.parse_args(["doctor", "--engine", "storm"])
    with pytest.raises(SystemExit) as caught:
        arguments.run(arguments)
    assert caught.value.code == 2
    expected = "--engine storm: there are auto, inline, direct, flink, spark, prism, dataflow, portable"
    assert capsys.readouterr().err.splitlines()[-1].endswith(expected)
