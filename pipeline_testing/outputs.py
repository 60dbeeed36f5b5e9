"""What a node gave: its artifacts by key, which can be read, given to the next component, and recorded."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfx.types.artifact import Artifact

from schemas.errors import RunError

ARTIFACTS_FILE = "artifacts.json"


@dataclass(frozen=True)
class Outputs:
    """The outputs of one node.

    Attributes:
        node_id: the node.
        artifacts: TFX's artifacts by output key, with their properties.
    """

    node_id: str
    artifacts: Mapping[str, Sequence[Artifact]]

    def __getitem__(self, key: str) -> Artifact:
        """The one artifact of an output.

        Raises:
            RunError: there is no such output, or it has no artifact or several.
        """
        found = self.artifacts.get(key)
        if found is None:
            raise RunError(
                "The node has no such output.",
                where=f"node {self.node_id}",
                received=key,
                fix=f"Outputs: {', '.join(self.artifacts) or 'none'}.",
            )
        if len(found) != 1:
            raise RunError(
                f"This output has {len(found)} artifacts.",
                where=f"node {self.node_id}",
                received=key,
                fix=f'Take them from .artifacts["{key}"].',
            )
        return found[0]

    def __iter__(self) -> Iterator[str]:
        return iter(self.artifacts)

    def record(self, folder: Path) -> None:
        """Copies the outputs to `folder`/NODE/KEY/NUMBER, as TFX's pipeline recorder does, and keeps their properties.

        A stub gives them again: `run_pipeline(settings, rows, stubs={"Trainer": folder})`.
        """
        target = folder / self.node_id
        shutil.rmtree(target, ignore_errors=True)
        described: dict[str, list[Any]] = {}
        for key, artifacts in self.artifacts.items():
            for number, artifact in enumerate(artifacts):
                copy(Path(artifact.uri), target / key / str(number))
                described.setdefault(key, []).append(artifact.to_json_dict())
        target.mkdir(parents=True, exist_ok=True)
        (target / ARTIFACTS_FILE).write_text(json.dumps(described, indent=2) + "\n")


def copy(source: Path, target: Path) -> None:
    """Copies an artifact's folder, or the file of a value artifact, over what is there."""
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
