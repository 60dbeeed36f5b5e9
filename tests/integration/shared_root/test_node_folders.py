"""What a node leaves for its next attempt and its next run."""

from __future__ import annotations

from runners.kubeflow.root.node_files import NodeFiles
from runners.kubeflow.root.shared_root import SharedRoot


def test_a_node_that_failed_leaves_its_working_folder_to_its_next_attempt(root: SharedRoot, other: SharedRoot) -> None:
    working = "artifacts/Trainer/.system/stateful_working_dir/run-1-7"
    (root.folder / working).mkdir(parents=True)
    (root.folder / working / "checkpoint").write_text("step 5")
    NodeFiles(root, "run-1", "Trainer").take_unfinished()

    again = NodeFiles(other, "run-1", "Trainer")
    again.bring({}, str(other.folder / working))
    assert (other.folder / working / "checkpoint").read_text() == "step 5"
    again.take("Trainer", [], str(other.folder / working))
    assert root.store.list("") == {}


def test_what_was_analysed_of_earlier_spans_is_brought_to_transform(root: SharedRoot, other: SharedRoot) -> None:
    cache = "artifacts/Transform/updated_analyzer_cache/5"
    file = "0/span-19783/__analyzer_cache__"
    (root.folder / cache / file).parent.mkdir(parents=True)
    (root.folder / cache / file).write_text("counts")
    NodeFiles(root, "run-1", "Transform").take("Transform", [str(root.folder / cache)], "")

    again = NodeFiles(other, "run-2", "Transform")
    again.prepare("Transform")
    again.bring({"analyzer_cache": [str(other.folder / cache)]}, "")
    assert (other.folder / cache / file).read_text() == "counts"
