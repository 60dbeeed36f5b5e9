from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.components.transform.executor import Executor as TfxExecutor

from components.transform.column_tensors import one_column_each
from components.transform.executor import Executor, adapter_config
from schemas.column_files import column_files, read_column_file
from schemas.features import FeatureTable

pytestmark = pytest.mark.slow

ONE_PASS = """
number = tf.reshape(tf.sparse.to_dense(inputs["number"]), [-1, 1])
return {
    "z": tft.scale_to_z_score(number),
    "unit": tft.scale_to_0_1(number),
    "bucket": tft.bucketize(number, 4),
    "sparse": inputs["count"],
}
"""
TABLE = FeatureTable.model_validate(
    {
        "features": {
            "number": {"kind": "numeric"},
            "bucket": {"kind": "bucketized", "column": "number", "buckets": 3},
            "text": {"kind": "categorical", "oov_buckets": 2},
            "words": {"kind": "text", "column": "text", "length": 4, "weights": "tf_idf"},
        },
        "label": {"kind": "binary", "expression": "count > 2"},
    }
)
OURS: dict[str, Any] = {"custom_config": json.dumps({"features": TABLE.model_dump(mode="json")})}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the executor logs."""
    lines: list[str] = []
    monkeypatch.setattr("components.transform.executor.logging.info", lambda text, *values: lines.append(text % values))
    return lines


def test_the_mean_becomes_zero(transform: Callable[..., Any], preprocessing: Callable[[str], str]) -> None:
    done = transform(Executor, preprocessing(ONE_PASS))
    (column,) = _columns(done, "z", "train")
    assert len(column) == 60
    assert abs(float(np.mean(column))) < 1e-6


@pytest.mark.parametrize("engine", ["inline", "direct"])
def test_equal_to_what_tfx_makes(
    transform: Callable[..., Any], preprocessing: Callable[[str], str], engine: str
) -> None:
    function = preprocessing(ONE_PASS)
    _assert_equal(transform(Executor, function, engine), transform(TfxExecutor, function))


CHECKED = """
number = tf.reshape(tf.sparse.to_dense(inputs["number"]), [-1, 1])
variance = tft.var(number)
with tf.control_dependencies([tf.debugging.assert_greater(variance, 0.0)]):
    return {"number": tf.identity(number) / tf.sqrt(variance)}
