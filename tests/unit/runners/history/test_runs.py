from __future__ import annotations

import fcntl
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from runners.history.graph import read_graph, trace_back
from runners.history.on_disk import OnDisk, on_disk
from runners.history.run_detail import RunDetail, run_detail
from runners.history.runs import run_summaries
from runners.run_record import run_records
from tests.unit.runners.made_history import MadeHistory


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadeHistory:
    """A released run, one from the cache that is not blessed, one that failed, and one that died."""
    made = MadeHistory(tmp_path_factory.mktemp("made"))
    made.record("1", ended="2026-11-25T01:01:30+00:00")
    examples = made.ingest("1")
    made.release("1", made.train("1", examples), examples)
    made.record("2", ended="2026-11-25T01:00:10+00:00")
    made.node("2", "ExampleGen", cached=examples)
    made.train("2", examples, blessed=0)
    logs = made.output_dir / "logs/3"
    logs.mkdir(parents=True)
    nodes = "".join(f'  pipeline_node {{\n    node_info {{\n      id: "{id}"\n' for id in ("ExampleGen", "Trainer"))
    (logs / "pipeline.pbtxt").write_text(nodes)
    (logs / "ExampleGen.log").write_text("schemas.errors.DataError: Cut off.\n  Where: a.csv\n")
    made.record("3", "failed", message="ExampleGen: Cut off.", ended="2026-11-25T01:00:02+00:00")
    made.node("3", "ExampleGen", state="failed")
    made.record("4", "running")
    made.node("4", "ExampleGen", state="running")
    return made


@pytest.fixture(scope="module")
def records(made: MadeHistory) -> Any:
    with made.metadata as metadata:
        return run_records(metadata, "trips")


def detail(made: MadeHistory, records: Any, place: int) -> RunDetail:
    return run_detail(made.metadata, records, records[place])


def test_the_list_says_how_each_run_ended(made: MadeHistory, records: Any) -> None:
    with made.metadata as metadata:
        runs = run_summaries(metadata, records)
    start = "2026-11-25T01:00:00+00:00"
    died = runs[0].seconds
    assert [asdict(run) for run in runs] == [
        {"run_id": "4", "state": "died", "started": start, "seconds": died, "nodes_done": 0, "nodes_cached": 0,
         "nodes": 1, "blessed": None, "release": None, "error": "", "purpose": "training"},
        {"run_id": "3", "state": "failed", "started": start, "seconds": 2.0, "nodes_done": 0, "nodes_cached": 0,
         "nodes": 2, "blessed": None, "release": None, "error": "ExampleGen: Cut off.", "purpose": "training"},
        {"run_id": "2", "state": "complete", "started": start, "seconds": 10.0, "nodes_done": 3, "nodes_cached": 1,
         "nodes": 3, "blessed": False, "release": None, "error": "", "purpose": "training"},
        {"run_id": "1", "state": "complete", "started": start, "seconds": 90.0, "nodes_done": 4, "nodes_cached": 0,
         "nodes": 4, "blessed": True, "release": 1, "error": "", "purpose": "training"},
    ]  # fmt: skip


def test_a_run_of_another_orchestrator_is_what_its_executions_say(tmp_path: Path) -> None:
    made = MadeHistory(tmp_path)
    made.ingest("1")
    made.node("2", "ExampleGen", state="failed")
    made.node("3", "ExampleGen", state="running")
    with made.metadata as metadata:
        runs = run_summaries(metadata, run_records(metadata, "trips"))
    assert [run.state for run in runs] == ["unknown", "failed", "complete"]
    assert all(run.started for run in runs)


def test_a_limit_shows_the_newest(made: MadeHistory, records: Any) -> None:
    with made.metadata as metadata:
        assert [run.run_id for run in run_summaries(metadata, records, 2)] == ["4", "3"]


def test_a_run_is_shown_node_by_node(made: MadeHistory, records: Any) -> None:
    run = asdict(detail(made, records, 3))
    trainer = run["nodes"][1]
    assert (trainer["node"], trainer["state"], trainer["execution"]) == ("Trainer", "complete", 2)
    folder = made.output_dir / "artifacts"
    assert trainer["inputs"] == [
        {"key": "examples", "id": 1, "type": "Examples", "uri": f"{folder}/ExampleGen/examples/1", "state": "live",
         "on_disk": "there"}
    ]  # fmt: skip
    assert [output["uri"] for output in trainer["outputs"]] == [f"{folder}/Trainer/model/2"]
    assert (run["blessed"], run["release"], run["record"]["state"]) == (True, 1, "complete")


def test_the_store_is_free_while_the_disk_is_looked_at(
    made: MadeHistory, records: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at = []

    def look(artifact: Any) -> OnDisk:
        with (made.output_dir / "metadata/metadata.sqlite.lock").open("a") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises while it is held
        looked_at.append(artifact.id)
        return on_disk(artifact)

    monkeypatch.setattr("runners.history.run_detail.on_disk", look)
    detail(made, records, 3)
    assert looked_at


def test_a_cached_node_shows_what_it_took_over(made: MadeHistory, records: Any) -> None:
    node = detail(made, records, 2).nodes[0]
    assert (node.state, node.outputs[0].id) == ("cached", 1)


def test_a_failed_node_shows_its_error_and_the_next_one_was_not_run(made: MadeHistory, records: Any) -> None:
    failed, other = detail(made, records, 1).nodes
    assert (failed.state, failed.error) == ("failed", "Cut off.\n  Where: a.csv")
    assert failed.log == str(made.output_dir / "logs/3/ExampleGen.log")
    assert (other.node, other.state, other.execution) == ("Trainer", "not run", None)


def test_a_node_of_a_run_that_died_has_died(made: MadeHistory, records: Any) -> None:
    assert [node.state for node in detail(made, records, 0).nodes] == ["died"]


def test_what_was_taken_from_the_cache_is_traced_to_the_execution_that_made_it(made: MadeHistory) -> None:
    with made.metadata as metadata:
        graph = read_graph(metadata.store, metadata.store.get_executions_by_id([5]))  # ExampleGen, from the cache
        (link,) = graph.outputs[5]
        traced = trace_back(metadata.store, [link.artifact])
    assert traced.producers == {link.artifact: 1}
    assert traced.executions.keys() == {1}
