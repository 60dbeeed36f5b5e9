"""Tables of a recommender that are larger than one shard, on two real parameter servers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = "tests.integration.sharded_tables"
TABLE = [[500, 0], [500, 1]]


@pytest.fixture(scope="module")
def seen() -> dict[str, Any]:
    root = Path(__file__).parents[2]
    # Its servers cannot be stopped but by the end of their process.
    ended = subprocess.run([sys.executable, "-m", PROGRAM], capture_output=True, text=True, cwd=root, timeout=300)
    assert ended.returncode == 0, ended.stderr[-4000:]
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return found


def test_each_table_lies_on_both_servers_and_nothing_else_is_split(seen: dict[str, Any]) -> None:
    assert {name.rpartition("/")[2]: parts for name, parts in seen["shards"].items()} == {
        "width_8": TABLE,
        "table": TABLE,
    }


def test_the_same_outputs_as_with_tables_in_memory(seen: dict[str, Any]) -> None:
    assert seen["same"] == [True, True]


def test_the_same_candidates_in_the_index(seen: dict[str, Any]) -> None:
    assert seen["index"] is True


def test_the_frequencies_of_candidates_reach_the_servers(seen: dict[str, Any]) -> None:
    assert seen["log_frequency"] is True


def test_steps_of_a_worker_train_all_shards(seen: dict[str, Any]) -> None:
    assert seen["moved"] is True
    assert seen["losses"][1] < 0.7 * seen["losses"][0]