"""


def test_a_check_of_a_statistic_waits_for_its_value(
    transform: Callable[..., Any], preprocessing: Callable[[str], str]
) -> None:
    (column,) = _columns(transform(Executor, preprocessing(CHECKED)), "number", "train")
    assert float(np.std(column)) == pytest.approx(1.0, abs=1e-6)


def test_a_tensor_of_several_columns_is_left_to_tfx() -> None:
    schema = schema_pb2.Schema(
        feature=[
            schema_pb2.Feature(name="place", type=schema_pb2.INT),
            schema_pb2.Feature(name="value", type=schema_pb2.FLOAT),
        ],
        sparse_feature=[
            schema_pb2.SparseFeature(
                name="both",
                index_feature=[schema_pb2.SparseFeature.IndexFeature(name="place")],
                value_feature=schema_pb2.SparseFeature.ValueFeature(name="value"),
            )
        ],
    )
    assert not one_column_each(adapter_config(schema))
    del schema.sparse_feature[:]
    assert one_column_each(adapter_config(schema))


def test_the_feature_table_equal_to_what_tfx_makes(transform: Callable[..., Any]) -> None:
    function = "transforms.preprocessing.preprocessing_fn"
    ours, theirs = transform(Executor, function, **OURS), transform(TfxExecutor, function, **OURS)
    _assert_equal(ours, theirs)
    for name in ("text", "words"):
        assert ours.output.vocabulary_by_name(name) == theirs.output.vocabulary_by_name(name)
    assert ours.output.vocabulary_by_name("text")[0] == b"b"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('return {"id": tft.compute_and_apply_vocabulary(inputs["text"])}', "needs more than one pass"),
        (
            'number = tf.reshape(tf.sparse.to_dense(inputs["number"]), [-1, 1])\n'
            'return {"z": tft.scale_to_0_1(number - tft.mean(number))}',
            "computed from another statistic",
        ),
    ],
)
def test_what_it_cannot_do_tfx_does(
    transform: Callable[..., Any],
    preprocessing: Callable[[str], str],
    told: list[str],
    body: str,
    reason: str,
) -> None:
    function = preprocessing(body)
    ours = transform(Executor, function)
    assert any("TFX's own executor transforms" in line and reason in line for line in told)
    assert ours.rows("train") == transform(TfxExecutor, function).rows("train")


def test_without_column_files_tfx_reads_the_examples(
    transform: Callable[..., Any],
    preprocessing: Callable[[str], str],
    artifacts: dict[str, list[Any]],
    told: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("components.transform.executor.column_files", lambda uri: [])
    transform(Executor, preprocessing(ONE_PASS))
    assert any("no column files" in line for line in told)


def test_nothing_temporary_is_left(transform: Callable[..., Any], preprocessing: Callable[[str], str]) -> None:
    done = transform(Executor, preprocessing(ONE_PASS))
    names = {path.relative_to(done.folder).parts[:2] for path in done.folder.rglob("*")}
    assert {part[1] for part in names if len(part) == 2 and part[0] == "graph"} == {
        "metadata",
        "transform_fn",
        "transformed_metadata",
    }


def _assert_equal(ours: Any, theirs: Any) -> None:
    assert ours.output.transformed_metadata.schema == theirs.output.transformed_metadata.schema
    assert ours.output.raw_metadata.schema == theirs.output.raw_metadata.schema
    for split in ("train", "eval"):
        for row, expected in zip(ours.rows(split), theirs.rows(split), strict=True):
            assert row.keys() == expected.keys()
            for name in row:  # sums of other batches differ in their last digits
                assert row[name] == pytest.approx(expected[name], abs=1e-6), name


def _columns(done: Any, name: str, split: str) -> list[np.ndarray[Any, Any]]:
    files = column_files(str(Path(done.folder) / "examples" / f"Split-{split}"))
    tables = [pa.Table.from_batches(read_column_file(file, {name})) for file in files]
    return [np.concatenate([table.column(name).combine_chunks().flatten().to_numpy() for table in tables])]


def test_of_several_spans_only_new_ones_are_analysed(
    transform: Callable[..., Any], artifacts: dict[str, list[Any]], tmp_path: Path, told: list[str]
) -> None:
    function = "transforms.preprocessing.preprocessing_fn"
    (first,) = artifacts["examples"]
    second = copy.deepcopy(first)
    second.uri = str(tmp_path / "second")
    for folder in ("Split-{}", "Columns-{}"):
        # The eval rows of the first are the train rows of the second.
        for to, origin in (("train", "eval"), ("eval", "train")):
            shutil.copytree(Path(first.uri) / folder.format(origin), Path(second.uri) / folder.format(to))

    one = transform(Executor, function, examples=[first], name="one", **OURS)
    assert any("of 1 datasets; those of 0 others" in line for line in told)
    both = transform(
        Executor, function, examples=[first, second], name="both", caches=[str(one.folder / "cache")], **OURS
    )
    assert any("of 1 datasets; those of 1 others" in line for line in told)
    fresh = transform(Executor, function, examples=[first, second], name="fresh", **OURS)
    assert any("of 2 datasets; those of 0 others" in line for line in told)
    theirs = transform(TfxExecutor, function, examples=[first, second], name="tfx", **OURS)
    assert not any("TFX's own executor" in line for line in told)
    for name in ("text", "words"):
        assert both.output.vocabulary_by_name(name) == fresh.output.vocabulary_by_name(name)
        assert both.output.vocabulary_by_name(name) == theirs.output.vocabulary_by_name(name)
    assert len(list((both.folder / "cache").iterdir())) == 2
    for part in ("0", "1"):
        for split in ("train", "eval"):
            rows = [list((done.folder / "examples" / part / f"Split-{split}").iterdir()) for done in (both, fresh)]
            assert len(rows[0]) == len(rows[1]) > 0

    (tmp_path / "third").mkdir()
    changed = json.dumps({"features": TABLE.model_dump(mode="json"), "code": "other"})
    transform(
        Executor, function, examples=[first], name="changed", caches=[str(one.folder / "cache")], custom_config=changed
    )
    assert sum("of 1 datasets; those of 0 others" in line for line in told) == 2


def test_a_cache_of_ours_is_empty_to_tfx(
    transform: Callable[..., Any], preprocessing: Callable[[str], str], artifacts: dict[str, list[Any]], told: list[str]
) -> None:
    given = artifacts["examples"]
    function = "transforms.preprocessing.preprocessing_fn"
    earlier = transform(Executor, function, examples=given, name="earlier", **OURS)
    assert list((earlier.folder / "cache").iterdir())
    two_passes = preprocessing('return {"id": tft.compute_and_apply_vocabulary(inputs["text"])}')
    done = transform(Executor, two_passes, examples=given, name="done", caches=[str(earlier.folder / "cache")])
    assert any("TFX's own executor transforms" in line for line in told)
    assert done.rows("train") == transform(TfxExecutor, two_passes, examples=given, name="tfx").rows("train")


def test_the_order_of_the_artifacts_makes_no_difference(
    transform: Callable[..., Any], artifacts: dict[str, list[Any]], tmp_path: Path
) -> None:
    first, second = (copy.deepcopy(artifacts["examples"][0]) for _ in range(2))
    first.span, second.span = 1, 2
    second.uri = str(tmp_path / "second")
    for folder in ("Split-{}", "Columns-{}"):
        for to, origin in (("train", "eval"), ("eval", "train")):
            shutil.copytree(Path(first.uri) / folder.format(origin), Path(second.uri) / folder.format(to))
    function = "transforms.preprocessing.preprocessing_fn"
    done = {
        name: transform(Executor, function, examples=examples, name=name, **OURS)
        for name, examples in (("ascending", [first, second]), ("descending", [second, first]))
    }
    for part in ("0", "1"):
        written = []
        for one in done.values():
            files = sorted((one.folder / "examples" / part).glob("Columns-*/*"))
            written.append({path.relative_to(one.folder): path.read_bytes() for path in files})
        assert written[0] == written[1] != {}
