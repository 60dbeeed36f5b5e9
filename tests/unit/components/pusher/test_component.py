"""Pusher in a pipeline: TFX's launcher, its cache and ML Metadata, on artifacts made by hand."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ml_metadata
import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.compiler.compiler import Compiler
from tfx.dsl.components.common.importer import Importer
from tfx.dsl.components.common.resolver import Resolver
from tfx.dsl.input_resolution.strategies.latest_artifact_strategy import LatestArtifactStrategy
from tfx.orchestration import metadata
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.pipeline import Pipeline
from tfx.types import standard_artifacts
from tfx.types.channel import Channel

from components.pusher.component import Pusher
from schemas.errors import ReleaseError
from serving.blessing import Blessing, Failure
from serving.release import Release

pytestmark = [
    # Raised by TFX and ML Metadata inside.
    pytest.mark.filterwarnings("ignore"),
]

REFUSED = Blessing(
    blessed=False, failures=(Failure(slice="Overall", metric="auc", value=0.5, bound="must be at least 0.9"),)
)


@dataclass
class Chain:
    """Importers of everything that Pusher reads, and Pusher."""

    root: Path
    blessing: Blessing = field(default_factory=lambda: Blessing(blessed=True))
    weights: str = "weights"
    keep: int | None = None
    infra: dict[str, Any] | None = None
    """Custom properties of the InfraBlessing; None: there is none."""
    is_lost: bool = False
    """Whether it was deleted before Pusher began."""
    provenance: dict[str, Any] = field(default_factory=lambda: {"pipeline": "chain", "code": "c", "settings": "s"})

    @property
    def releases(self) -> Path:
        return self.root / "releases"

    @property
    def versions(self) -> list[str]:
        return sorted(path.name for path in (self.releases / "taxi").glob("[0-9]*"))

    def pipeline(self) -> Pipeline:
        model = self._folder(f"model-{self.weights}", {"Format-Serving/saved_model.pb": self.weights})
        evaluation = self._folder(
            f"evaluation-{self.blessing.blessed}",
            {
                "metrics.json": json.dumps({"Overall": {"auc": 0.95}, "hour:1": {"auc": 0.9}}),
                "blessing.json": self.blessing.model_dump_json(),
            },
        )
        nodes = {
            "model": self._importer("model", model, standard_artifacts.Model),
            "blessing": self._importer(
                "blessing",
                self._folder(f"blessing-{self.blessing.blessed}", {}),
                standard_artifacts.ModelBlessing,
                custom_properties={"blessed": int(self.blessing.blessed)},
            ),
            "evaluation": self._importer("evaluation", evaluation, standard_artifacts.ModelEvaluation),
            "examples": self._importer(
                "examples",
                self._folder("examples", {}),
                standard_artifacts.Examples,
                properties={"span": 3},
                custom_properties={"input_fingerprint": "the data"},
            ),
            "schema": self._importer("schema", self._folder("schema", {"schema.pbtxt": ""}), standard_artifacts.Schema),
        }
        if self.infra is not None:
            stamped = {
                "stamped_model/saved_model.pb": self.weights,
                "stamped_model/assets.extra/tf_serving_warmup_requests": "requests",
            }
            nodes["infra_blessing"] = self._importer(
                "infra_blessing",
                self._folder("infra", stamped),
                standard_artifacts.InfraBlessing,
                custom_properties=self.infra,
            )
        if self.is_lost:
            lost = Channel(type=standard_artifacts.InfraBlessing, producer_component_id="infra_blessing")
            nodes["infra_blessing"] = Resolver(LatestArtifactStrategy, result=lost).with_id("lost")
        pusher = Pusher(
            **{name: node.outputs["result"] for name, node in nodes.items()},
            releases_dir=str(self.releases),
            model_name="taxi",
            keep=self.keep,
            provenance=self.provenance,
        )
        return Pipeline(
            pipeline_name="chain",
            pipeline_root=str(self.root / "artifacts"),
            components=[*nodes.values(), pusher],
            enable_cache=True,
            metadata_connection_config=metadata.sqlite_metadata_connection_config(str(self.root / "metadata.sqlite")),
        )

    def run(self) -> str:
        """Runs the chain; returns the state of Pusher's execution."""
        LocalDagRunner().run(self.pipeline())
        (execution,) = self.store.get_executions_by_type("components.pusher.component.Pusher")[-1:]
        return metadata_store_pb2.Execution.State.Name(execution.last_known_state)

    @property
    def store(self) -> Any:
        config = metadata_store_pb2.ConnectionConfig()
        config.sqlite.filename_uri = str(self.root / "metadata.sqlite")
        return ml_metadata.MetadataStore(config)

    @property
    def pushed(self) -> list[Any]:
        return sorted(self.store.get_artifacts_by_type("PushedModel"), key=lambda artifact: artifact.id)

    def _folder(self, name: str, files: dict[str, str]) -> Path:
        folder = self.root / "inputs" / name
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        return folder

    @staticmethod
    def _importer(name: str, folder: Path, kind: Any, **properties: Any) -> Importer:
        return Importer(source_uri=str(folder), artifact_type=kind, **properties).with_id(name)


@pytest.fixture
def chain(tmp_path: Path) -> Callable[..., Chain]:
    def make(**changes: Any) -> Chain:
        return Chain(tmp_path, **changes)

    return make


