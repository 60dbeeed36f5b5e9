"""What the task end writes of a run, on a store of its own: the fields that the local runner writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from tfx.types import standard_artifacts

from configs.kubeflow import DRY_RUN_VARIABLE
from configs.settings import Settings
from runners.books import Books
from runners.compiled import compile_pipeline, node_ids, with_run_id
from runners.continuation import NotContinuableError
from runners.kubeflow.end_task import end_run
from runners.run_folder import RunFolder, run_folder
from runners.run_record import RunRecord, run_record
from schemas.artifacts import REASON_PROPERTY
from tests.integration.kubeflow_api.fault import Fault
from tests.integration.kubeflow_api.server import kubeflow_api
from tests.unit.runners.made_history import MadeHistory
from tests.unit.runners.made_settings import made_settings

pytestmark = pytest.mark.slow


@pytest.fixture
def history(tmp_path: Path) -> MadeHistory:
    """A run of Kubeflow on span 5 that was begun."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data/5.csv").write_text("fare,tips\n1,1\n")
    history = MadeHistory(tmp_path)
    history.record("kfp", "running", orchestrator="kubeflow", span=5)
    begun(history).save()
    return history


def settings(history: MadeHistory, *overrides: str) -> Settings:
    return made_settings(history.folder, "data.span=5", *overrides)


def begun(history: MadeHistory) -> RunFolder:
    given = settings(history)
    return RunFolder(run_folder(given, "kfp"), with_run_id(compile_pipeline(given), "kfp"), given)


def ended(history: MadeHistory, state: str) -> RunRecord:
    end_run(settings(history), "kfp", f'{{"state": "{state}"}}', {})
    with history.metadata as metadata:
        return run_record(metadata, "trips", "kfp")


@pytest.mark.parametrize(
    ("log", "error"),
    [
        ("schemas.errors.DataError: The file is cut off.\n  Where: 5.csv\n", "DataError"),
        ("schemas.errors.AnomalyError: first\nschemas.errors.RunError: The process was killed.\n", "RunError"),
        ("ValueError: of somebody else\n", "RunError"),
        ("", "RunError"),
    ],
)
def test_a_failure_has_its_class_and_the_data_that_it_found(log: str, error: str, history: MadeHistory) -> None:
    (begun(history).path / "ExampleGen.log").write_text(log)
    history.node("kfp", "ExampleGen", state="failed")
    record = ended(history, "FAILED")
    assert (record.state, record.error, record.span, record.orchestrator) == ("failed", error, 5, "kubeflow")
    assert record.message.startswith("ExampleGen: ")
    assert len(record.data) > 20  # the fingerprint of 5.csv


def test_the_node_that_failed_first_is_named_wherever_it_is_in_the_graph(history: MadeHistory) -> None:
    order = node_ids(begun(history).pipeline)
    first, later, cut_off = order[5], order[3], order[1]
    history.node("kfp", cut_off, state="running")
    history.node("kfp", first, state="failed")
    history.node("kfp", later, state="failed")
    assert ended(history, "FAILED").message.startswith(f"{first}: ")


def test_a_run_that_was_terminated_has_no_error(history: MadeHistory) -> None:
    record = ended(history, "CANCELED")
    assert (record.state, record.error, record.data) == ("interrupted", "", "")


@pytest.mark.parametrize("status", ["RUNNING", "FAILED"])
@pytest.mark.parametrize(("server_says", "state"), [("CANCELING", "interrupted"), ("RUNNING", "failed")])
def test_of_tasks_that_were_killed_kubeflow_knows_whether_somebody_terminated_the_run(
    server_says: str, state: str, status: str, history: MadeHistory
) -> None:
    answer = f'{{"run_id": "kfp", "state": "{server_says}"}}'.encode()
    with kubeflow_api() as server:
        server.faults = [Fault("GET .*/runs/kfp", 200, body=answer)]
        end_run(settings(history, f"kubeflow.host={server.url}"), "kfp", f'{{"state": "{status}"}}', {})
    with history.metadata as metadata:
        assert run_record(metadata, "trips", "kfp").state == state


def test_a_dry_run_asks_nobody(history: MadeHistory) -> None:
    with kubeflow_api() as server:
        server.faults = [Fault("GET .*/runs/kfp", 200, body=b'{"run_id": "kfp", "state": "CANCELING"}')]
        given = settings(history, f"kubeflow.host={server.url}")
        end_run(given, "kfp", '{"state": "FAILED"}', {DRY_RUN_VARIABLE: "1"})
        assert len(server.faults) == 1
    with history.metadata as metadata:
        assert run_record(metadata, "trips", "kfp").state == "failed"


def test_a_run_that_released_nothing_says_why(history: MadeHistory) -> None:
    *before, pusher = node_ids(begun(history).pipeline)
    for node in before:
        history.node("kfp", node)
    outputs = {"pushed_model": standard_artifacts.PushedModel}
    history.node("kfp", pusher, outputs=outputs, **{REASON_PROPERTY: "not blessed: auc is 0.4"})
    record = ended(history, "COMPLETE")
    assert (record.state, record.release, record.reason) == ("complete", 0, "not blessed: auc is 0.4")


@pytest.mark.parametrize("name", ["kfp", ""])
def test_it_is_not_resumed_here(name: str, history: MadeHistory) -> None:
    assert ended(history, "CANCELED").state == "interrupted"
    with pytest.raises(NotContinuableError, match="not one of this runner") as raised:
        Books(settings(history), "run --resume").take_up(name, "")
    assert "orchestrator: kubeflow" in str(raised.value)


def test_the_log_of_what_reads_the_store_is_bounded(history: MadeHistory) -> None:
    log = history.output_dir / "logs/metadata.log"
    log.parent.mkdir(exist_ok=True)
    log.write_text("a" * (2**20 + 1))
    with pytest.raises(NotContinuableError, match="There is no such run"):
        Books(settings(history), "run --resume").take_up("nowhere", "")
    assert log.with_name("metadata.log.1").stat().st_size == 2**20 + 1
