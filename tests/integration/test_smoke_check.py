"""SmokeCheck with real models, and real servers in processes of their own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ml_metadata
import pytest
import tensorflow as tf
from ml_metadata.proto import metadata_store_pb2
from tensorflow_serving.apis import prediction_log_pb2
from tfx.dsl.components.common.importer import Importer
from tfx.orchestration import metadata
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.pipeline import Pipeline
from tfx.types import standard_artifacts

from components.smoke_check.component import SmokeCheck as SmokeCheckNode
from components.smoke_check.executor import Executor
from components.smoke_check.report import Report
from components.smoke_check.server_process import ServerProcess
from configs.smoke_check import SmokeCheck
from schemas.errors import EvaluationError
from serving.saved_model import WARMUP_FILE, checksums
from tests.integration.command_server import ROOT, wait_until_gone

pytestmark = pytest.mark.slow

SERVE = "{python} -m runners.cli serve --model {{model_name}}={{model_dir}} --grpc-port {{grpc_port}}"
SCORES = (0.5, -1.0, 4.0)


class _Twice(tf.Module):
    """Predicts 2 * score, and more: `by_batch` times the number of rows in the batch."""

    def __init__(self, by_batch: float) -> None:
        super().__init__()
        self._by_batch = tf.Variable(by_batch)

    def _answer(self, scores: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"predictions": 2.0 * scores + self._by_batch * tf.cast(tf.shape(scores)[0], tf.float32)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "examples")])
    def serve(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        return self._answer(tf.io.parse_example(examples, {"score": tf.io.FixedLenFeature([], tf.float32)})["score"])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "score")])
    def predict(self, score: tf.Tensor) -> dict[str, tf.Tensor]:
        return self._answer(score)


class _OfColumns(_Twice):
    """As Keras exports a model of columns, beside one that takes texts which are no examples."""

    @tf.function(input_signature=[tf.TensorSpec([None, 1], tf.float32, "score")])
    def predict(self, score: tf.Tensor) -> dict[str, tf.Tensor]:
        tf.debugging.assert_less(score, 100.0)
        return self._answer(score)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "number")])
    def serve(self, number: tf.Tensor) -> dict[str, tf.Tensor]:
        return self._answer(tf.strings.to_number(number))


def _model(folder: Path, by_batch: float = 0.0, kind: type[_Twice] = _Twice) -> Any:
    module = kind(by_batch)
    signatures = {"serving_default": module.serve, "predict": module.predict}
    tf.saved_model.save(module, str(folder / "Format-Serving"), signatures=signatures)
    artifact = standard_artifacts.Model()
    artifact.uri = str(folder)
    return artifact


def _examples(folder: Path, scores: Sequence[float] = SCORES) -> Path:
    """A folder of Examples, with one split."""
    split = folder / "examples/Split-eval"
    split.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(split / "rows.gz"), "GZIP") as writer:
        for score in scores:
            example = tf.train.Example()
            example.features.feature["score"].float_list.value.append(score)
            writer.write(example.SerializeToString())
    return split.parent


def _check(folder: Path, model: Any, scores: Sequence[float] = SCORES, blessed: int = 1, **settings: Any) -> Any:
    """The InfraBlessing of a model, checked with rows that have these scores."""
    examples, model_blessing = standard_artifacts.Examples(), standard_artifacts.ModelBlessing()
    examples.uri, examples.split_names = str(_examples(folder, scores)), '["eval"]'
    model_blessing.set_int_custom_property("blessed", blessed)
    blessing = standard_artifacts.InfraBlessing()
    blessing.uri = str(folder / "blessing")
    Executor().Do(
        {"model": [model], "examples": [examples], "model_blessing": [model_blessing]},
        {"blessing": [blessing]},
        {
            "smoke_check": SmokeCheck(**settings).model_dump_json(exclude={"enabled"}),
            "split": "eval",
            "columns": json.dumps(["score"]),
            "model_name": "twice",
        },
    )
    return blessing


def _report(blessing: Any) -> Report:
    return Report.model_validate_json((Path(blessing.uri) / "report.json").read_text())


def test_a_model_is_blessed_with_warm_up_requests_and_stays_as_it_is(tmp_path: Path) -> None:
    model = _model(tmp_path / "model")
    before = checksums(tmp_path / "model/Format-Serving")
    # The same server, started as another one would be.
    command = [*SERVE.format(python=sys.executable).split(), "--rest-port={rest_port}"]
    blessing = _check(tmp_path, model, warmup=2, command=command)
    report = _report(blessing)
    assert report.faults == ()
    assert (blessing.get_int_custom_property("blessed"), blessing.get_int_custom_property("has_model")) == (1, 1)
    assert not blessing.has_custom_property("reason")
    # Three rows one by one, and all together.
    each = {"predict": 4, "serving_default": 4}
    assert report.requests == {"gRPC": each, "REST": each}
    assert {key: one.requests for key, one in report.latency_ms.items()} == {"gRPC": 20, "REST": 20}
    assert report.peak_memory_mib is not None
    assert report.peak_memory_mib > 100

    assert checksums(tmp_path / "model/Format-Serving") == before
    folder = Path(blessing.uri)
    assert sorted(path.name for path in folder.iterdir()) == [
        "INFRA_BLESSED", "report.json", "server.log", "stamped_model"
    ]  # fmt: skip
    stamped = checksums(folder / "stamped_model")
    assert stamped.pop(WARMUP_FILE)
    assert stamped == before
    records = tf.compat.v1.io.tf_record_iterator(str(folder / "stamped_model" / WARMUP_FILE))
    requests = [prediction_log_pb2.PredictionLog.FromString(record).predict_log.request for record in records]
    assert [one.model_spec.signature_name for one in requests] == [*["serving_default"] * 2, *["predict"] * 2]
    assert [list(tf.make_ndarray(one.inputs["score"])) for one in requests[2:]] == [[0.5], [-1.0]]


def test_a_model_that_answers_otherwise_slowly_and_with_much_memory_is_refused(tmp_path: Path) -> None:
    blessing = _check(tmp_path, _model(tmp_path / "model", by_batch=1.0), max_latency_ms=1e-6, max_memory_mib=1)
    report = _report(blessing)
    # Of three rows together 2 * 0.5 + 3, alone 2 * 0.5 + 1: as a batch norm that was left in training.
    wrong = "serving_default, predictions, row 0 in a request of 1 row: 2. in place of 4., and 5 more"
    by_grpc, by_rest, *over = report.faults
    assert by_grpc == f"not what the Trainer's model predicts: gRPC, {wrong}"
    assert by_rest == f"not what the Trainer's model predicts: REST, {wrong}"
    assert report.mismatched == 12
    assert report.latency_ms["gRPC"].requests == 100  # where it is judged
    assert [fault.partition(" MiB")[0].rstrip("0123456789") for fault in over][2] == "the server's memory reached "
    assert [fault.partition(":")[0] for fault in over[:2]] == ["gRPC is slow", "REST is slow"]
    assert blessing.get_int_custom_property("blessed") == 0
    assert blessing.get_string_custom_property("reason") == "; ".join(
        (*report.faults, f"report: {blessing.uri}/report.json")
    )
    assert not blessing.get_int_custom_property("has_model")
    assert sorted(path.name for path in Path(blessing.uri).iterdir()) == [
        "INFRA_NOT_BLESSED", "report.json", "server.log"
    ]  # fmt: skip


def test_a_model_that_cannot_be_loaded_is_refused_with_the_servers_own_words(tmp_path: Path) -> None:
    model = _model(tmp_path / "model")
    warmup = tmp_path / "model/Format-Serving" / WARMUP_FILE  # of the model's own
    warmup.parent.mkdir()
    warmup.write_bytes(b"no requests at all")
    blessing = _check(tmp_path, model)
    (fault,) = _report(blessing).faults
    assert fault.startswith("The model server cannot load the model. ")
    assert "corrupted record" in fault
    assert blessing.get_int_custom_property("blessed") == 0


def test_a_model_that_the_node_itself_cannot_load_is_told(tmp_path: Path) -> None:
    model = _model(tmp_path / "model")
    shutil.rmtree(tmp_path / "model/Format-Serving/variables")
    with pytest.raises(EvaluationError, match=r"(?s)cannot be loaded.*variables"):
        _check(tmp_path, model)


def test_a_signature_of_keras_is_asked_and_one_that_these_rows_are_nothing_for_is_left_out(tmp_path: Path) -> None:
    model = _model(tmp_path / "model", kind=_OfColumns)
    report = _report(_check(tmp_path, model))
    assert report.faults == ()
    assert report.requests == {"gRPC": {"predict": 4}, "REST": {"predict": 4}}
    assert report.warmup_requests == 3
    (line,) = report.skipped
    assert line.startswith("serving_default: StringToNumberOp could not correctly convert string: ")
    with pytest.raises(EvaluationError, match=r"(?s)does not answer for rows.*Received: serving_default: "):
        _check(tmp_path / "named", model, signatures=["serving_default"])
    with pytest.raises(EvaluationError, match=r"(?s)does not answer for rows.*Received: predict: assertion failed"):
        _check(tmp_path / "large", model, scores=[100.0])


def test_a_server_that_ends_at_once_is_told_by_its_last_words(tmp_path: Path) -> None:
    command = ["sh", "-c", "echo no licence >&2; exit 3", "{model_dir}", "{grpc_port}", "{rest_port}"]
    (fault,) = _report(_check(tmp_path, _model(tmp_path / "model"), command=command)).faults
    assert fault == "The model server has ended before it served the model. no licence"


def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    command = ["/nowhere/server", "{model_dir}", "{grpc_port}", "{rest_port}"]
    (fault,) = _report(_check(tmp_path, _model(tmp_path / "model"), command=command)).faults
    assert fault.endswith(" /nowhere/server: No such file or directory")


def test_a_server_ends_with_the_node_however_that_ends() -> None:
    node = """
