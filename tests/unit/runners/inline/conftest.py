"""The inline engine, and the direct one beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from tests.unit.runners.inline.engine_results import Build, NoFallback, results


@pytest.fixture(params=["inline", pytest.param("and direct", marks=pytest.mark.slow)])
def both(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Build], dict[str, list[str]]]:
    """Runs on the inline engine, and a second time beside the direct one, which must give the same."""

    def run(build: Build) -> dict[str, list[str]]:
        inline = results(NoFallback(), build, tmp_path / "inline")
        if request.param != "inline":
            assert inline == results(FnApiRunner(), build, tmp_path / "direct")
        return inline

    return run
