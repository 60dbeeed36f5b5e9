from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from models.input_fn import Split, evaluation_dataset, training_dataset
from models.shard import Shard
from schemas.errors import TrainingError
from schemas.transformed import LABEL_KEY, WEIGHT_KEY

SPEC = {"id": tf.io.FixedLenFeature([1], tf.int64), LABEL_KEY: tf.io.FixedLenFeature([1], tf.int64)}
WEIGHTED = {**SPEC, WEIGHT_KEY: tf.io.FixedLenFeature([1], tf.float32)}


def make_split(folder: Path, rows: int, *, cache: bool, spec: dict[str, tf.io.FixedLenFeature] = SPEC) -> Split:
    """Rows 0, 1, 2 ... in two gzipped files; odd ones are labelled 1, the weight is a tenth of the row number."""
    folder.mkdir(exist_ok=True)
    for part in range(2):
        with tf.io.TFRecordWriter(str(folder / f"part-{part}.gz"), "GZIP") as writer:
            for number in range(rows)[part * rows // 2 : (part + 1) * rows // 2]:
                example = tf.train.Example()
                example.features.feature["id"].int64_list.value.append(number)
                example.features.feature[LABEL_KEY].int64_list.value.append(number % 2)
                example.features.feature[WEIGHT_KEY].float_list.value.append(number / 10)
                writer.write(example.SerializeToString())
    return Split.open([str(folder / "*")], spec, cache=cache)


def ids(dataset: tf.data.Dataset, batches: int | None = None) -> list[list[int]]:
    taken = dataset if batches is None else dataset.take(batches)
    return [batch[0]["id"].ravel().tolist() for batch in taken.as_numpy_iterator()]


both = pytest.mark.parametrize("cache", [True, False])


@both
def test_evaluation_sees_every_row_once_and_keeps_an_uneven_last_batch(tmp_path: Path, cache: bool) -> None:
    batches = ids(evaluation_dataset(make_split(tmp_path, 10, cache=cache), 4))
    assert [len(batch) for batch in batches] == [4, 4, 2]
    assert sorted(number for batch in batches for number in batch) == list(range(10))


@both
def test_the_number_of_evaluation_batches_is_known(tmp_path: Path, cache: bool) -> None:
    assert int(evaluation_dataset(make_split(tmp_path, 10, cache=cache), 4).cardinality()) == 3


@both
def test_training_batches_are_full_and_every_row_comes_once_in_a_pass(tmp_path: Path, cache: bool) -> None:
    batches = ids(training_dataset(make_split(tmp_path, 10, cache=cache), 4, seed=1), batches=5)
    assert {len(batch) for batch in batches} == {4}
    drawn = [number for batch in batches for number in batch]
    assert sorted(drawn[:10]) == sorted(drawn[10:]) == list(range(10))


@both
def test_the_seed_decides_the_order(tmp_path: Path, cache: bool) -> None:
    split = make_split(tmp_path, 50, cache=cache)
    first = ids(training_dataset(split, 5, seed=7), batches=30)
    assert ids(training_dataset(split, 5, seed=7), batches=30) == first
    assert ids(training_dataset(split, 5, seed=8), batches=30) != first
    assert first[:10] != first[10:20]


@both
def test_steps_that_are_done_are_passed_over(tmp_path: Path, cache: bool) -> None:
    split = make_split(tmp_path, 10, cache=cache)
    whole = ids(training_dataset(split, 4, seed=3), batches=8)
    assert ids(training_dataset(split, 4, seed=3, first_step=3), batches=5) == whole[3:]


@both
@pytest.mark.parametrize("replicas", [1, 2])
def test_two_readers_together_see_each_row_once_in_a_pass(tmp_path: Path, cache: bool, replicas: int) -> None:
    split = make_split(tmp_path, 40, cache=cache)
    shards = [Shard(index, 2, replicas) for index in range(2)]
    read = [ids(training_dataset(split, 8, seed=3, shard=shard), batches=5 * replicas) for shard in shards]
    assert {len(batch) for batches in read for batch in batches} == {4 // replicas}
    assert sorted(number for batches in read for batch in batches for number in batch) == list(range(40))


@pytest.mark.parametrize("replicas", [1, 2])
def test_readers_take_the_batches_of_one_process(tmp_path: Path, replicas: int) -> None:
    split = make_split(tmp_path, 10, cache=True)
    whole = ids(training_dataset(split, 8, seed=3), batches=5)
    read = [
        ids(training_dataset(split, 8, seed=3, shard=Shard(index, 2, replicas)), batches=5 * replicas)
        for index in range(2)
    ]
    for step, batch in enumerate(whole):
        parts = [read[index][step * replicas : (step + 1) * replicas] for index in range(2)]
        assert [number for part in parts for piece in part for number in piece] == batch


@both
@pytest.mark.parametrize("replicas", [1, 2])
def test_readers_share_an_evaluation_in_as_many_batches_each(tmp_path: Path, cache: bool, replicas: int) -> None:
    split = make_split(tmp_path, 11, cache=cache)
    shards = [Shard(index, 2, replicas) for index in range(2)]
    read = [ids(evaluation_dataset(split, 4, steps=2, shard=shard), batches=2 * replicas) for shard in shards]
    assert sorted(number for batches in read for batch in batches for number in batch) == list(range(11))
    assert all(batch for batches in read for batch in batches)


@both
def test_labels_and_weights_belong_to_their_rows(tmp_path: Path, cache: bool) -> None:
    split = make_split(tmp_path, 20, cache=cache, spec=WEIGHTED)
    for features, label, weight in training_dataset(split, 5, seed=1).take(4).as_numpy_iterator():
        np.testing.assert_array_equal(label, features["id"] % 2)
        np.testing.assert_allclose(weight, features["id"] / 10, rtol=1e-6)
        assert label.shape == weight.shape == (5, 1)
        assert set(features) == {"id"}


@both
def test_labels_of_a_split(tmp_path: Path, cache: bool) -> None:
    split = make_split(tmp_path, 5, cache=cache)
    assert sorted(split.labels.tolist()) == [0, 0, 0, 1, 1]
    assert split.rows == 5


@pytest.mark.slow
@settings(max_examples=15)
@given(rows=st.integers(1, 40), batch=st.integers(1, 40), seed=st.integers(0, 2**32 - 1))
def test_any_size(rows: int, batch: int, seed: int) -> None:
    numbers = np.arange(rows)[:, None]
    split = Split((), SPEC, numbers[:, 0] % 2, {"id": numbers, LABEL_KEY: numbers % 2})
    batch = min(batch, rows)
    epoch = ids(training_dataset(split, batch, seed=seed), batches=rows // batch)
    seen = [number for batch in epoch for number in batch]
    assert len(seen) == len(set(seen)) == rows // batch * batch


def test_no_label(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no label"):
        make_split(tmp_path, 3, cache=True, spec={"id": SPEC["id"]})


@both
def test_no_rows(tmp_path: Path, cache: bool) -> None:
    with pytest.raises(TrainingError, match="no examples"):
        make_split(tmp_path, 0, cache=cache)


def test_rows_that_do_not_fit_are_read_from_files(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    make_split(tmp_path, 10, cache=False)
    files = [str(tmp_path / "*")]
    assert Split.open(files, SPEC, cache_bytes=160).columns is not None
    assert not caplog.records
    split = Split.open(files, SPEC, cache_bytes=159)
    assert split.columns is None
    assert split.labels.tolist() == [number % 2 for number in range(10)]
    assert "more than training.cache_bytes, 159" in caplog.text


@both
def test_features_are_made_of_raw_records(tmp_path: Path, cache: bool) -> None:
    make_split(tmp_path, 10, cache=False)

    def transform(records: tf.Tensor) -> dict[str, tf.Tensor]:
        parsed = tf.io.parse_example(records, SPEC)
        return {"id": parsed["id"] + 100, LABEL_KEY: 1 - parsed[LABEL_KEY]}

    split = Split.open([str(tmp_path / "*")], SPEC, cache=cache, transform=transform)
    assert split.labels.tolist() == [1 - number % 2 for number in range(10)]
    assert sorted(number for batch in ids(evaluation_dataset(split, 5)) for number in batch) == list(range(100, 110))
    assert split.read(["id"])["id"].ravel().tolist() == list(range(100, 110))
