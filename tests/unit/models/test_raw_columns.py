from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft

from models.columns import read_columns
from models.input_fn import Split, training_dataset
from models.raw_columns import transformed_parser
from tests.unit.models.conftest import Transformed

pytestmark = pytest.mark.slow  # it analyses


@pytest.fixture
def raw(transformed: Transformed, tmp_path: Path) -> str:
    """The eval rows as ExampleGen would have written them."""
    path = str(tmp_path / "raw.gz")
    with tf.io.TFRecordWriter(path, "GZIP") as writer:
        for example in transformed.examples:
            writer.write(example)
    return path


def parser_of(transformed: Transformed) -> object:
    return transformed_parser(tft.TFTransformOutput(transformed.graph).transform_savedmodel_dir)


def test_raw_rows_become_what_transform_wrote(transformed: Transformed, raw: str) -> None:
    found = read_columns([raw], transformed.spec(), parse=parser_of(transformed))
    for key, column in transformed.eval_columns().items():
        np.testing.assert_array_equal(found[key], column)


@pytest.mark.parametrize("cache", [True, False])
def test_batches_have_the_shapes_of_transformed_ones(transformed: Transformed, raw: str, cache: bool) -> None:
    spec = transformed.spec()
    made = Split.open([raw], spec, cache=cache, transform=parser_of(transformed))
    written = Split.open(transformed.eval, spec, cache=cache)
    datasets = [training_dataset(split, 16, seed=1) for split in (made, written)]
    assert datasets[0].element_spec == datasets[1].element_spec
    (features, label), (others, other) = (next(dataset.as_numpy_iterator()) for dataset in datasets)
    np.testing.assert_array_equal(label, other)
    for key, values in features.items():
        np.testing.assert_array_equal(values, others[key])
