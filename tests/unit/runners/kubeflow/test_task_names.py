from __future__ import annotations

import pytest

from pipeline.nodes import OF_INFERENCE, OF_TRAINING
from runners.kubeflow.task_names import task_name, task_names


@pytest.mark.parametrize(
    ("node", "name"),
    [
        ("ExampleGen", "example-gen"),
        ("ImportSchemaGen", "import-schema-gen"),
        ("Trainer", "trainer"),
        ("my_node.2", "my-node-2"),
        ("TFXNode", "tfx-node"),
    ],
)
def test_words_are_parted(node: str, name: str) -> None:
    assert task_name(node) == name


def test_all_of_ours_are_different() -> None:
    names = task_names([*OF_TRAINING, *OF_INFERENCE])
    assert len(set(names.values())) == len(OF_TRAINING) + len(OF_INFERENCE) + 2


def test_two_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="would both be called example-gen"):
        task_names(["ExampleGen", "Example_Gen"])
