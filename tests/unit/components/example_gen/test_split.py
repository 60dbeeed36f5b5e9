"""The split of a row, against stock ExampleGen."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st
from tfx.components.example_gen import base_example_gen_executor
from tfx.proto import example_gen_pb2

from components.example_gen.split import assign_splits


def test_hash_modulo_buckets() -> None:
    bucket = int(hashlib.sha256(b"row").hexdigest(), 16) % 3
    assert assign_splits([b"row"], [2, 1]) == [0 if bucket < 2 else 1]


@given(st.lists(st.binary(max_size=20), max_size=20), st.lists(st.integers(1, 9), min_size=2, max_size=4))
def test_split_is_that_of_stock(examples: list[bytes], sizes: list[int]) -> None:
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    expected = [
        base_example_gen_executor._PartitionFn(example, len(sizes), ends, example_gen_pb2.SplitConfig())
        for example in examples
    ]
    assert assign_splits(examples, sizes) == expected
