"""What a pipeline gave in a test: outputs by node, and what is usually asked of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.pusher.executor import DESTINATION_PROPERTY, PUSHED_PROPERTY
from configs.settings import Settings
from pipeline import nodes
from pipeline_testing import read
from pipeline_testing.outputs import Outputs
from schemas.errors import RunError, ScalableTFError
from serving.blessing import Blessing
from serving.release import Release


@dataclass
class PipelineRun:
    """A run of a pipeline or of a part of it.

    Attributes:
        settings: as they were run: with the test's folders and rows.
        run_id: name of the run in ML Metadata.
        nodes: what each node gave, in the order in which they ran.
        cached: nodes whose outputs came from an earlier run in the same folder.
        error: what stopped the run, or None.
    """

    settings: Settings
    run_id: str
    nodes: dict[str, Outputs] = field(default_factory=dict)
    cached: list[str] = field(default_factory=list)
    error: ScalableTFError | None = None

    def __getitem__(self, node_id: str) -> Outputs:
        """The outputs of a node.

        Raises:
            RunError: it did not run, or did not end well.
        """
        if node_id not in self.nodes:
            raise RunError(
                "The node gave nothing in this run.",
                where=f"node {node_id}",
                received=f"stopped by: {self.error.what}" if self.error else None,
                fix=f"Nodes that ended well: {', '.join(self.nodes) or 'none'}.",
            )
        return self.nodes[node_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self.nodes)

    @property
    def output_dir(self) -> Path:
        """The folder of everything that the run wrote; given to another run, it goes on from there."""
        return Path(self.settings.output_dir)

    @property
    def anomalies(self) -> dict[str, dict[str, list[str]]]:
        """What ExampleValidator found, by split and feature: `{"train": {"fare": ["OUT_OF_RANGE..."]}, "eval": {}}`."""
        artifact = self[nodes.EXAMPLE_VALIDATOR]["anomalies"]
        return {split: read.anomalies(artifact, split) for split in read.splits(artifact)}

    @property
    def metrics(self) -> dict[str, dict[str, Any]]:
        """The Evaluator's metrics by slice and name."""
        return read.metrics(self[nodes.EVALUATOR]["evaluation"])

    @property
    def blessing(self) -> Blessing:
        """The Evaluator's verdict with its reasons."""
        return read.blessing(self[nodes.EVALUATOR]["evaluation"])

    @property
    def release(self) -> Release | None:
        """What Pusher released, or None where the model was not blessed."""
        pushed = self[nodes.PUSHER]["pushed_model"]
        if not pushed.get_int_custom_property(PUSHED_PROPERTY):
            return None
        return Release.load(Path(pushed.get_string_custom_property(DESTINATION_PROPERTY)))
