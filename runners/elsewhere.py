"""Where nodes that share no disk keep what they read and make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol


class Elsewhere(Protocol):
    """What the node entry point asks of such a place, in this order. All paths are under output_dir, or left alone.

    Each method raises ScalableTFError where it cannot do it; the execution stays open then if its work is done.
    """

    def prepare(self, node_id: str) -> None:
        """Brings what is looked at before the cache is asked: by the node's driver, and to know what there is."""

    def bring(self, inputs: Mapping[str, Sequence[str]], working_dir: str) -> None:
        """Brings what the executor reads.

        Args:
            inputs: URIs of its input artifacts, by key.
            working_dir: its stateful working folder, which an attempt before this one may have left.
        """

    def take(self, node_id: str, outputs: Sequence[str], working_dir: str) -> None:
        """Keeps what the executor has made, before it is published.

        Args:
            node_id: the node.
            outputs: URIs of its output artifacts.
            working_dir: its stateful working folder, which is not needed any more.
        """
