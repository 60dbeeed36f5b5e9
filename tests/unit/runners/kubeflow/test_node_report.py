from __future__ import annotations

import json
from pathlib import Path

from tensorflow_metadata.proto.v0 import anomalies_pb2

from runners.kubeflow.node_report import node_report, overall_metrics
from runners.kubeflow.shown_outputs import write_shown
from runners.node import NodeOutcome, Output
from serving.blessing import Blessing, Failure


def outcome(node: str, **outputs: Output) -> NodeOutcome:
    return NodeOutcome(node, "complete", 1, {key: [output] for key, output in outputs.items()})


def evaluated(folder: Path) -> NodeOutcome:
    metrics = {
        "Overall": {"auc": 0.75, "example_count": 10.0, "confusion_matrix": {}, "loss": None},
        "a:1": {"auc": 0.5, "example_count": 4.0},
        "a:2": {"auc": 1.0, "example_count": 6.0},
    }
    (folder / "metrics.json").write_text(json.dumps(metrics))
    failure = Failure(slice="a:1", metric="auc", value=0.5, bound="must be at least 0.6")
    Blessing(blessed=False, failures=(failure,)).save(folder / "blessing.json")
    return outcome("Evaluator", evaluation=Output(str(folder), {}))


def test_where_everything_is() -> None:
    text = node_report(outcome("SchemaGen", schema=Output("/out/schema/1", {})))
    assert text == "# SchemaGen: complete\n\n| output | place |\n| --- | --- |\n| schema | /out/schema/1 |\n"


def test_a_resolver_that_found_nothing() -> None:
    assert node_report(outcome("LatestBlessed")) == "# LatestBlessed: complete\n\nIt gave nothing.\n"


def test_rows_and_notes_of_the_examples() -> None:
    properties = {"rows": '{"train": 10036, "eval": 5}', "notes": '["a | b"]'}
    text = node_report(outcome("ExampleGen", examples=Output("/out/1", properties)))
    assert "| train | 10,036 |\n| eval | 5 |" in text
    assert "Note: a \\| b" in text


def test_metrics_the_largest_slices_first_and_why_it_is_not_blessed(tmp_path: Path) -> None:
    text = node_report(evaluated(tmp_path))
    assert "| slice | auc | example\\_count |" in text
    assert text.index("| Overall |") < text.index("| a:2 |") < text.index("| a:1 |")
    assert "**Not blessed**" in text
    assert "| a:1 | auc | 0.5 | must be at least 0.6 |" in text


def test_numbers_for_kubeflow_are_numbers(tmp_path: Path) -> None:
    assert overall_metrics(evaluated(tmp_path)) == {"auc": 0.75, "example_count": 10.0}


def test_anomalies(tmp_path: Path) -> None:
    anomalies = anomalies_pb2.Anomalies()
    anomalies.anomaly_info["fare"].short_description = "Out of range"
    anomalies.anomaly_info["fare"].description = "<0"
    (tmp_path / "Split-train").mkdir()
    (tmp_path / "Split-train/SchemaDiff.pb").write_bytes(anomalies.SerializeToString())
    text = node_report(outcome("ExampleValidator", anomalies=Output(str(tmp_path), {})))
    assert "| train | fare | Out of range | &lt;0 |" in text


def test_the_metrics_are_handed_to_kubeflow(tmp_path: Path) -> None:
    file = tmp_path / "kfp/output.json"
    given = {"artifacts": {"metrics": {"artifacts": [{"name": "m", "uri": "minio://b/m"}]}}, "outputFile": str(file)}
    write_shown(evaluated(tmp_path), tmp_path / "report.md", None, json.dumps({"outputs": given}))
    assert json.loads(file.read_text()) == {
        "artifacts": {
            "metrics": {
                "artifacts": [
                    {"name": "m", "uri": "minio://b/m", "metadata": {"auc": 0.75, "example_count": 10.0}},
                ]
            }
        }
    }


def test_what_cannot_be_shown_does_not_fail_the_task(tmp_path: Path) -> None:
    write_shown(evaluated(tmp_path), tmp_path / "report.md", None, "no JSON")
    assert (tmp_path / "report.md").exists()