import os, subprocess, sys
bound = [sys.executable, "-m", "components.smoke_check.bound_process", str(os.getpid()), "sleep", "60"]
print(subprocess.Popen(bound, stdout=subprocess.DEVNULL).pid, flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", node], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        server = int(process.stdout.readline())
        process.kill()
    assert wait_until_gone([server]) == []


def test_all_that_a_server_has_started_ends_with_it(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    command = ["sh", "-c", f"sleep 60 & echo $! >{pid}; wait", "{model_dir}", "{grpc_port}", "{rest_port}"]
    with ServerProcess("twice", tmp_path, command, tmp_path / "log"):
        while not pid.exists() or not pid.read_text():
            time.sleep(0.005)
    assert wait_until_gone([int(pid.read_text())]) == []


def test_the_models_files_stay_as_they_are_whatever_a_server_does_with_its_own(tmp_path: Path) -> None:
    model = _model(tmp_path / "model")
    before = checksums(tmp_path / "model/Format-Serving")
    script = "echo more >>$0/1/saved_model.pb && echo written"
    command = ["sh", "-c", script, "{model_dir}", "{grpc_port}", "{rest_port}"]
    (fault,) = _report(_check(tmp_path, model, command=command)).faults
    assert fault == "The model server has ended before it served the model. written"
    assert checksums(tmp_path / "model/Format-Serving") == before


def test_a_server_that_never_serves_is_given_up(tmp_path: Path) -> None:
    command = ["sh", "-c", "exec sleep 60", "{model_dir}", "{grpc_port}", "{rest_port}"]
    (fault,) = _report(_check(tmp_path, _model(tmp_path / "model"), command=command, load_seconds=0.1)).faults
    assert fault == "The model server does not serve the model after 0.1 s. not a word"


def test_what_the_evaluator_has_refused_is_not_checked(tmp_path: Path) -> None:
    blessing = _check(tmp_path, standard_artifacts.Model(), blessed=0)
    assert blessing.get_int_custom_property("blessed") == 0
    assert [path.name for path in Path(blessing.uri).iterdir()] == ["INFRA_NOT_BLESSED"]


def test_a_split_without_rows_is_told(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"no row to ask the model for"):
        _check(tmp_path, _model(tmp_path / "model"), scores=())


@pytest.mark.filterwarnings("ignore")  # of TFX and ML Metadata inside
@pytest.mark.parametrize(("blessed", "again"), [(1, "COMPLETE"), (0, "CACHED")])
def test_a_refusal_is_not_taken_from_the_cache_and_stays_for_its_own_run(
    tmp_path: Path, blessed: int, again: str
) -> None:
    inputs = {
        "model": Importer(source_uri=_model(tmp_path / "model").uri, artifact_type=standard_artifacts.Model),
        "examples": Importer(
            source_uri=str(_examples(tmp_path)),
            artifact_type=standard_artifacts.Examples,
            properties={"split_names": '["eval"]'},
        ),
        "model_blessing": Importer(
            source_uri=str(tmp_path / "model"),
            artifact_type=standard_artifacts.ModelBlessing,
            custom_properties={"blessed": blessed},
        ),
    }
    node = SmokeCheckNode(
        **{name: one.with_id(name).outputs["result"] for name, one in inputs.items()},
        settings=SmokeCheck(command=("false", "{model_dir}", "{grpc_port}", "{rest_port}")),
        split="eval",
        columns=["score"],
        model_name="twice",
    )
    pipeline = Pipeline(
        pipeline_name="chain",
        pipeline_root=str(tmp_path / "artifacts"),
        components=[*inputs.values(), node],
        enable_cache=True,
        metadata_connection_config=metadata.sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite")),
    )
    for _ in range(2):
        LocalDagRunner().run(pipeline)
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(tmp_path / "metadata.sqlite")
    store = ml_metadata.MetadataStore(config)
    runs = store.get_executions_by_type("components.smoke_check.component.SmokeCheck")
    states = [metadata_store_pb2.Execution.State.Name(run.last_known_state) for run in runs]
    assert states == ["COMPLETE", again]
    live = metadata_store_pb2.Artifact.LIVE
    assert {one.state for one in store.get_artifacts_by_type("InfraBlessing")} == {live}