def test_a_blessed_model_is_released_with_its_provenance(chain: Callable[..., Chain]) -> None:
    one = chain()
    assert one.run() == "COMPLETE"
    release = Release.load(one.releases / "taxi/1")
    assert (release.model, release.version, release.pipeline, release.spans) == ("taxi", 1, "chain", (3,))
    assert release.fingerprints == {"code": "c", "settings": "s", "data": "the data"}
    assert release.run_id
    # SHA-256 of the empty schema.
    assert release.schema_hash is not None
    assert release.schema_hash.startswith("e3b0c44298fc1c14")
    assert release.metrics == {"Overall": {"auc": 0.95}}
    assert release.blessing == one.blessing


def test_the_classes_are_in_the_release(chain: Callable[..., Chain]) -> None:
    one = chain(provenance={"pipeline": "chain", "code": "c", "classes": ["cat", "dog"]})
    one.run()
    release = Release.load(one.releases / "taxi/1")
    assert release.classes == ("cat", "dog")
    assert set(release.fingerprints) == {"code", "data"}


def test_the_artifact_says_where_the_release_is(chain: Callable[..., Chain]) -> None:
    one = chain()
    one.run()
    (pushed,) = one.pushed
    assert pushed.custom_properties["pushed"].int_value == 1
    assert pushed.custom_properties["pushed_version"].string_value == "1"
    assert pushed.custom_properties["pushed_destination"].string_value == str(one.releases / "taxi/1")


def test_an_unchanged_run_comes_from_the_cache(chain: Callable[..., Chain]) -> None:
    one = chain()
    one.run()
    assert one.run() == "CACHED"
    assert one.versions == ["1"]


def test_a_release_that_was_removed_is_released_again(chain: Callable[..., Chain]) -> None:
    one = chain()
    one.run()
    shutil.rmtree(one.releases / "taxi/1")
    assert one.run() == "COMPLETE"
    assert one.versions == ["1"]
    states = [metadata_store_pb2.Artifact.State.Name(artifact.state) for artifact in one.pushed]
    assert states == ["DELETED", "LIVE"]


def test_a_version_that_is_another_model_by_now_is_not_taken_for_the_release(chain: Callable[..., Chain]) -> None:
    one, other = chain(), chain(weights="others")
    one.run()
    shutil.rmtree(one.releases)
    other.run()
    assert one.run() == "COMPLETE"
    assert one.versions == ["1", "2"]


def test_a_refused_model_is_not_released_and_the_artifact_says_why(chain: Callable[..., Chain]) -> None:
    one = chain(blessing=REFUSED)
    assert one.run() == "COMPLETE"
    assert not one.releases.exists()
    (pushed,) = one.pushed
    assert pushed.custom_properties["pushed"].int_value == 0
    assert pushed.custom_properties["reason"].string_value == "not blessed: Overall: auc is 0.5, must be at least 0.9"


def test_a_model_that_no_server_serves_well_is_not_released_and_the_artifact_says_why(
    chain: Callable[..., Chain],
) -> None:
    one = chain(infra={"blessed": 0, "reason": "gRPC is slow"})
    assert one.run() == "COMPLETE"
    assert not one.releases.exists()
    (pushed,) = one.pushed
    assert pushed.custom_properties["pushed"].int_value == 0
    assert pushed.custom_properties["reason"].string_value == "smoke check failed: gRPC is slow"


def test_a_model_whose_smoke_check_left_no_result_is_not_released(chain: Callable[..., Chain]) -> None:
    # TFX gives out live artifacts only, and runs a node without an optional input.
    one = chain(infra={"blessed": 0, "reason": "gRPC is slow"}, is_lost=True)
    with pytest.raises(ReleaseError, match="no result of one"):
        one.run()
    assert not one.releases.exists()


@pytest.mark.parametrize("has_model", [0, 1])
def test_the_model_with_warm_up_requests_is_the_one_that_is_released(
    chain: Callable[..., Chain], has_model: int
) -> None:
    one = chain(infra={"blessed": 1, "has_model": has_model})
    assert one.run() == "COMPLETE"
    release = Release.load(one.releases / "taxi/1")
    warmup = ["assets.extra/tf_serving_warmup_requests"] * has_model
    assert list(release.files) == [*warmup, "saved_model.pb"]
    assert (one.releases / "taxi/1/saved_model.pb").read_text() == "weights"


def test_a_refused_model_is_refused_from_the_cache(chain: Callable[..., Chain]) -> None:
    one = chain(blessing=REFUSED)
    one.run()
    assert one.run() == "CACHED"


def test_old_versions_are_deleted(chain: Callable[..., Chain]) -> None:
    for weights in ("first", "second", "third"):
        chain(weights=weights, keep=2).run()
    assert chain().versions == ["2", "3"]


def test_an_unwritable_store_is_a_clear_error_and_leaves_nothing(chain: Callable[..., Chain]) -> None:
    one = chain()
    one.releases.write_text("not a folder")
    with pytest.raises(ReleaseError, match="cannot be written"):
        one.run()
    assert one.pushed == []


def test_the_compiled_node_holds_nothing_of_the_run(chain: Callable[..., Chain]) -> None:
    (pusher,) = (
        node.pipeline_node
        for node in Compiler().compile(chain().pipeline()).nodes
        if node.pipeline_node.node_info.id == "Pusher"
    )
    parameters = {
        name: value.field_value.string_value or value.field_value.int_value
        for name, value in pusher.parameters.parameters.items()
    }
    assert parameters == {
        "releases_dir": str(chain().releases),
        "model_name": "taxi",
        "keep": 0,
        "smoke_checked": 0,
        "provenance": '{"code": "c", "pipeline": "chain", "settings": "s"}',
    }
