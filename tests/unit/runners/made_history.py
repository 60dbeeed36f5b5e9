"""A history made by hand in a real SQLite store, with the functions that TFX's launcher publishes with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ml_metadata
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration.metadata import Metadata
from tfx.orchestration.portable import execution_publish_utils as publish
from tfx.orchestration.portable.mlmd import context_lib
from tfx.types import standard_artifacts

from runners.metadata_store import SqliteMetadata
from runners.run_record import RunRecord
from serving.blessing import Blessing
from serving.release import Provenance, Release
from serving.releases import ReleaseStore

_context = context_lib.register_context_if_not_exists

Artifacts = dict[str, list[Any]]
BLESSED = {"blessed": 1}


@dataclass
class MadeHistory:
    """Runs of one pipeline in an output_dir, and its releases."""

    folder: Path
    pipeline: str = "trips"
    store_file: Path | None = None
    metadata: Metadata = field(init=False)

    def __post_init__(self) -> None:
        self.output_dir = self.folder / "output"
        file = self.store_file or self.output_dir / "metadata/metadata.sqlite"
        file.parent.mkdir(parents=True, exist_ok=True)
        self.metadata = SqliteMetadata(file)

    @property
    def store(self) -> Any:
        config = metadata_store_pb2.ConnectionConfig()
        config.sqlite.filename_uri = str(self.store_file or self.output_dir / "metadata/metadata.sqlite")
        return ml_metadata.MetadataStore(config)

    def record(self, run_id: str, state: Any = "complete", **fields: Any) -> RunRecord:
        """Begins a run, or says how it ended."""
        record = RunRecord(
            run_id, self.pipeline, state, "2026-11-25T01:00:00+00:00", output_dir=str(self.output_dir), **fields
        )
        with self.metadata:
            record.put(self.metadata)
        return record

    def node(
        self,
        run_id: str,
        node: str,
        inputs: Mapping[str, Any] | None = None,
        outputs: Mapping[str, Any] | None = None,
        *,
        state: str = "complete",
        cached: Artifacts | None = None,
        properties: Mapping[str, Any] | None = None,
        files: Mapping[str, str] | None = None,
        **custom: Any,
    ) -> tuple[int, Artifacts]:
        """One execution; `outputs` are types by key. Returns its id and its artifacts."""
        with self.metadata as metadata:
            pipeline = _context(metadata, "pipeline", self.pipeline)
            run = _context(metadata, "pipeline_run", run_id, parent_contexts=[pipeline])
            contexts = [pipeline, run, _context(metadata, "node", f"{self.pipeline}.{node}")]
            execution = publish_register(metadata, node, contexts, inputs or {}, properties or {})
            if state == "running":
                self._folders(node, execution.id, outputs or {}, files)
                return execution.id, {}
            if state == "failed":
                publish.publish_failed_execution(metadata, contexts, execution.id)
                return execution.id, {}
            if cached is not None:
                publish.publish_cached_executions(metadata, contexts, [execution], [cached])
                return execution.id, cached
            made = self._folders(node, execution.id, outputs or {}, files)
            for artifacts in made.values():
                for name, value in custom.items():
                    kind = "int" if isinstance(value, int) else "string"
                    getattr(artifacts[0], f"set_{kind}_custom_property")(name, value)
            published, _ = publish.publish_succeeded_execution(metadata, execution.id, contexts, made)
            return execution.id, published

    def _folders(self, node: str, execution: int, outputs: Mapping[str, Any], files: Any) -> Artifacts:
        made: Artifacts = {}
        for key, kind in outputs.items():
            artifact = kind()
            folder = self.output_dir / "artifacts" / node / key / str(execution)
            artifact.uri = str(folder)
            folder.mkdir(parents=True)
            for name, content in (files or {"file": "0123456789"}).items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(content)
            made[key] = [artifact]
        return made

    def train(self, run_id: str, examples: Artifacts, baseline: list[Any] | None = None, **blessing: Any) -> Artifacts:
        """Trainer and Evaluator; the model's one file is named after the run."""
        files = {"Format-Serving/saved_model.pb": run_id}
        _, made = self.node(run_id, "Trainer", examples, {"model": standard_artifacts.Model}, files=files)
        _, judged = self.node(
            run_id,
            "Evaluator",
            {**examples, **made, **({"baseline_model": baseline} if baseline else {})},
            {"blessing": standard_artifacts.ModelBlessing, "evaluation": standard_artifacts.ModelEvaluation},
            current_model_id=made["model"][0].id,
            label="label",
            **(blessing or BLESSED),
        )
        return {**made, **judged}

    def release(self, run_id: str, made: Artifacts, examples: Artifacts) -> Release:
        """Pusher."""
        released = self.publish(run_id, made)
        self.node(
            run_id,
            "Pusher",
            {**made, **examples},
            {"pushed_model": standard_artifacts.PushedModel},
            pushed=1,
            pushed_version=str(released.version),
            pushed_destination=str(self.output_dir / f"releases/{self.pipeline}/{released.version}"),
            release_key=released.key,
        )
        return released

    def publish(self, run_id: str, made: Artifacts) -> Release:
        """What Pusher does before ML Metadata hears of it."""
        provenance = Provenance(
            pipeline=self.pipeline,
            run_id=run_id,
            fingerprints={"data": "d", "code": "c", "settings": "s"},
            blessing=Blessing(blessed=True),
            metrics={"Overall": {"auc": 0.75}},
        )
        store = ReleaseStore(self.output_dir / "releases", self.pipeline)
        return store.publish(Path(made["model"][0].uri) / "Format-Serving", provenance)

    def ingest(self, run_id: str, **custom: Any) -> Artifacts:
        """ExampleGen."""
        return self.node(run_id, "ExampleGen", {}, {"examples": standard_artifacts.Examples}, **custom)[1]

    def folders(self) -> set[str]:
        """Output folders that are there: node/key/id."""
        artifacts = self.output_dir / "artifacts"
        return {path.relative_to(artifacts).as_posix() for path in artifacts.glob("[!.]*/[!.]*/*")}

    def state(self, artifact: Any) -> str:
        (found,) = self.store.get_artifacts_by_id([artifact.id])
        return str(metadata_store_pb2.Artifact.State.Name(found.state))


def publish_register(metadata: Any, node: str, contexts: Any, inputs: Any, properties: Mapping[str, Any]) -> Any:
    return publish.register_execution(
        metadata,
        metadata_store_pb2.ExecutionType(name=f"made.{node}"),
        contexts,
        input_artifacts=inputs,
        exec_properties=dict(properties),
    )
