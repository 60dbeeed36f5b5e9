from __future__ import annotations

import argparse

import pytest

from runners.commands import infer


def parsed(*options: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    infer.add(parser.add_subparsers())
    return parser.parse_args(["infer", "-c", "taxi.yaml", *options])


@pytest.fixture(autouse=True)
def program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/bin/scalable-tf"])
    monkeypatch.setenv("PATH", "/bin")


@pytest.mark.parametrize(
    "options",
    [(), ("--span", "0"), ("--set", "name=a b", "--out", "here", "--format", "csv", "--engine", "flink", "--profile")],
)
def test_the_command_that_is_suggested_is_the_one_that_was_given(options: tuple[str, ...]) -> None:
    words = " ".join(f"'{word}'" if " " in word else word for word in options)
    assert infer._command(parsed(*options)) == f"scalable-tf infer -c taxi.yaml {words}".strip()


def test_a_run_that_goes_on_is_not_suggested_as_one() -> None:
    assert infer._command(parsed("--resume")) == "scalable-tf infer -c taxi.yaml"
