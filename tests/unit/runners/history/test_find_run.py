from __future__ import annotations

import pytest

from runners.history.find_run import find_run
from runners.run_record import RunRecord
from schemas.errors import RunError

RECORDS = [RunRecord(run_id, "trips", "complete", "") for run_id in ("20261125T02-b", "20261125T01-a", "20261124T01-a")]


@pytest.mark.parametrize(
    ("name", "found"),
    [("latest", "20261125T02-b"), ("20261124", "20261124T01-a"), ("20261125T01-a", "20261125T01-a")],
)
def test_a_run_is_found_by_its_id_a_prefix_or_latest(name: str, found: str) -> None:
    assert find_run(RECORDS, name, "trips").run_id == found


def test_a_prefix_of_several_names_them() -> None:
    with pytest.raises(RunError, match="20261125T02-b, 20261125T01-a"):
        find_run(RECORDS, "20261125", "trips")


def test_an_unknown_run_names_the_nearest_and_the_last_ones() -> None:
    with pytest.raises(RunError, match="Did you mean 20261124T01-a.*The last ones: 20261125T02-b, 20261125T01-a"):
        find_run(RECORDS, "20261124T01-x", "trips")


def test_a_pipeline_without_runs_says_so() -> None:
    with pytest.raises(RunError, match="no run yet"):
        find_run([], "latest", "trips")
